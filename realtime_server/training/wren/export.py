"""A checkpoint -> the model's folder: half-precision safetensors, config, tokenizer, voices, manifest.

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

WOMAN, MAN = 0, 1
VOICES = {
    "alloy": (WOMAN, 0.88, 0.95), "ash": (MAN, 0.9, 0.97), "ballad": (MAN, 1.12, 1.0), "cedar": (MAN, 1.0, 1.0),
    "coral": (WOMAN, 1.1, 0.96), "echo": (MAN, 1.25, 1.0), "marin": (WOMAN, 1.0, 0.97), "sage": (WOMAN, 0.8, 0.92),
    "shimmer": (WOMAN, 1.2, 0.98), "verse": (MAN, 0.8, 0.94),
}  # fmt: skip
"""Speaker, pitch, formants. A longer tract (formants below 1) is understood better in the woman's voice, a shorter one worse
in both: what the judge said of real sentences is in the model's log."""


def write_voices(path: Path) -> None:
    """Unless the model has voices already: its user may have added some."""
    if not path.exists():
        shapes = {name: json.dumps({"speaker": s, "pitch": p, "formants": f}) for name, (s, p, f) in VOICES.items()}
        lines = [f'  "{name}": {shape}' for name, shape in shapes.items()]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def export(work: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    fitted = load_file(work / "codec.safetensors")
    codebooks, codes, components = fitted["table"].shape
    config = WrenConfig(
        vocabulary=Script.load(work / "tokenizer.json").size, codebooks=codebooks, codes=codes, choices_shown=True
    )
    net, codec = Wren(config), Codec(codebooks, codes, components)
    net.load_state_dict(state["average"])
    codec.load_state_dict(fitted)
    tensors = {**net.state_dict(), **{f"codec.{name}": tensor for name, tensor in codec.state_dict().items()}}
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, target / "model.safetensors")
    shutil.copy(work / "tokenizer.json", target / "tokenizer.json")
    shape = {"codebooks": codec.codebooks, "codes": codec.codes, "components": codec.basis.shape[0]}
    described = {
        "architecture": "wren", "parameters": sum(p.numel() for p in net.parameters()), "steps": state["step"],
        "net": config.to_dict(), "codec": shape,
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    # With its notice.
    shutil.copy(Path(__file__).with_name("lexicon.txt"), target / "words.txt")
    write_voices(target / "voices.json")
    write_manifest(target)


def write_manifest(folder: Path) -> None:
    """SHA-256 and bytes of every file that loading depends on."""
    entries = {}
    # A model of one's own may have no words to look up.
    names = ("config.json", "model.safetensors", "tokenizer.json", "words.txt")
    for name in (name for name in names if (folder / name).exists()):
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
