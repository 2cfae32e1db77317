"""The shipped Starling: its files are those of its manifest, its ear hears, and without a thinker it says what is missing."""

import hashlib
import json

import pytest
import torch

from realtime_server.engine import loader
from realtime_server.engine.contract import ModelError
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.training.starling.measures.hearing import listen, read
from realtime_server.training.starling.measures.word_errors import words
from tests.conftest import ROOT

FOLDER = ROOT / "models" / "starling"
RECORDINGS = ROOT / "tests" / "recordings"
SAID = {
    "capital-of-japan": "what is the capital of japan",
    "three-plus-four": "what is three plus four",
    "your-name": "what is your name",
}
"""A recording -> what is said in it."""


def test_files_are_those_of_the_manifest_and_small_enough() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    for name, entry in manifest.items():
        data = (FOLDER / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}, name
    weights = list(FOLDER.rglob("*.safetensors"))
    assert {str(path.relative_to(FOLDER)) for path in weights} <= manifest.keys()
    assert all(path.stat().st_size < 95_000_000 for path in weights)


def test_the_card_is_short_and_names_the_licence_of_every_part() -> None:
    assert len((FOLDER / "README.md").read_text()) <= 8192
    licences = (FOLDER / "LICENSES.md").read_text()
    for part in ("openai/whisper-base", "models/wren"):
        assert part in licences


@pytest.mark.starling
def test_its_ear_writes_what_is_said() -> None:
    ear = WhisperEar.load(FOLDER, torch.device("cpu"))
    heard = {name: listen(ear, read(RECORDINGS / f"{name}.flac")).said.text for name in SAID}
    assert {name: words(text) for name, text in heard.items()} == {name: words(text) for name, text in SAID.items()}


def test_without_a_thinker_it_says_what_is_missing() -> None:
    with pytest.raises(ModelError, match="no thinker of its own: name one with --thinker"):
        loader.load("starling", "cpu")
