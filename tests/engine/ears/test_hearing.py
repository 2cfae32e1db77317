"""A turn is written in its pauses, and its transcript is there when it is complete; what was told is never taken back."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.ears.hearing import Hearing, agreed
from realtime_server.engine.ears.steps import Encode
from realtime_server.engine.ears.transcript import Gate, Transcript
from realtime_server.engine.ears.turn import LEAST, LONGEST, Turn
from realtime_server.engine.runtime.steps import Step
from realtime_server.messages import Samples
from tests.engine.ears.tiny import ear, noise, speech, vocabulary

EAR, WORDS = ear(), vocabulary()
OPEN = Gate(doubt=1e9, doubt_of_word=1e9, compression=1e9)
"""Random weights are sure of nothing."""


class Talk:
    """Somebody talks to a tiny ear, chunk after chunk, and every step is done at once."""

    def __init__(self, live: bool = False, gate: Gate = OPEN) -> None:
        self.turn = Turn(live=live)
        self.told: list[tuple[str, float]] = []
        self.speculated: list[str] = []
        self.steps: list[Step] = []
        self.heard: Transcript | None = None
        self._body = Hearing(self.turn, EAR, self._speculate, lambda *words: self.told.append(words), gate).hear()
        self._go_on(next(self._body))

    def say(self, samples: Samples, chunk: int = 1200) -> None:
        for start in range(0, len(samples), chunk):
            self.turn.waiting.append(samples[start : start + chunk])
            self._go_on(None)

    def commit(self) -> Transcript:
        self.turn.committed = True
        self._go_on(None)
        assert self.heard is not None
        return self.heard

    def close(self) -> None:
        self._body.close()

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.told)

    def _speculate(self, said: Transcript) -> Iterator[None]:  # type: ignore[override]
        self.speculated.append(said.text)
        yield None

    def _go_on(self, step: Step | None) -> None:
        """Until it waits for something."""
        try:
            step = self._body.send(None) if step is None else step
            while step is not None:
                self.steps.append(step)
                (answer,) = EAR.run([step])  # type: ignore[list-item]
                step = self._body.send(answer)
        except StopIteration as end:
            self.heard = end.value


def test_behind_a_pause_the_transcript_is_there_at_once() -> None:
    talk = Talk()
    talk.say(speech(1.0, 0.5))
    steps = len(talk.steps)
    assert steps > 1
    said = talk.commit()
    assert len(talk.steps) == steps
    assert talk.speculated == [said.text]
    assert said.text


def test_what_is_said_behind_a_pause_is_heard_with_what_was_before() -> None:
    talk = Talk()
    for part in (speech(1.0, 0.5), speech(6.0, 0.5, seed=9)):
        talk.say(part)
    said = talk.commit()
    first, both = [len(step.mel) for step in talk.steps if isinstance(step, Encode)]
    assert first == LEAST < both
    assert len(said.states) == both // 2


def test_without_a_pause_it_is_written_once_it_is_complete() -> None:
    talk = Talk()
    talk.say(speech(0.3, 0.1, 0.3))
    assert not talk.steps
    assert talk.commit().text
    assert talk.steps


@pytest.mark.parametrize("samples", [noise(0.0, 0.0), noise(1.0, 1e-4), noise(2.0, 0.1)], ids=["none", "quiet", "even noise"])
def test_what_is_no_speech_costs_nothing(samples: Samples) -> None:
    talk = Talk(live=True)
    talk.say(samples)
    assert talk.commit().text == talk.text == ""
    assert not talk.steps


def test_a_gate_that_is_shut_leaves_no_text() -> None:
    talk = Talk(live=True, gate=Gate(doubt=0.0, doubt_of_word=0.0))
    talk.say(speech(1.5, 0.5))
    said = talk.commit()
    assert (said.text, said.tokens, talk.told) == ("", (), [])
    assert len(said.likely) == len(said.probabilities) == 0


@given(st.lists(st.floats(0.1, 1.5), min_size=1, max_size=4), st.integers(400, 30_000), st.integers(0, 3))
@settings(max_examples=15)
def test_live_words_are_never_taken_back(seconds: list[float], chunk: int, seed: int) -> None:
    talk = Talk(live=True)
    talk.say(speech(*seconds, seed=seed), chunk)
    before = talk.text
    said = talk.commit()
    assert talk.text.startswith(before)
    assert talk.text.strip() == said.text
    assert sum(logprob for _, logprob in talk.told) == pytest.approx(sum(said.logprobs), abs=1e-3)


@pytest.mark.parametrize("live", [False, True])
def test_a_long_turn_is_written_piece_by_piece(live: bool) -> None:
    talk = Talk(live=live)
    talk.say(np.concatenate([speech(2.0, 0.3, seed=n) for n in range(25)]), chunk=48_000)
    said = talk.commit()
    assert len(talk.turn.settled) >= 2
    assert all(len(step.mel) <= LONGEST + 300 for step in talk.steps if isinstance(step, Encode))
    assert (
        len(said.tokens)
        == len(said.logprobs)
        == len(said.likely)
        == sum(len(part.tokens) for part in [*talk.turn.settled, *([talk.turn.draft.transcript] if talk.turn.draft else [])])
    )
    assert not live or talk.text.strip() == said.text


def test_a_turn_that_is_dropped_gives_its_slot_back() -> None:
    used = EAR.slots.in_use
    talk = Talk()
    assert EAR.slots.in_use == used + 1
    talk.close()
    assert EAR.slots.in_use == used


def test_drafts_agree_up_to_the_last_word_that_another_follows() -> None:
    said = [tuple(WORDS.encode(text)) for text in (" one two thr", " one two three four", " on", "")]
    assert agreed(WORDS, said[0], said[1]) == len(" one two")
    assert agreed(WORDS, said[0], said[2]) == 0
    assert agreed(WORDS, said[3], said[1]) == 0
