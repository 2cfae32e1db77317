"""Doubtful words of a transcript, looked up: among the words of the language and of the context, which one was heard?

A word that training never had is written as one that it had, or as it sounds. Its letters (CTC) are a guess at the sound, so
the words that look like them are tried in its place, and the one that makes the whole utterance likeliest is taken, by its
letters and by its words.
"""

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.engine.families.wren.letters import MOST_CELLS, cells, log_likelihoods
from realtime_server.engine.families.wren.steps import Try
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.nets.wren import CTC_LETTERS

ANY_WORD_BEHIND = frozenset({"say", "repeat", "spell"})
"""Elsewhere what the model expects is worth more: most turns are about something."""
_ALIKE = ("aeiouyhw", "bp", "dt", "fv", "gkcqx", "szj", "l", "r", "mn", "'")
"""Letters that are mistaken for one another."""
Likelihoods = Callable[[list[str]], Generator[Try, list[Tensor], Tensor]]
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
        self._known = frozenset(self._words)
        self._shapes = np.stack([shape(word) for word in ("", *self._words)])[1:]

    @classmethod
    def read(cls, path: Path) -> "WordList":
        """Words between white space; lines that begin with # are left out. Without the file, none."""
        lines = path.read_text().splitlines() if path.exists() else []
        return cls(word for line in lines if not line.startswith("#") for word in plain(line).split())

    def __contains__(self, word: str) -> bool:
        return word in self._known

    def like(self, heard: str, number: int) -> list[str]:
        """The `number` words that are most like these letters."""
        likeness = self._shapes @ shape(heard)
        return [self._words[n] for n in np.argsort(-likeness)[:number]]


@dataclass(frozen=True)
class LexiconCorrection:
    """A written word that is less probable than `sure` is looked up, or than `sure_of_any` behind one that any may follow."""

    sure: float = 0.7
    sure_of_any: float = 0.85
    tried: int = 400
    """Words that look like the letters and are tried where the word was heard,"""
    retried: int = 40
    """those of them that are tried in the whole,"""
    spelled_alike: int = 12
    """and those that are tried in the whole since they look like the written word."""
    far: float = 8.0
    """Nats of the letters behind the likeliest word from which on another is not tried in the whole."""
    most_doubtful: int = 4

    def corrected(
        self,
        letters: Tensor,
        words: list[tuple[str, float]],
        known: WordList,
        context: Mapping[str, float],
        likelihoods: Likelihoods,
    ) -> Generator[Try, list[Tensor], list[tuple[str, float]]]:
        """The words of a transcript, each with its log-probability, after the doubtful ones were looked up.

        letters: [T, labels] log-probabilities. `known`: the words of the language; `context`: words of the conversation, and
        what may stand for one or two words, with the nats that speak for each; `likelihoods`: of whole transcripts
        (`Rescorer.likelihoods`).
        """
        first_free = next((n for n, (word, _) in enumerate(words) if word in ANY_WORD_BEHIND), len(words))
        limits = [math.log(self.sure_of_any if n > first_free else self.sure) for n in range(len(words))]
        doubtful = [logprob < limit for (_, logprob), limit in zip(words, limits, strict=True)]
        words = list(words)
        heard, moments = heard_letters(letters)
        # Each alone, and then two in a row: a word that is not known may have been written as two.
        for size in (1, 2):
            places = [n for n in range(len(words) - size + 1) if all(doubtful[n : n + size])]
            # Where much is doubtful the whole turn is. From the last on, so that one in place of two moves none that is left.
            for n in sorted(sorted(places, key=lambda n: words[n][1])[: self.most_doubtful], reverse=True):
                written = [word for word, _ in words]
                now = written[n : n + size]
                if not all(doubtful[n : n + size]):
                    continue
                first, last = heard_there(heard, written, n, size)
                part = letters[max(0, moments[first] - 2) : moments[last - 1] + 3] if last > first else letters[:0]
                others = self.alternatives(part, heard[first:last], known, context)
                others += [word for word in known.like(plain("".join(now)), self.spelled_alike) if word not in others]
                options = [now, *(other for word in others if (other := word.split()) != now)]
                if len(options) == 1:
                    continue
                likely = yield from likelihoods([" ".join([*written[:n], *option, *written[n + size :]]) for option in options])
                best = options[int(likely.argmax())]
                if best != now:
                    # What was looked up is as sure as what stood there.
                    logprob = sum(logprob for _, logprob in words[n : n + size]) / size
                    words[n : n + size] = [(word, logprob) for word in best]
                    doubtful[n : n + size] = [size == len(best) == 1] * len(best)
        return words

    def alternatives(self, part: Tensor, heard: str, known: WordList, context: Mapping[str, float]) -> list[str]:
        """The few words that are likeliest in this part of the letters [t, labels] alone, of which `heard` are the likeliest;
        the best first."""
        brought_up = sorted(context) if len(context) <= self.tried else WordList(sorted(context)).like(heard, self.tried)
        # A letter takes a moment or more.
        tried = dict.fromkeys([*known.like(heard, self.tried), *brought_up])
        options = [word for word in tried if len(word) <= len(part)]
        if not options or cells(part, options) > MOST_CELLS:
            return []
        likely = log_likelihoods(part, options) + torch.tensor([context.get(word, 0.0) for word in options])
        best = likely.topk(min(self.retried, len(options))).indices.tolist()
        return [options[n] for n in best if likely[n] > likely[best[0]] - self.far]


def heard_there(heard: str, written: list[str], n: int, size: int = 1) -> tuple[int, int]:
    """From where to where the heard letters stand for `size` words from the n-th on, by what both texts share around them."""
    start = sum(len(word) + 1 for word in written[:n])
    end = start + len(" ".join(written[n : n + size]))
    matcher = SequenceMatcher(None, " ".join(written), heard, autojunk=False)
    first, last = 0, len(heard)
    for a, b, alike in matcher.get_matching_blocks():
        if alike and a + alike <= start:
            first = b + alike
        if alike and a >= end:
            last = min(last, b)
        # A match that goes over one of the word's borders tells where it is.
        if a < start < a + alike:
            first = b + start - a
        if a < end < a + alike:
            last = b + end - a
    part = heard[first:last]
    return first + len(part) - len(part.lstrip()), max(first, last) - len(part) + len(part.rstrip())
