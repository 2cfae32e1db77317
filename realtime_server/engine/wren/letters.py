"""What the transcription head (CTC) heard, as evidence: written words follow what is usual, letters follow the sound."""

import math

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


def evidence(letters: Tensor, transcript: str, options: list[str]) -> list[float]:
    """For each option, how far the letters speak for its having been said, in nats from the likeliest of them; 0 for all
    where none was, or where there are too many to try.

    letters: [T, labels] log-probabilities. Each option is put in the place of each run of words of the transcript.
    """
    words = plain(transcript).split()
    ways = list(dict.fromkeys(map(plain, options)))
    # Before anything is made of it: a schema may list thousands of values.
    if len(ways) < 2 or len(words) * cells(letters, ways) > MOST_CELLS:
        return [0.0] * len(options)
    tried = [
        (way, " ".join([*words[:start], way, *words[end:]]))
        for way in ways
        for start in range(len(words))
        for end in range(start + 1, min(start + len(way.split()) + 1, len(words)) + 1)
    ]
    if not tried or cells(letters, [text for _, text in tried]) > MOST_CELLS:
        return [0.0] * len(options)
    usual, *likely = log_likelihoods(letters, [transcript, *(text for _, text in tried)]).tolist()
    best = {way: max(value for (of, _), value in zip(tried, likely, strict=True) if of == way) for way in ways}
    most = max(best.values())
    if most == -math.inf or most < usual - UNSAID:
        return [0.0] * len(options)
    return [max(best[plain(option)] - most, -UNSAID) for option in options]


def cells(letters: Tensor, texts: list[str]) -> int:
    """How much work `log_likelihoods` has."""
    return len(texts) * 2 * max(map(len, texts), default=0) * len(letters)


def log_likelihoods(letters: Tensor, texts: list[str]) -> Tensor:
    """[T, labels] -> [len(texts)] log-probabilities that these are all that was heard."""
    spelled = [torch.tensor(labels(plain(text)), dtype=torch.long) for text in texts]
    time, count = len(letters), len(texts)
    return -F.ctc_loss(letters[:, None].expand(-1, count, -1), torch.cat(spelled), torch.full((count,), time),
                       torch.tensor([len(s) for s in spelled]), reduction="none")  # fmt: skip
