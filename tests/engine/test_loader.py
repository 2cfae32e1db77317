"""Names, folders, hashes, devices: what is wrong is said."""

import json
from pathlib import Path

import pytest
import torch

from realtime_server.engine import loader
from realtime_server.engine.contract import ModelError
from realtime_server.engine.ears.transcriber import TranscribedModel
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.nets.int8 import Int8Linear
from realtime_server.training.wren.export import write_manifest
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
    assert model.runner.decoder is not None
    parts = (model.runner.net, model.runner.decoder)
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
