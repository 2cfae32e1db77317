"""What is written is the same beside others and with any draft; what was told stays; nothing is left in the slot."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.transcribing import TOKENS_MORE, TOKENS_PER_S, Window, transcribe
from realtime_server.engine.ears.transcript import LIKELY, Transcript
from realtime_server.engine.runtime.steps import Stream
from tests.engine.ears.driving import alone, together
from tests.engine.ears.tiny import ear, vocabulary

EAR, WORDS = ear(), vocabulary()


def mel(seed: int, frames: int = 40) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randn(frames, 80)


def written(window: Window) -> Transcript:
    stream = Stream(EAR.slots.take(), [])
    said: Transcript = alone(transcribe(window, stream, WORDS), EAR)
    assert stream.ids == []
    EAR.slots.give_back(stream.slot)
    return said


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(5, 20)), min_size=1, max_size=4))
@settings(max_examples=20)
def test_beside_others_the_same_is_written(windows: list[tuple[int, int]]) -> None:
    made = [Window(mel(seed, 2 * length), 1.0) for seed, length in windows]
    bodies = [transcribe(window, Stream(EAR.slots.take(), []), WORDS) for window in made]
    for said, window in zip(together(bodies, EAR), made, strict=True):
        by_itself = written(window)
        assert said.tokens == by_itself.tokens
        assert said.logprobs == pytest.approx(by_itself.logprobs, abs=1e-3)


@given(st.integers(0, 9), st.integers(0, 12), st.lists(st.integers(0, 255), max_size=4))
@settings(max_examples=30)
def test_a_draft_changes_nothing_but_the_number_of_steps(seed: int, kept: int, wrong: list[int]) -> None:
    plain = written(Window(mel(seed), 1.0))
    drafted = written(Window(mel(seed), 1.0, draft=(*plain.tokens[:kept], *wrong)))
    assert drafted.tokens == plain.tokens
    assert drafted.logprobs == pytest.approx(plain.logprobs, abs=1e-3)


@given(st.integers(0, 9), st.lists(st.integers(0, 255), min_size=1, max_size=5, unique=True))
@settings(max_examples=20)
def test_what_was_told_stays(seed: int, told: list[int]) -> None:
    said = written(Window(mel(seed), 2.0, draft=tuple(told), told=len(told)))
    assert list(said.tokens[: len(told)]) == told


@given(st.integers(0, 9))
@settings(max_examples=10)
def test_a_transcript_tells_what_else_was_likely(seed: int) -> None:
    said = written(Window(mel(seed), 1.0))
    number = len(said.tokens)
    assert number <= TOKENS_MORE + TOKENS_PER_S
    assert said.likely.shape == said.probabilities.shape == (number, LIKELY)
    assert said.states.shape == (20, 32)
    assert said.text == WORDS.text(said.tokens).strip()
    for token, logprob, likely, probabilities in zip(said.tokens, said.logprobs, said.likely, said.probabilities, strict=True):
        assert token in WORDS.open.nonzero()
        places = (likely == token).nonzero().flatten().tolist()
        assert all(float(probabilities[place].log()) == pytest.approx(logprob, abs=1e-4) for place in places)


class Dictation:
    """An ear that hears a script: what it says follows, one likely token after the other."""

    def __init__(self, script: list[int], no_speech: float = 0.1) -> None:
        self.script, self.no_speech = script, no_speech
        self.steps: list[list[int]] = []

    def answer(self, step: Predict) -> torch.Tensor:
        """Behind what stands in the stream, whatever that is, the script goes on; in the prompt nothing is said."""
        self.steps.append(step.ids)
        step.stream.ids += step.ids
        behind = torch.full((len(step.ids), WORDS.size), -20.0)
        behind[:, WORDS.no_speech] = torch.tensor(self.no_speech).log()
        for n in range(len(step.ids)):
            at = len(step.stream.ids) - len(step.ids) + n - 3
            if at >= 0:
                behind[n, self.script[at] if at < len(self.script) else WORDS.end] = -0.1
        return behind

    def hear(self, window: Window) -> Transcript:
        body = transcribe(window, Stream(0, []), WORDS)
        next(body)
        (sound,) = EAR.run([Encode(window.mel)])
        step = body.send(sound)
        while True:
            try:
                step = body.send(self.answer(step))
            except StopIteration as end:
                said: Transcript = end.value
                return said


def at(seconds: float) -> int:
    return WORDS.first_timestamp + round(seconds / 0.02)


def script(*parts: str | float) -> list[int]:
    """Text, and timestamps, which open the next sentence as they close one."""
    ids: list[int] = []
    for part in parts:
        ids += WORDS.encode(part) if isinstance(part, str) else [at(part), at(part)]
    return ids


def test_the_text_ends_where_a_timestamp_closes_what_was_said() -> None:
    said = Dictation(script(" One two.", 1.0, " Thank you for watching.")).hear(Window(mel(0), 1.2))
    assert said.text == "One two."
    assert [s.tokens for s in said.sentences] == [9]
    assert said.sentences[0].seconds == pytest.approx(1.0)


def test_where_more_was_said_behind_it_another_sentence_follows() -> None:
    said = Dictation(script(" One two.", 1.0, " Three.", 2.0, " Thank you.")).hear(Window(mel(0), 2.1))
    assert said.text == "One two. Three."
    assert [s.tokens for s in said.sentences] == [9, 16]


def test_what_repeats_itself_is_written_once() -> None:
    assert Dictation(script(" I like tea." * 20)).hear(Window(mel(0), 20.0)).text == "I like tea."


def test_nobody_says_so_many_tokens_in_a_second() -> None:
    letters = "".join(chr(97 + n * n % 26) + chr(97 + n % 26) for n in range(40))
    assert len(Dictation(script(letters)).hear(Window(mel(0), 1.0)).tokens) == TOKENS_MORE + TOKENS_PER_S


def test_a_keyword_that_is_likely_enough_is_written() -> None:
    """Everything that is not in the script is 20 nats less likely, and so no keyword."""
    keywords = Keywords.of(["tea", "coffee"], WORDS)
    heard = Dictation(script(" I like tea.", 1.0))
    assert heard.hear(Window(mel(0), 1.0, keywords=keywords)).text == "I like tea."
    assert WORDS.encode(" tea") in heard.steps
    assert WORDS.encode(" coffee") not in [ids for ids in heard.steps if len(ids) == 1]


def test_no_speech_is_told() -> None:
    assert Dictation(script(" You", 1.0), no_speech=0.8).hear(Window(mel(0), 1.0)).no_speech == pytest.approx(0.8)
