"""Words are found where their letters are heard, and cut out there."""

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.letters import labels
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.nets.wren import CTC_LETTERS, MEL_STRIDE, Wren
from realtime_server.training.wren import people
from realtime_server.training.wren.alignment import MOMENT_S, Aligner, letter_moments
from realtime_server.training.wren.dataset import Heard
from realtime_server.training.wren.dialogue import Dialogue, Say
from tests.conftest import tiny_net

SILENCE = 0
LAG = 3
"""Moments by which the letters come late."""


def heard(path: list[int]) -> np.ndarray:
    """[T, labels] log-probabilities of a listener who is nearly sure of this label at each moment."""
    letters = np.full((len(path), len(CTC_LETTERS) + 1), np.log(0.01))
    letters[np.arange(len(path)), path] = np.log(0.7)
    return letters


@given(st.lists(st.tuples(st.integers(1, len(CTC_LETTERS)), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=12))
def test_letters_are_found_where_they_begin(said: list[tuple[int, int, int]]) -> None:
    """Each letter lasts some moments, with silence behind it."""
    path = [SILENCE]
    begins = []
    for label, moments, rest in said:
        begins.append(len(path))
        path += [label] * moments + [SILENCE] * rest
    assert letter_moments(heard(path), [label for label, _, _ in said]) == begins


@given(st.text("ab", min_size=1, max_size=8), st.integers(1, 20))
def test_what_does_not_fit_is_told(text: str, moments: int) -> None:
    needed = len(text) + sum(a == b for a, b in pairwise(text))
    found = letter_moments(heard([SILENCE] * moments), labels(text))
    assert (found is None) == (moments < needed)
    assert found is None or found == sorted(set(found))


class Listener:
    """Hears the letters of one text, LAG moments late: a word is said a letter a moment, with two moments between words."""

    def __init__(self, text: str, script: Script) -> None:
        self.net: Wren = tiny_net(script)
        self.said = [SILENCE] * 2
        self.times = []
        for word in text.split():
            start = len(self.said)
            self.said += labels(word)
            self.times.append((word, start * MOMENT_S, len(self.said) * MOMENT_S))
            self.said += [SILENCE, labels(" ")[0]]
        self.mel = np.zeros((len(self.said) * MEL_STRIDE // 2, 80), np.float32)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.net, name)

    def ctc_logits(self, trunk: torch.Tensor) -> torch.Tensor:
        path = ([SILENCE] * LAG + self.said + [SILENCE] * 99)[: 2 * trunk.shape[1]]
        return torch.from_numpy(heard(path)).float()[None]


@pytest.fixture
def listener(script: Script) -> Listener:
    return Listener("make me a large mocha", script)


def test_the_delay_is_measured(listener: Listener) -> None:
    late = Aligner(listener)  # type: ignore[arg-type]
    text = " ".join(word for word, _, _ in listener.times)
    found = late.times(listener.mel, text)
    assert found is not None
    assert [start for _, start, _ in found] == pytest.approx([start + LAG * MOMENT_S for _, start, _ in listener.times])
    aligner = late.measured([(listener.mel, listener.times)])
    assert (aligner.begins, aligner.ends) == pytest.approx((LAG * MOMENT_S, (LAG - 1) * MOMENT_S))
    assert aligner.times(listener.mel, "MAKE me, a large mocha!") is not None
    assert late.times(listener.mel[:16], text * 9) is None
    assert late.times(listener.mel, "?!") is None


def test_excerpts_are_words_in_a_row(listener: Listener) -> None:
    aligner = Aligner(listener, LAG * MOMENT_S, (LAG - 1) * MOMENT_S)  # type: ignore[arg-type]
    text = " ".join(word for word, _, _ in listener.times)
    recording = Heard(listener.mel, Dialogue("order", text, Say("Yes.")), "people")
    found = people.excerpts([recording], aligner, 60, random.Random(0))
    assert len(found) == 60
    assert {len(e.dialogue.transcript.split()) for e in found} == set(range(1, people.LONGEST_EXCERPT + 1))
    borders = {word: (start, end) for word, start, end in listener.times}
    for excerpt in found:
        words = excerpt.dialogue.transcript.split()
        assert " ".join(words) in text
        length = borders[words[-1]][1] - borders[words[0]][0] + 2 * people.EXCERPT_MARGIN_S
        assert len(excerpt.mel) * 0.01 == pytest.approx(length, abs=0.021)


def test_a_digit_is_taken_alone_as_well(script: Script) -> None:
    listener = Listener("give me eight or two", script)
    aligner = Aligner(listener, LAG * MOMENT_S, (LAG - 1) * MOMENT_S)  # type: ignore[arg-type]
    recording = Heard(listener.mel, Dialogue("reading", "give me eight or two", Say("Yes.")), "reader")
    found = people.excerpts([recording], aligner, 3, random.Random(0))
    assert [e.dialogue.transcript for e in found[3:]] == ["eight", "two"] * people.DIGIT_EXCERPTS
