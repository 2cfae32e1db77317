"""What an ear has written, and how far it can be believed."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

LIKELY = 16
"""Tokens at each place whose probabilities are kept."""
UNSURE = 0.25
"""Doubt for each nat that a token was unlikely by."""


@dataclass(frozen=True)
class Sentence:
    """Where one is closed: behind so many tokens, so many seconds from the window's start."""

    tokens: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Transcript:
    """What was said in a window of sound.

    text: without marks. tokens, logprobs: of the text alone. likely, probabilities: [n, LIKELY] at each token's place the
    likeliest of the ear's vocabulary, of which expected embeddings are made. no_speech: probability. states: [S, width] of the
    encoder.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    likely: Tensor
    probabilities: Tensor
    no_speech: float
    states: Tensor
    sentences: tuple[Sentence, ...] = ()

    def first(self, tokens: int, text: str) -> "Transcript":
        """Only so many of its tokens, which are this text; the states stay, which are of the whole window."""
        return replace(
            self, text=text, tokens=self.tokens[:tokens], logprobs=self.logprobs[:tokens], likely=self.likely[:tokens],
            probabilities=self.probabilities[:tokens],
        )  # fmt: skip

    @property
    def logprob(self) -> float:
        """Of a token, on average; 0 of none."""
        return sum(self.logprobs) / max(1, len(self.logprobs))

    @property
    def doubt(self) -> float:
        """Whether anything was said: sentences raise 0.5 at most, what the ear makes of noise 1 and more.

        What it was most sure of counts, also where a keyword or what was told stands instead.
        """
        surest = float(self.probabilities[:, 0].log().mean()) if self.tokens else 0.0
        return self.no_speech - UNSURE * surest


@dataclass(frozen=True)
class Gate:
    """When what was written is noise: `doubt` is the probability of no speech, and more the less sure the text is.

    A word by itself often seems to be no speech: one of so few `tokens`, loud for `seconds` at most, may raise more doubt.
    """

    doubt: float = 0.75
    doubt_of_word: float = 1.0
    tokens: int = 4
    seconds: float = 1.0
    compression: float = 2.4

    def shuts(self, heard: Transcript, seconds: float) -> bool:
        """`seconds`: of sound that was not quiet."""
        word = len(heard.tokens) <= self.tokens and seconds <= self.seconds
        most = self.doubt_of_word if word else self.doubt
        return heard.doubt >= most or compression(heard.text) > self.compression


def compression(text: str) -> float:
    """How many times shorter zlib makes it: what repeats itself for long is no speech."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def unlooped(tokens: Sequence[int], times: int = 3) -> int:
    """How many of the tokens stand before the end repeats itself: all, or with the first of `times` and more equal parts.

    A single token may stand five times: numbers are said so. Parts of six tokens and more, a sentence, are a loop when
    they stand twice.
    """
    for length in range(1, len(tokens) // 2 + 1):
        least = times + 2 if length == 1 else 2 if length >= SENTENCE else times
        part = list(tokens[len(tokens) - length :])
        number = 1
        while list(tokens[len(tokens) - length * (number + 1) : len(tokens) - length * number]) == part:
            number += 1
        if number >= least:
            return len(tokens) - length * (number - 1)
    return len(tokens)


SENTENCE = 6
