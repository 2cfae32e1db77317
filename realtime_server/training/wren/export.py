"""A checkpoint -> the model's folder: half-precision safetensors, config, tokenizer, manifest.

python -m realtime_server.training.wren.export WORK models/wren
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.wren.script import Script


def export(work: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    config = WrenConfig(vocabulary=Script.load(work / "tokenizer.json").size)
    net, codec = Wren(config), Codec()
    net.load_state_dict(state["average"])
    codec.load_state_dict(load_file(work / "codec.safetensors"))
    tensors = {**net.state_dict(), **{f"codec.{name}": tensor for name, tensor in codec.state_dict().items()}}
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, target / "model.safetensors")
    shutil.copy(work / "tokenizer.json", target / "tokenizer.json")
    shape = {"codebooks": codec.codebooks, "codes": codec.codes, "components": codec.basis.shape[0]}
    described = {
        "architecture": "wren", "parameters": sum(p.numel() for p in net.parameters()), "steps": state["step"],
        "net": config.to_dict(), "codec": shape,
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    write_manifest(target)


def write_manifest(folder: Path) -> None:
    """SHA-256 and bytes of every file that loading depends on."""
    entries = {}
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        data = (folder / name).read_bytes()
        entries[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "manifest.json").write_text(json.dumps(entries, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    export(options.work, options.target)


if __name__ == "__main__":
    main()
