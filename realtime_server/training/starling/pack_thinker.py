"""A tuned thinker as Starling's: an English vocabulary, and weights of 8 and 4 bits in files that a repository takes.

python -m realtime_server.training.starling.pack_thinker TUNED OUT
"""

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from realtime_server.engine.nets.packed import Packing
from realtime_server.training.starling import pruning

ROWS = 40_960
"""Of the vocabulary."""
NARROW = ("mlp",)
"""Layers of 4 bits: two thirds of all weights, and those that lose the least by it."""
LARGEST_FILE = 90_000_000
BESIDE = ("tokenizer_config.json", "chat_template.jinja", "generation_config.json")


def pack_thinker(tuned: Path, out: Path, rows: int = ROWS, narrow: tuple[str, ...] = NARROW) -> None:
    """Writes `thinker-00001.safetensors` and so on, config and tokenizer."""
    from transformers import AutoModelForCausalLM

    out.mkdir(parents=True, exist_ok=True)
    spec = pruning.read(tuned)
    ids = pruning.english(spec, rows)
    assert pruning.all_bytes_stay(pruning.pruned(spec, ids))
    library: Any = AutoModelForCausalLM
    model = pruning.prune(library.from_pretrained(tuned, dtype=torch.float32), ids)
    own = pruning.tie(model)
    tensors: list[dict[str, Tensor]] = [{}]
    for name, tensor in kept(model, Packing(narrow), *own):
        if sum(held.nbytes for held in tensors[-1].values()) + tensor.nbytes > LARGEST_FILE:
            tensors.append({})
        tensors[-1][name] = tensor.contiguous()
    for n, file in enumerate(tensors, 1):
        save_file(file, out / f"thinker-{n:05}.safetensors")
    model.config.save_pretrained(out)
    (out / "tokenizer.json").write_text(json.dumps(pruning.pruned(spec, ids), ensure_ascii=False))
    for name in BESIDE:
        if (tuned / name).exists():
            shutil.copy(tuned / name, out / name)
    model.generation_config.save_pretrained(out)


def kept(model: Any, packing: Packing, rows: Tensor, own: Tensor) -> Iterator[tuple[str, Tensor]]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tuned", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the vocabulary (%(default)s)")
    parser.add_argument("--narrow", nargs="*", default=list(NARROW), help="layers of 4 bits (%(default)s)")
    options = parser.parse_args()
    pack_thinker(options.tuned, options.out, options.rows, tuple(options.narrow))


if __name__ == "__main__":
    main()
