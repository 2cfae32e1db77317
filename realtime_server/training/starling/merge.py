"""Merge trained adapters into the weights: a folder that loads like any from the hub.

python -m realtime_server.training.starling.merge MODEL ADAPTERS.safetensors OUT
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from realtime_server.training.starling import lora


def merged(model: Path, adapters: Path) -> PreTrainedModel:
    """The model with the adapters inside its weights, in bfloat16."""
    tensors = load_file(adapters)
    tokenizer = AutoTokenizer.from_pretrained(model)
    net: PreTrainedModel = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    rank = next(tensor.shape[0] for name, tensor in tensors.items() if name.endswith(".down"))
    first = min(int(name.split(".layers.")[1].split(".")[0]) for name in tensors if ".layers." in name)
    lora.adapt(net, tokenizer, rank, first)
    lora.load(net, tensors)
    lora.merge(net)
    return net


def write(model: Path, adapters: Path, out: Path) -> None:
    merged(model, adapters).save_pretrained(out)
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
