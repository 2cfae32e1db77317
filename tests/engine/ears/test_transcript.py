"""What repeats itself is cut, noise is told from short words, and a part of a transcript is a transcript."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.ears.transcript import SENTENCE, Gate, Transcript, compression, unlooped

GATE = Gate()


def transcript(text: str, no_speech: float = 0.0, logprob: float = -0.1) -> Transcript:
    tokens = tuple(range(len(text)))
    return Transcript(
        text,
        tokens,
        (logprob,) * len(text),
        torch.zeros(len(text), 4),
        torch.full((len(text), 4), math.exp(logprob)),
        no_speech,
        torch.zeros(5, 8),
    )


@given(
    st.lists(st.integers(0, 3), max_size=12),
    st.lists(st.integers(4, 99), min_size=2, max_size=9, unique=True),
    st.integers(3, 5),
)
def test_of_what_repeats_itself_the_first_is_left(before: list[int], part: list[int], times: int) -> None:
    assert unlooped(before + part * times) == len(before) + len(part)


def test_words_may_be_said_again() -> None:
    assert unlooped([1, 7, 7, 7, 7]) == 5
    assert unlooped([1, 7, 7, 7, 7, 7]) == 2
    assert unlooped([1, 2, 1, 2]) == 4
    assert unlooped([*range(SENTENCE), *range(SENTENCE)]) == SENTENCE
    assert unlooped([]) == 0


def test_long_or_unsure_noise_is_shut_out_and_a_sure_digit_is_not() -> None:
    assert GATE.shuts(transcript("Thank you for watching.", no_speech=0.7, logprob=-1.8), seconds=2.0)
    assert GATE.shuts(transcript("You", no_speech=0.7, logprob=-1.8), seconds=0.3)
    assert not GATE.shuts(transcript("7", no_speech=0.8), seconds=0.4)
    assert not GATE.shuts(transcript("What is the capital of France?", no_speech=0.1, logprob=-0.7), seconds=2.0)


def test_what_repeats_itself_for_long_is_shut_out() -> None:
    assert compression("") == 0.0
    assert not GATE.shuts(transcript("I would like a small latte with a bit of sugar."), 3.0)
    assert GATE.shuts(transcript("la la la " * 12), 3.0)


def test_the_first_tokens_are_a_transcript() -> None:
    first = transcript("abcdef").first(2, "ab")
    assert (first.text, first.tokens, len(first.likely), len(first.probabilities), len(first.states)) == ("ab", (0, 1), 2, 2, 5)
    assert transcript("").logprob == 0.0
