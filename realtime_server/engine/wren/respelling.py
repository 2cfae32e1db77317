"""Doubtful words of a transcript, looked up: among the words of the language and of the context, which one was heard?

A word that training never had is written as one that it had, or as it sounds. Its letters (CTC) are a guess at the sound, so
the words that look like them are tried in its place, and the one that makes the whole utterance likeliest is taken.
"""

import math
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.engine.nets.wren import CTC_LETTERS
from realtime_server.engine.wren.letters import MOST_CELLS, cells, log_likelihoods
from realtime_server.engine.wren.words import plain

SURE = 0.5
"""The probability of a written word from which on it is left alone."""
TRIED, RETRIED = 400, 24
"""Words that are tried where the word was heard, and those of them that are tried in the whole."""
MOST_DOUBTFUL = 4
LETTERS_WEIGHT = 0.3
BROUGHT_UP, UNUSUAL = 1.0, 2.0
"""Nats that speak against a word that the conversation has brought up, and against any other, since the model wrote neither."""
_ALIKE = ("aeiouyhw", "bp", "dt", "fv", "gkcqx", "szj", "l", "r", "mn", "'")
"""Letters that are mistaken for one another."""
_SOUND_OF = {letter: n + 1 for n, group in enumerate(_ALIKE) for letter in group}


def heard_letters(letters: Tensor) -> tuple[str, list[int]]:
    """[T, labels] -> the likeliest letter of each moment, repetitions and blanks left out, and the moments."""
    moments = [next(group) for _, group in groupby(enumerate(letters.argmax(-1).tolist()), key=lambda moment: moment[1])]
    return "".join(CTC_LETTERS[label - 1] for _, label in moments if label), [at for at, label in moments if label]


def shape(word: str) -> NDArray[np.float32]:
    """Which letters a word has, and which pairs of neighbouring sounds: a vector of length 1."""
    letters, pairs = np.zeros(len(CTC_LETTERS), np.float32), np.zeros((len(_ALIKE) + 1,) * 2, np.float32)
    for letter in word:
        letters[CTC_LETTERS.index(letter)] += 0.5
    for first, second in pairwise([0, *(_SOUND_OF.get(letter, 0) for letter in word), 0]):
        pairs[first, second] += 1
    vector = np.concatenate([letters, pairs.ravel()])
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class WordList:
    """Words that can be looked up by what they look like."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(dict.fromkeys(words))
        self._shapes = np.stack([shape(word) for word in ("", *self._words)])[1:]

    @classmethod
    def read(cls, path: Path) -> "WordList":
        """Words between white space; lines that begin with # are left out. Without the file, none."""
        lines = path.read_text().splitlines() if path.exists() else []
        return cls(word for line in lines if not line.startswith("#") for word in plain(line).split())

    def like(self, heard: str, number: int) -> list[str]:
        """The `number` words that are most like these letters."""
        likeness = self._shapes @ shape(heard)
        return [self._words[n] for n in np.argsort(-likeness)[:number]]


def respelled(letters: Tensor, words: list[tuple[str, float]], known: WordList, context: Iterable[str]) -> list[str]:
    """The words of a transcript, each with its log-probability, after the doubtful ones were looked up.

    letters: [T, labels] log-probabilities. `known`: the words of the language; `context`: those of the conversation.
    """
    written = [word for word, _ in words]
    doubtful = [n for n, (_, logprob) in enumerate(words) if logprob < math.log(SURE)]
    heard, moments = heard_letters(letters)
    brought_up = set(context)
    # Where much is doubtful the whole turn is.
    for n in sorted(sorted(doubtful, key=lambda n: words[n][1])[:MOST_DOUBTFUL]):
        first, last = heard_there(heard, written, n)
        part = letters[max(0, moments[first] - 2) : moments[last - 1] + 3] if last > first else letters[:0]
        options = [written[n], *nearest(part, [*known.like(heard[first:last], TRIED), *sorted(brought_up)], brought_up)]
        texts = [" ".join([*written[:n], option, *written[n + 1 :]]) for option in options]
        if len(options) == 1 or cells(letters, texts) > MOST_CELLS:
            continue
        likely = LETTERS_WEIGHT * log_likelihoods(letters, texts).double()
        # What it wrote has the probability p, all others together 1 - p.
        logprob = min(words[n][1], -1e-6)
        likely[1:] += (1 - LETTERS_WEIGHT) * (math.log(-math.expm1(logprob)) - logprob) - against(options[1:], brought_up)
        written[n] = options[int(torch.nan_to_num(likely, nan=-math.inf).argmax())]
    return written


def nearest(part: Tensor, options: list[str], brought_up: set[str]) -> list[str]:
    """The few options that are likeliest in this part of the letters [t, labels] alone."""
    options = list(dict.fromkeys(options))
    if not options or not len(part) or cells(part, options) > MOST_CELLS:
        return []
    likely = LETTERS_WEIGHT * log_likelihoods(part, options).double() - against(options, brought_up)
    return [options[n] for n in likely.topk(min(RETRIED, len(options))).indices.tolist()]


def against(options: list[str], brought_up: set[str]) -> Tensor:
    return torch.tensor([BROUGHT_UP if option in brought_up else UNUSUAL for option in options], dtype=torch.double)


def heard_there(heard: str, written: list[str], n: int) -> tuple[int, int]:
    """From where to where the heard letters stand for the n-th word, by what both texts have in common around it."""
    start = sum(len(word) + 1 for word in written[:n])
    end = start + len(written[n])
    matcher = SequenceMatcher(None, " ".join(written), heard, autojunk=False)
    first, last = 0, len(heard)
    for a, b, size in matcher.get_matching_blocks():
        if size and a + size <= start:
            first = b + size
        if size and a >= end:
            last = min(last, b)
        # A match that goes over one of the word's borders tells where it is.
        if a < start < a + size:
            first = b + start - a
        if a < end < a + size:
            last = b + end - a
    part = heard[first:last]
    return first + len(part) - len(part.lstrip()), max(first, last) - len(part) + len(part.rstrip())
