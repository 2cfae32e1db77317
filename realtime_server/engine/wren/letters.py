"""What the transcription head (CTC) heard, as evidence: written words follow what is usual, letters follow the sound."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.engine.nets.wren import CTC_LETTERS
from realtime_server.engine.wren.words import plain

MOST_CELLS = 1_500_000
"""Texts times letters times moments that may be tried at once: 20 to 50 ms, in which no other session moves."""
UNSAID = 12.0
"""Nats by which a text that was not said is less likely than the one that was, and more."""


def labels(text: str) -> list[int]:
    """The head's labels of letters that it knows. Raises ValueError at another."""
    return [CTC_LETTERS.index(letter) + 1 for letter in text]


def doubt(letters: Tensor, transcript: str) -> float:
    """How much less likely a transcript is than the likeliest letters: 0 or less for those, infinite for what is too long.

    In nats for each letter, times the root of their number: what is wrong by chance averages out, what was made up does not.
    letters: [T, labels] log-probabilities.
    """
    length = len(plain(transcript))
    return float(letters.amax(-1).sum() - log_likelihoods(letters, [transcript])) / math.sqrt(length) if length else 0.0


def evidence(letters: Tensor, transcript: str, options: list[str], function: str = "", parameter: str = "") -> list[float]:
    """For each option, how far the letters speak for its having been said, in nats from the likeliest of them; 0 for all
    where none was, or where there are too many to try.

    letters: [T, labels] log-probabilities. `function`, `parameter`: what the value is for, in words.
    """
    said = likeness(letters, transcript, options, plain(function).split(), plain(parameter).split())
    most = max(said, default=-math.inf)
    # Behind a parameter's name one of its values must have been said, however unlike it sounds.
    if most == -math.inf or (most < -UNSAID and not behind(plain(transcript).split(), plain(parameter).split())):
        return [0.0] * len(options)
    return [max(nats - most, -UNSAID) for nats in said]


def likeness(
    letters: Tensor, transcript: str, options: list[str], function: Sequence[str] = (), parameter: Sequence[str] = ()
) -> list[float]:
    """For each option, by how many nats the turn is likelier with it than as it was written, in the place of whichever words
    it fits best: see `places`. -inf for all where there are too many to try."""
    words = plain(transcript).split()
    ways = list(dict.fromkeys(map(plain, options)))
    # Before anything is made of it: a schema may list thousands of values.
    if not ways or len(words) * cells(letters, ways) > MOST_CELLS:
        return [-math.inf] * len(options)
    tried = [
        (way, " ".join([*words[:start], way, *words[end:]]))
        for way in ways
        for start, end in places(words, len(way.split()) + 1, function, parameter)
    ]
    if not tried or cells(letters, [text for _, text in tried]) > MOST_CELLS:
        return [-math.inf] * len(options)
    usual, *likely = log_likelihoods(letters, [transcript, *(text for _, text in tried)]).tolist()
    best = {way: max(value for (of, _), value in zip(tried, likely, strict=True) if of == way) for way in ways}
    # A transcript may be too long for its sound, and impossible.
    return [best[plain(option)] - max(usual, -1e6) for option in options]


def places(words: list[str], longest: int, function: Sequence[str], parameter: Sequence[str]) -> list[tuple[int, int]]:
    """From where to where a value of up to `longest` words may stand among those of a transcript.

    Behind its parameter's name, where that was said ("with speed ..."); else anywhere but over words that name the function
    or the parameter, since those stand for themselves.
    """
    named, taken = behind(words, parameter), {*function, *parameter}
    return [
        (start, end)
        for start in named or range(len(words))
        for end in range(start + 1, min(start + longest, len(words)) + 1)
        if named or not taken.intersection(words[start:end])
    ]


def behind(words: list[str], name: Sequence[str]) -> list[int]:
    """Where these words end within those, but at the very end."""
    ends = range(len(name), len(words)) if name else ()
    return [end for end in ends if words[end - len(name) : end] == list(name)]


def cells(letters: Tensor, texts: list[str]) -> int:
    """How much work `log_likelihoods` has."""
    return len(texts) * 2 * max(map(len, texts), default=0) * len(letters)


def log_likelihoods(letters: Tensor, texts: list[str]) -> Tensor:
    """[T, labels] -> [len(texts)] log-probabilities that these are all that was heard."""
    spelled = [torch.tensor(labels(plain(text)), dtype=torch.long) for text in texts]
    time, count = len(letters), len(texts)
    return -F.ctc_loss(letters[:, None].expand(-1, count, -1), torch.cat(spelled), torch.full((count,), time),
                       torch.tensor([len(s) for s in spelled]), reduction="none")  # fmt: skip
