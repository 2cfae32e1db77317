"""Merge trained adapters into the weights: a folder that loads like any from the hub.

python -m realtime_server.training.starling.merge MODEL ADAPTERS.safetensors OUT
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from realtime_server.training.starling import lora


def merged(model: Path, adapters: Path, keep: tuple[str, ...] = ()) -> tuple[PreTrainedModel, lora.Beside]:
    """The model with the adapters inside its weights, in float32, and those of the layers of `keep` beside it."""
    tensors = load_file(adapters)
    tokenizer = AutoTokenizer.from_pretrained(model)
    net: PreTrainedModel = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    rank = next(tensor.shape[0] for name, tensor in tensors.items() if name.endswith(".down"))
    first = min(int(name.split(".layers.")[1].split(".")[0]) for name in tensors if ".layers." in name)
    lora.adapt(net, tokenizer, rank, first)
    lora.load(net, tensors)
    return net, lora.merge(net, keep)


def write(model: Path, adapters: Path, out: Path) -> None:
    net, _ = merged(model, adapters)
    net.to(torch.bfloat16).save_pretrained(out)  # type: ignore[arg-type]
    AutoTokenizer.from_pretrained(model).save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("adapters", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    write(options.model, options.adapters, options.out)


if __name__ == "__main__":
    main()
