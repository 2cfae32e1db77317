"""Recordings of people: which of them are left out of training."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime_server.training.wren import people

NUMBER = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0)
    for n in range(NUMBER):
        soundfile.write(tmp_path / f"{n:02d}.flac", noise.normal(0, 0.1, 8_000), 16_000)
    labels = {f"{n:02d}.flac": {"slots": {"coffeeDrink": f"drink {n}"}} for n in reversed(range(NUMBER))}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    return tmp_path


def drinks(folder: Path, held_out: bool, fold: int) -> set[str]:
    return {slots["coffeeDrink"] for _, slots in people.recordings(folder, held_out, fold)}


def test_each_recording_is_left_out_of_one_fold_and_trained_on_in_the_others(folder: Path) -> None:
    every = {f"drink {n}" for n in range(NUMBER)}
    left_out = [drinks(folder, True, fold) for fold in range(people.FOLDS)]
    assert set().union(*left_out) == every
    assert sum(map(len, left_out)) == NUMBER
    for fold, unknown in enumerate(left_out):
        assert drinks(folder, False, fold) == every - unknown
