"""Of a model what hears and writes.

    python -m realtime_server.training.wren.thinker MODEL TARGET

It has a third of the size. It is to begin a training with, not to be served.
"""

import argparse
import json
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from realtime_server.training.manifest import write_manifest
from realtime_server.training.wren.train import SPEAKING

SOUND = frozenset({"codec", "decoder"})
"""What makes sound of audio tokens."""


def thinker(model: Path, target: Path) -> None:
    """Writes the folder `target`, whose architecture is "wren-thinker"; `train --start` and `export --of` take it."""
    target.mkdir(parents=True, exist_ok=True)
    tensors = load_file(model / "model.safetensors")
    thinks = {name: tensor for name, tensor in tensors.items() if name.split(".")[0] not in SPEAKING | SOUND}
    save_file(thinks, target / "model.safetensors")
    shutil.copy(model / "tokenizer.json", target)
    config = json.loads((model / "config.json").read_text())
    described = {
        "architecture": "wren-thinker", "parameters": sum(tensor.numel() for tensor in thinks.values()),
        "steps": config["steps"], "net": config["net"],
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    write_manifest(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    thinker(options.model, options.target)


if __name__ == "__main__":
    main()
