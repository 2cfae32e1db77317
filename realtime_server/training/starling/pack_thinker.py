"""A tuned thinker as Starling's: weights of 8 and 4 bits in files that a repository takes.

python -m realtime_server.training.starling.pack_thinker PRUNED ADAPTERS.safetensors OUT

What was learned of the layers of 4 bits is kept beside them, for it was learned beside them (`tune --narrow`); all else is
merged into the weights.
"""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from realtime_server.engine.nets.packed import Packing, keep_beside
from realtime_server.training.starling import pruning
from realtime_server.training.starling.lora import Beside
from realtime_server.training.starling.merge import merged

NARROW = ("mlp", "q_proj")
"""Layers of 4 bits: most of all weights, and those that lose the least by it."""
LARGEST_FILE = 90_000_000
BESIDE = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")


def pack_thinker(pruned: Path, adapters: Path, out: Path, narrow: tuple[str, ...] = NARROW) -> None:
    """Writes `thinker-00001.safetensors` and so on, config and tokenizer."""
    out.mkdir(parents=True, exist_ok=True)
    model, beside = merged(pruned, adapters, narrow)
    tensors: list[dict[str, Tensor]] = [{}]
    for name, tensor in kept(model, Packing(narrow), *pruning.tie(model), beside):
        if sum(held.nbytes for held in tensors[-1].values()) + tensor.nbytes > LARGEST_FILE:
            tensors.append({})
        tensors[-1][name] = tensor.contiguous()
    for n, file in enumerate(tensors, 1):
        save_file(file, out / f"thinker-{n:05}.safetensors")
    model.config.save_pretrained(out)
    for name in BESIDE:
        if (pruned / name).exists():
            shutil.copy(pruned / name, out / name)


def kept(model: Any, packing: Packing, rows: Tensor, own: Tensor, beside: Beside) -> Iterator[tuple[str, Tensor]]:
    """Its tensors as a file keeps them; the head is the embedding, which has some rows of its own."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    for path, module in model.named_modules():
        if module is head:
            continue
        if module is embedding:
            yield from {f"{path}.own_rows": rows.to(torch.int32), f"{path}.own": own.to(torch.float16)}.items()
        for name, parameter in module.named_parameters(recurse=False):
            if name == "weight" and type(module) in (nn.Linear, nn.Embedding):
                yield from packing.keep(path, parameter.data).items()
            else:
                yield f"{path}.{name}", parameter.data.to(torch.float16)
    for path, halves in beside.items():
        yield from keep_beside(path, halves).items()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pruned", type=Path)
    parser.add_argument("adapters", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--narrow", nargs="*", default=list(NARROW), help="layers of 4 bits (%(default)s)")
    options = parser.parse_args()
    pack_thinker(options.pruned, options.adapters, options.out, tuple(options.narrow))


if __name__ == "__main__":
    main()
