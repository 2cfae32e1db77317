"""Names, folders, hashes, devices: what is wrong is said."""

import json
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
import torch

from realtime_server.engine import loader
from realtime_server.engine.contract import ModelError
from realtime_server.engine.ears.transcriber import TranscribedModel
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.nets.int8 import Int8Linear
from realtime_server.messages import Abilities
from realtime_server.training.manifest import write_manifest
from tests.engine.ears.test_transcriber import Parrot
from tests.engine.ears.tiny import net, write_ear


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "unheard of"}))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "tokenizer.json").write_text("{}")
    write_manifest(tmp_path)
    return tmp_path


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ModelError, match=r"no model 'nightingale'.*wren"):
        loader.find("nightingale")


def test_a_changed_file_is_refused(folder: Path) -> None:
    loader.verify(folder)
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelError, match="SHA-256"):
        loader.load(str(folder))


def test_an_unknown_architecture_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="unheard of"):
        loader.load(str(folder))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_cuda_without_a_device_is_refused() -> None:
    with pytest.raises(ModelError, match="cuda"):
        loader.choose_device("cuda")


def test_an_automatic_choice_has_a_reason() -> None:
    device, why = loader.choose_device("auto")
    assert device.type in ("cpu", "cuda")
    assert why


def test_the_shipped_model_loads_and_fits_its_card() -> None:
    model = loader.load("wren", "cpu")
    assert isinstance(model, WrenModel)
    described = json.loads((loader.find("wren") / "config.json").read_text())
    assert model.runner.speaker.decoder is not None
    parts = (model.runner.net, model.runner.speaker.decoder)
    assert described["parameters"] == sum(p.numel() for part in parts for p in part.parameters())
    evaluation = json.loads((loader.find("wren") / "eval.json").read_text())
    card = (loader.find("wren") / "README.md").read_text()
    for measure in evaluation["measures"].values():
        assert str(measure["value"]) in card
    assert (loader.find("wren") / "model.safetensors").stat().st_size < 60_000_000


@pytest.mark.parametrize(("file", "text", "message"), [
    ("manifest.json", None, "manifest.json: No such file"), ("manifest.json", "", "manifest.json is not valid JSON"),
    ("manifest.json", "{}", "names no file"), ("manifest.json", "[]", "no JSON object"), ("manifest.json", '{"config.json": 5}', "no SHA-256 for config.json"),
    ("config.json", "", "is not the file of the manifest"),
])  # fmt: skip
def test_a_folder_that_is_damaged_says_where(folder: Path, file: str, text: str | None, message: str) -> None:
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    with pytest.raises(ModelError, match=message):
        loader.load(str(folder), "cpu")


@pytest.mark.parametrize(("config", "message"), [
    ("", "config.json is not valid JSON"), ("7", "no JSON object"), ("{}", "architecture 'None'"), ('{"architecture": []}', "architecture"),
    ('{"architecture": "wren"}', "no model that can be loaded"),
])  # fmt: skip
def test_a_config_that_is_none_is_said(folder: Path, config: str, message: str) -> None:
    (folder / "config.json").write_text(config)
    write_manifest(folder)
    with pytest.raises(ModelError, match=message) as caught:
        loader.load(str(folder), "cpu")
    assert "\n" not in str(caught.value)


class Deaf:
    """A family's model that loads, and no more."""

    name = "deaf"

    def __init__(self, folder: Path, config: dict[str, Any], device: torch.device) -> None:
        self.folder, self.config, self.device = folder, config, device
        self.abilities = Abilities(schemas=config.get("dialect", "json"))

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: torch.device) -> "Deaf":
        return cls(folder, config, device)


FAMILIES = {"deaf": f"{__name__}:Deaf", "torn": f"{__name__}:Gone", "leans": "package_that_is_not_there:Model"}


def foreign(folder: Path, weights: str = "model.safetensors", **config: object) -> Path:
    """As the hub has them."""
    (folder / "config.json").write_text(json.dumps(config))
    (folder / weights).write_bytes(b"weights")
    return folder


def test_every_family_of_ours_is_there() -> None:
    assert all(callable(resolve_name(family).load) for family in loader.FAMILIES.values())


def test_a_foreign_folder_needs_no_manifest(tmp_path: Path) -> None:
    folder = foreign(tmp_path, model_type="deaf", architectures=["DeafForCausalLM"])
    model = loader.load(str(folder), "cpu", FAMILIES)
    assert isinstance(model, Deaf)
    assert (model.folder, model.config["model_type"], model.device) == (folder, "deaf", torch.device("cpu"))


def test_a_manifest_that_is_there_is_held_to(tmp_path: Path) -> None:
    folder = foreign(tmp_path, model_type="deaf")
    (folder / "manifest.json").write_text(json.dumps({"model.safetensors": {"sha256": "another"}}))
    with pytest.raises(ModelError, match="SHA-256"):
        loader.load(str(folder), "cpu", FAMILIES)


def test_our_own_models_need_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that name an architecture wherever they are, and all that stand on a shelf."""
    with pytest.raises(ModelError, match=r"manifest\.json: No such file"):
        loader.load(str(foreign(tmp_path, architecture="deaf")), "cpu", FAMILIES)
    monkeypatch.setattr(loader, "SHELVES", (tmp_path.parent,))
    with pytest.raises(ModelError, match=r"manifest\.json: No such file"):
        loader.load(str(foreign(tmp_path, model_type="deaf")), "cpu", FAMILIES)


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.pt"])
def test_pickles_are_not_read(tmp_path: Path, weights: str) -> None:
    with pytest.raises(ModelError, match=r"no weights as \*\.safetensors"):
        loader.load(str(foreign(tmp_path, weights, model_type="deaf")), "cpu", FAMILIES)


@pytest.mark.parametrize(("config", "message"), [
    ({"model_type": "deaf", "dialect": "esperanto"}, "'esperanto', a dialect"), ({"model_type": "bert"}, "architecture 'bert' is not known. Known are: deaf"),
    ({"model_type": "torn"}, "AttributeError.*Gone"), ({"model_type": "leans"}, "package_that_is_not_there"), ({"model_type": ["deaf"]}, "not known"),
    ({}, "manifest.json: No such file"),
])  # fmt: skip
def test_what_cannot_be_run_is_said_when_it_is_loaded(tmp_path: Path, config: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        loader.load(str(foreign(tmp_path, **config)), "cpu", FAMILIES)


def test_a_transcriber_needs_an_ear(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"no ear\.json"):
        loader.with_ear(Parrot(), str(folder), "cpu")
    (folder / "ear.json").write_text("{}")
    with pytest.raises(ModelError, match="no ear that can be loaded"):
        loader.with_ear(Parrot(), str(folder), "cpu")


def test_a_model_may_be_transcribed_by_another_ear(folder: Path) -> None:
    write_ear(folder, net(Int8Linear))
    model = loader.with_ear(Parrot(), str(folder), "cpu")
    assert isinstance(model, TranscribedModel)
    assert model.name == "parrot"
    assert loader.with_ear(model, "", "cpu") is model
