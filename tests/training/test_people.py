"""Recordings of people: which of them are left out of training."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

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


def drinks(folder: Path, held_out: bool, fold: int | None) -> set[str]:
    return {slots["coffeeDrink"] for _, slots in people.recordings(folder, held_out, fold)}


def test_each_recording_is_left_out_of_one_fold_and_trained_on_in_the_others(folder: Path) -> None:
    every = {f"drink {n}" for n in range(NUMBER)}
    left_out = [drinks(folder, True, fold) for fold in range(people.FOLDS)]
    assert set().union(*left_out) == every
    assert sum(map(len, left_out)) == NUMBER
    for fold, unknown in enumerate(left_out):
        assert drinks(folder, False, fold) == every - unknown


def test_without_a_fold_every_fifth_recording_is_left_out(folder: Path) -> None:
    assert drinks(folder, True, None) == {f"drink {n}" for n in range(0, NUMBER, people.FOLDS)}
    assert drinks(folder, False, None) == {f"drink {n}" for n in range(NUMBER) if n % people.FOLDS}


LINES = [line.split() for line in people.SPEAKERS.read_text().splitlines() if not line.startswith("#")]
NAMES = [f"{name}-a.flac" for line in LINES for name in line]


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.from_regex(r"[0-9a-f]{12}\.flac", fullmatch=True), max_size=20))
def test_nobody_speaks_in_two_folds(known: set[str], unknown: set[str]) -> None:
    folds = [people.left_out(known | unknown, fold) for fold in range(people.FOLDS)]
    assert sum(map(len, folds)) == len(set().union(*folds)) == len(known | unknown)
    for line in LINES:
        assert sum(any(name[:8] in line for name in fold) for fold in folds) <= 1


def test_folds_are_alike_in_size() -> None:
    sizes = [len(people.left_out(NAMES, fold)) for fold in range(people.FOLDS)]
    assert max(sizes) - min(sizes) <= 1


def test_what_is_there_twice_is_taken_once(folder: Path) -> None:
    (folder / "00.flac").rename(folder / "3dd7fde3-0.flac")
    labels = (folder / "labels.json").read_text().replace("00.flac", "3dd7fde3-0.flac")
    (folder / "labels.json").write_text(labels)
    assert "drink 0" not in drinks(folder, True, None) | drinks(folder, False, None)
