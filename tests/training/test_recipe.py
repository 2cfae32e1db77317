"""The recipe itself, tiny: from nothing to a model that loads. Needs the synthesisers that it names."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from realtime_server.engine import loader
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.training.wren.people import FOLDS
from realtime_server.training.wren.train import SPEAKING
from tests.conftest import ROOT

PROGRAMS = ("espeak-ng", "flite", "festival")
PACKAGES = ("pyworld", "py_nanotts")


needs_synthesisers = pytest.mark.skipif(
    not (all(map(shutil.which, PROGRAMS)) and all(map(importlib.util.find_spec, PACKAGES))),
    reason=f"needs {', '.join(PROGRAMS)} and the extra 'train'",
)


def follow_the_recipe(work: Path, *options: str | Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"TINY": "1", "PYTHONPATH": str(ROOT), "PATH": path}
    subprocess.run([ROOT / "models/wren/recipe.sh", work, *options], check=True, env=environment, cwd=ROOT, timeout=580)


def parts_changed(model: Path) -> set[str]:
    """The parts of the network whose weights are not those of the shipped model."""
    before, after = (load_file(folder / "model.safetensors") for folder in (ROOT / "models/wren", model))
    return {name.split(".")[0] for name, tensor in after.items() if not before[name].equal(tensor)}


@pytest.mark.timeout(600)
@needs_synthesisers
def test_the_recipe_runs(tmp_path: Path) -> None:
    follow_the_recipe(tmp_path / "work", "--out", tmp_path / "model")
    assert isinstance(loader.load(str(tmp_path / "model"), "cpu"), WrenModel)


@pytest.mark.timeout(600)
@needs_synthesisers
def test_the_recipe_adds_a_voice_a_sentence_and_a_word(tmp_path: Path) -> None:
    voice = tmp_path / "own" / "voices" / "anna"
    voice.mkdir(parents=True)
    texts = {f"{n}.wav": text for n, text in enumerate(("Hello there.", "I have 2 cats, and you?", "Paris!", "Good evening."))}
    for name, text in texts.items():
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", voice / name], check=True)
    (voice / "transcripts.json").write_text(json.dumps(texts))
    (tmp_path / "own" / "sentences.tsv").write_text("open the pod bay doors\tI am afraid I can not do that.\n")
    (tmp_path / "own" / "words.txt").write_text("blorf\n")
    follow_the_recipe(tmp_path / "work", "--own", tmp_path / "own", "--out", tmp_path / "model")
    model = loader.load(str(tmp_path / "model"), "cpu")
    assert isinstance(model, WrenModel)
    assert model.voices["anna"].speaker == 2
    assert model.known.like("blorf", 1) == ["blorf"]


@pytest.mark.timeout(600)
@needs_synthesisers
def test_the_recipe_teaches_to_hear_lone_words(tmp_path: Path) -> None:
    follow_the_recipe(tmp_path / "work", "--words", "--out", tmp_path / "model")
    changed = parts_changed(tmp_path / "model")
    assert "ear" in changed
    assert not changed & SPEAKING


@pytest.mark.timeout(600)
@needs_synthesisers
def test_the_recipe_teaches_to_speak_alone(tmp_path: Path) -> None:
    follow_the_recipe(tmp_path / "work", "--speech", "--out", tmp_path / "model")
    assert parts_changed(tmp_path / "model") == SPEAKING
    configs = [json.loads((folder / "config.json").read_text())["net"] for folder in (ROOT / "models/wren", tmp_path / "model")]
    assert configs[0] == configs[1]


@pytest.mark.timeout(600)
@needs_synthesisers
def test_the_recipe_leaves_speakers_out(tmp_path: Path) -> None:
    people, folds = tmp_path / "people", tmp_path / "folds"
    people.mkdir()
    labels = {}
    for voice in ("slt", "rms", "awb", "kal"):
        labels[f"{voice}.wav"] = {"slots": {"coffeeDrink": "latte", "size": "large"}}
        subprocess.run(["flite", "-voice", voice, "-t", "Can I get a large latte?", "-o", people / f"{voice}.wav"], check=True)
    (people / "labels.json").write_text(json.dumps(labels))
    # All but the last are there already.
    for fold in range(FOLDS - 1):
        (folds / str(fold)).mkdir(parents=True)
    follow_the_recipe(tmp_path / "work", "--folds", folds, "--people", people, "--start", ROOT / "models/wren/base")
    assert isinstance(loader.load(str(folds / str(FOLDS - 1)), "cpu"), WrenModel)
    assert not (tmp_path / "work" / "checkpoint.pt").exists()
