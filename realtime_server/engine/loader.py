"""A model's name or folder -> its files, verified -> a model that is ready to run.

Look-up order: the given path, the checkout's `models/`, the models inside the installed package. A folder as the hub has them,
whose `config.json` says `model_type` and no `architecture`, needs no manifest, unless it stands on a shelf.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Protocol

import torch
from safetensors import SafetensorError

from realtime_server.engine import dialects
from realtime_server.engine.contract import Model, ModelError

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parent.parent
SHELVES = (PACKAGE.parent / "models", PACKAGE / "_models")
FAMILIES: Mapping[str, str] = {
    "starling": "realtime_server.engine.families.starling.model:StarlingModel",
    "wren": "realtime_server.engine.families.wren.model:WrenModel",
}
"""What a config names -> the `Family` that can run it, `package.module:Class`, imported when it is asked for."""


class Family(Protocol):
    """The class of a family's models."""

    def load(self, folder: Path, config: dict[str, Any], device: torch.device) -> Model:
        """A class method. What it raises tells that the folder holds no such model; weights are safetensors, never pickles."""
        ...


def find(name: str) -> Path:
    candidates = [Path(name), *(shelf / name for shelf in SHELVES)]
    for folder in candidates:
        if (folder / "config.json").is_file():
            return folder
    known = ", ".join(sorted(available())) or "none"
    raise ModelError(f"There is no model '{name}': no folder of that name has a config.json. Models at hand: {known}.")


def available() -> dict[str, Path]:
    """Every model on the shelves, by name."""
    return {path.parent.name: path.parent for shelf in reversed(SHELVES) for path in shelf.glob("*/config.json")}


def verify(folder: Path) -> None:
    """ModelError when a file is not the one that the manifest names (SHA-256)."""
    manifest = _json_file(folder / "manifest.json")
    if not manifest:
        raise ModelError(f"{folder / 'manifest.json'} names no file.")
    for name, entry in manifest.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing.")
        if not isinstance(entry, dict) or "sha256" not in entry:
            raise ModelError(f"{folder / 'manifest.json'} gives no SHA-256 for {name}.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != entry["sha256"]:
            raise ModelError(f"{path} is not the file of the manifest: its SHA-256 is {digest}.")


def with_ear(model: Model, name: str, device: str = "auto") -> Model:
    """The model, transcribed by the ear that the model of this name has beside it; as it is for ''. Raises ModelError."""
    if not name:
        return model
    from realtime_server.engine.ears.transcriber import TranscribedModel
    from realtime_server.engine.ears.whisper import WhisperEar

    folder = find(name)
    verify(folder)
    if not (folder / "ear.json").is_file():
        raise ModelError(f"--transcriber {name}: {folder} has no ear.json, so it cannot transcribe for another model.")
    try:
        return TranscribedModel(model, WhisperEar.load(folder, choose_device(device)[0]))
    except (OSError, LookupError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        what = " ".join(str(error).split())[:300]
        raise ModelError(f"{folder} holds no ear that can be loaded: {type(error).__name__}: {what}") from None


def _json_file(path: Path) -> dict[str, Any]:
    """ModelError when the file is missing, unreadable or no JSON object."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}.") from None
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise ModelError(f"{path} is no JSON object.")
    return data


def choose_device(wanted: str) -> tuple[torch.device, str]:
    """The device and, for the log, why it is that one."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda: torch finds no CUDA device here.")
    if wanted != "auto":
        return torch.device(wanted), "it was asked for"
    if torch.cuda.is_available():
        return torch.device("cuda"), f"torch finds {torch.cuda.get_device_name()}"
    return torch.device("cpu"), "torch finds no CUDA device"


def load(name: str, device: str = "auto", families: Mapping[str, str] = FAMILIES, thinker: str | None = None) -> Model:
    """`families`: those that may be asked for; who brings one more gives `{**FAMILIES, "name": "package.module:Class"}`.
    `thinker`: a folder or a hub's name, in the place of the thinker that the model's config names.

    Raises ModelError.
    """
    folder = find(name)
    config = _with_thinker(_checked_config(folder), thinker, folder.name)
    said = config.get("architecture") or config.get("model_type")
    family = families.get(said) if isinstance(said, str) else None
    if family is None:
        known = ", ".join(sorted(families))
        raise ModelError(f"{folder}/config.json: the architecture '{said}' is not known. Known are: {known}.")
    where, why = choose_device(device)
    log.info("= %s runs on %s: %s", folder.name, where, why)
    model = _made(family, folder, config, where)
    if model.abilities.schemas not in dialects.JUDGES:
        raise ModelError(
            f"{folder.name} speaks '{model.abilities.schemas}', a dialect of JSON schema that `engine.dialects` lacks."
        )
    return model


def _checked_config(folder: Path) -> dict[str, Any]:
    """Of files that are the manifest's; a foreign folder needs none, but weights that are read and not run."""
    manifest = (folder / "manifest.json").exists()
    if manifest:
        verify(folder)
    config = _json_file(folder / "config.json")
    foreign = "architecture" not in config and "model_type" in config
    if not manifest and (not foreign or folder.resolve().parent in [shelf.resolve() for shelf in SHELVES]):
        verify(folder)
    if foreign and not any(folder.rglob("*.safetensors")):
        raise ModelError(f"{folder} has no weights as *.safetensors; no other kind is read: a pickle runs what stands in it.")
    return config


def _with_thinker(config: dict[str, Any], thinker: str | None, name: str) -> dict[str, Any]:
    if thinker is None:
        return config
    if "thinker" not in config:
        raise ModelError(f"--thinker {thinker}: {name} has no thinker that another could stand in for.")
    return {**config, "thinker": {"from": thinker}}


def _made(family: str, folder: Path, config: dict[str, Any], device: torch.device) -> Model:
    try:
        maker: Family = resolve_name(family)
        return maker.load(folder, config, device)
    except (OSError, ImportError, AttributeError, LookupError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        log.debug("! %s", folder, exc_info=True)
        what = " ".join(str(error).split())[:300]
        raise ModelError(f"{folder} holds no model that can be loaded: {type(error).__name__}: {what}") from None
