"""Wren's talker, codec, decoder and voices as Starling's.

python -m realtime_server.training.starling.pack_talker models/wren OUT
"""

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.talker import Talker, TalkerConfig


def pack_talker(wren: Path, out: Path) -> None:
    """Writes `talker.safetensors` and `voices.json`, and its parts of `config.json`."""
    config = json.loads((wren / "config.json").read_text())
    fields = TalkerConfig.__dataclass_fields__
    shape = TalkerConfig(**{name: value for name, value in config["net"].items() if name in fields})
    weights = load_file(wren / "model.safetensors")
    parts = {"talker.": Talker(shape), "codec.": Codec(**config["codec"]), "decoder.": Decoder(**config["decoder"])}
    kept = {}
    for prefix, part in parts.items():
        for name in part.state_dict():
            kept[prefix + name] = weights[name if prefix == "talker." else prefix + name].to(torch.float16).contiguous()
    out.mkdir(parents=True, exist_ok=True)
    save_file(kept, out / "talker.safetensors")
    shutil.copy(wren / "voices.json", out / "voices.json")
    path = out / "config.json"
    told = json.loads(path.read_text()) if path.exists() else {"architecture": "starling", "thinker": {"from": "thinker"}}
    told |= {"talker": asdict(shape), "codec": config["codec"], "decoder": config["decoder"]}
    path.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wren", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    pack_talker(options.wren, options.out)
