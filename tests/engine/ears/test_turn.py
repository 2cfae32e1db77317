"""A turn's sound is taken in as it comes, and where in it somebody speaks is found."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.ears.turn import (
    BEFORE,
    BEHIND,
    LEAST,
    LONGEST,
    PAUSE,
    SAME,
    SILENCE,
    STATES_KEPT,
    Draft,
    Speech,
    Turn,
)
from tests.engine.ears.test_transcript import transcript
from tests.engine.ears.tiny import noise, speech


def turn(*chunks: np.ndarray, committed: bool = False) -> Turn:
    made = Turn(committed=committed)
    made.waiting.extend(chunks)
    made.take()
    return made


@given(st.lists(st.integers(0, 3000), max_size=6))
@settings(max_examples=20)
def test_chunks_of_any_size_are_the_whole(sizes: list[int]) -> None:
    samples = noise(1.0, 0.1)
    cut = np.split(samples, np.cumsum(sizes).clip(max=len(samples)))
    parts, whole = turn(*cut, committed=True), turn(samples, committed=True)
    assert parts.mel.number == whole.mel.number
    torch.testing.assert_close(parts.mel.powers(), whole.mel.powers(), atol=1e-4, rtol=1e-4)


def test_where_somebody_speaks_is_found() -> None:
    said = turn(np.concatenate([noise(0.5, 1e-4), speech(1.0, 0.4)]), committed=True).speech()
    assert abs(said.first - 50) <= 3
    assert abs(said.end - 150) <= 3
    assert said.pauses
    assert abs(said.loud - 100) <= 3


def test_a_turn_of_nothing_has_no_speech() -> None:
    assert turn(committed=True).speech().loud == 0
    assert turn(noise(1.0, 1e-4), committed=True).speech().loud == 0


def test_a_window_has_little_of_the_silence_around_what_is_said() -> None:
    made = turn(np.concatenate([noise(2.0, 1e-4), speech(6.0, 2.0)]), committed=True)
    said = made.speech()
    window = made.window(said)
    assert abs(len(window.mel) - (said.end - said.first + BEFORE + BEHIND + SILENCE)) <= 1
    assert window.seconds == (said.end - said.first + BEFORE) / 100


def test_a_short_window_is_filled_with_silence() -> None:
    made = turn(speech(0.4, 0.5), committed=True)
    assert len(made.window(made.speech()).mel) == LEAST


def test_what_a_window_cannot_hold_waits() -> None:
    made = turn(*(noise(1.0, 0.1, n) for n in range(30)))
    assert LONGEST <= made.mel.number < LONGEST + 101
    assert made.waiting


def test_a_draft_holds_as_long_as_nothing_more_is_said() -> None:
    draft = Draft(transcript("Yes."), Speech(10, 60, 50, 90))
    assert draft.holds(Speech(10, 60 + SAME, 50, 190))
    assert not draft.holds(Speech(10, 61 + SAME, 51, 190))
    assert not Speech(10, 60, 50, 59 + PAUSE).pauses


def test_of_a_long_turn_only_the_newest_states_are_kept() -> None:
    made = turn(noise(2.0, 0.1))
    for n in range(STATES_KEPT + 2):
        made.settle(20 * (n + 1), transcript("Yes."))
    assert [len(part.states) for part in made.settled] == [0, 0, *[5] * STATES_KEPT]
    assert made.begin == 20 * (STATES_KEPT + 2)
    assert (made.draft, made.told) == (None, 0)
