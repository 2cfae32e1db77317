"""A checkpoint -> the model's folder: half-precision safetensors, config, tokenizer, voices, manifest.

    python -m realtime_server.training.wren.export WORK models/wren [--of MODEL] [--own FOLDER] [--share 0.5]

With `--of`, the voices and words of the model that training began with are kept; `--own` adds a user's. With `--share`, the
weights lie so far on the way from that model's to the trained ones: what was learned for strangers before is forgotten less
(Wortsman et al. 2022, WiSE-FT).
"""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.training.manifest import write_manifest
from realtime_server.training.wren.dataset import history_tokens
from realtime_server.training.wren.own import Own
from realtime_server.training.wren.own import load as load_own
from realtime_server.training.wren.synthesis import WREN_VOICES
from realtime_server.training.wren.train import grown

WOMAN, MAN = 0, 1
VOICES: dict[str, tuple[int, float, float, dict[str, float]]] = {
    "alloy": (WOMAN, 0.85, 0.86, {"hts": 0.4, "kh": 0.6}), "ash": (MAN, 1.13, 1.0, {"rms": 0.25, "awb": 0.75}),
    "ballad": (MAN, 1.3, 1.05, {"rms": 0.5, "awb": 0.5}), "cedar": (MAN, 1.0, 1.02, {"rms": 1.0}),
    "coral": (MAN, 1.5, 1.1, {"rms": 1.0}), "echo": (MAN, 1.0, 1.0, {"rms": 0.5, "ked": 0.5}),
    "marin": (WOMAN, 1.1, 0.88, {"hts": 1.0}), "sage": (WOMAN, 1.15, 0.88, {"hts": 0.5, "kh": 0.5}),
    "shimmer": (MAN, 1.6, 1.12, {"rms": 0.4, "ked": 0.6}), "verse": (MAN, 0.82, 1.02, {"rms": 0.25, "ked": 0.75}),
}  # fmt: skip
"""Speaker, pitch, formants, shares of the decoder's timbres: of 36 such shapes those that a speaker encoder tells apart best,
as long as the judge understands them. The figures are in the model's log."""


def voices_in(model: Path | None) -> dict[str, dict[str, Any]] | None:
    """The shapes of a model's voices by name; None for a thinker alone (`thinker.py`)."""
    path = model / "voices.json" if model else None
    return json.loads(path.read_text()) if path and path.exists() else None


def speaker_rows(model: Path | None, own: Own) -> dict[str, int]:
    """The rows of the voice embedding by name: Wren's two, and a user's voices, behind those that the model has already."""
    rows = {name: n for n, name in enumerate(WREN_VOICES)}
    known: dict[str, int] = {name: voice["speaker"] for name, voice in (voices_in(model) or {}).items()}
    free = max([len(rows), *(row + 1 for row in known.values())])
    for name, _ in own.voices:
        # A line of voices.json that only gives one of Wren's two another shape is no speaker.
        trained = known.get(name, 0) >= len(WREN_VOICES)
        rows[name] = known[name] if trained else free
        free += not trained
    return rows


def voices_of(model: Path | None, speakers: dict[str, int], decoder: bool) -> dict[str, dict[str, Any]]:
    """The model's voices, or where it has none Wren's ten, whose timbres only a decoder has, and each speaker without one under
    its own name."""
    listed = voices_in(model)
    if listed is None:
        listed = {
            name: {"speaker": s, "pitch": p, "formants": f} | ({"timbre": t} if decoder else {})
            for name, (s, p, f, t) in VOICES.items()
        }
    shown = {voice["speaker"] for voice in listed.values()}
    return listed | {name: {"speaker": row} for name, row in speakers.items() if row not in shown}


def write_voices(path: Path, listed: dict[str, dict[str, Any]]) -> None:
    """Unless the model has voices already: its user may have added some."""
    if not path.exists():
        lines = [f'  "{name}": {json.dumps(shape)}' for name, shape in listed.items()]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def export(work: Path, target: Path, of: Path | None = None, own: Own = Own(), share: float = 1.0) -> None:
    target.mkdir(parents=True, exist_ok=True)
    state = torch.load(work / "checkpoint.pt", weights_only=True)
    codec = Codec.of(load_file(work / "codec.safetensors"))
    script = Script.load(work / "tokenizer.json")
    config = WrenConfig(vocabulary=script.size, codebooks=codec.codebooks, codes=codec.codes, choices_shown=True)
    # Until it is measured anew, as that model's.
    policy = json.loads((of / "config.json").read_text()).get("policy", {}) if of else {}
    voices = len(state["average"]["voice.weight"])
    config = replace(config, voices=voices, context_tokens=history_tokens(script))
    net = Wren(config)
    trained = state["average"]
    if of:
        trained = between(grown(load_file(of / "model.safetensors"), net.state_dict()), trained, share)
    net.load_state_dict(trained)
    tensors = {**net.state_dict(), **{f"codec.{name}": tensor for name, tensor in codec.state_dict().items()}}
    decoder, shown = decoder_of(work, of)
    tensors |= decoder
    save_file({name: tensor.half().contiguous() for name, tensor in tensors.items()}, target / "model.safetensors")
    shutil.copy(work / "tokenizer.json", target / "tokenizer.json")
    shape = {"codebooks": codec.codebooks, "codes": codec.codes, "components": codec.basis.shape[0]}
    parameters = sum(p.numel() for p in (*net.parameters(), *decoder.values()))
    described = {
        "architecture": "wren", "parameters": parameters, "steps": state["step"],
        "net": config.to_dict(), "policy": policy, "codec": shape, **({"decoder": shown} if shown else {}),
    }  # fmt: skip
    (target / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    # With its notice.
    known = of / "words.txt" if of else None
    words = (known if known and known.exists() else Path(__file__).with_name("lexicon.txt")).read_text()
    (target / "words.txt").write_text("\n".join([words.rstrip("\n"), *own.words]) + "\n")
    write_voices(target / "voices.json", voices_of(of, json.loads((work / "speakers.json").read_text()), bool(shown)))
    write_manifest(target)


def decoder_of(work: Path, of: Path | None) -> tuple[dict[str, Tensor], dict[str, Any] | None]:
    """The weights and the shape of the decoder that was fitted, or of the one that the model has; nothing where neither is."""
    if (work / "decoder.safetensors").exists():
        fitted = {f"decoder.{name}": tensor for name, tensor in load_file(work / "decoder.safetensors").items()}
        return fitted, json.loads((work / "decoder.json").read_text())
    shown = json.loads((of / "config.json").read_text()).get("decoder") if of else None
    if not of or not shown:
        return {}, None
    known = load_file(of / "model.safetensors").items()
    return {name: tensor for name, tensor in known if name.startswith("decoder.")}, shown


def between(first: dict[str, Tensor], trained: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the way from the first weights to the trained ones; of a shape that the first do not have, the trained."""
    return {
        name: torch.lerp(first[name].float(), tensor, share) if name in first and first[name].shape == tensor.shape else tensor
        for name, tensor in trained.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--of", type=Path, help="a model's folder")
    parser.add_argument("--own", type=Path, help="what a user wants to add: see own.py")
    parser.add_argument("--share", type=float, default=1.0, help="of the way from that model's weights to the trained ones")
    options = parser.parse_args()
    if options.share != 1.0 and not options.of:
        parser.error("--share needs --of, the model that training began with")
    export(options.work, options.target, options.of, load_own(options.own) if options.own else Own(), options.share)


if __name__ == "__main__":
    main()
