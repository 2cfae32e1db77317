"""A model's name or folder -> its files, verified -> a model that is ready to run.

Look-up order: the given path, the checkout's `models/`, the models inside the installed package.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path

import torch

from realtime_server.engine.contract import Model, ModelError

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).resolve().parent.parent
SHELVES = (PACKAGE.parent / "models", PACKAGE / "_models")


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
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest.items():
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{path} is missing.")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != entry["sha256"]:
            raise ModelError(f"{path} is not the file of the manifest: its SHA-256 is {digest}.")


def choose_device(wanted: str) -> tuple[torch.device, str]:
    """The device and, for the log, why it is that one."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device cuda: torch finds no CUDA device here.")
    if wanted != "auto":
        return torch.device(wanted), "it was asked for"
    if torch.cuda.is_available():
        return torch.device("cuda"), f"torch finds {torch.cuda.get_device_name()}"
    return torch.device("cpu"), "torch finds no CUDA device"


def load(name: str, device: str = "auto") -> Model:
    folder = find(name)
    verify(folder)
    config = json.loads((folder / "config.json").read_text())
    makers = architectures()
    if config.get("architecture") not in makers:
        raise ModelError(f"{folder}/config.json: the architecture '{config.get('architecture')}' is not known.")
    where, why = choose_device(device)
    log.info("= %s runs on %s: %s", folder.name, where, why)
    return makers[config["architecture"]](folder, config, where)


def architectures() -> dict[str, Callable[[Path, dict[str, object], torch.device], Model]]:
    from realtime_server.engine.wren.model import WrenModel

    return {"wren": WrenModel.load}
