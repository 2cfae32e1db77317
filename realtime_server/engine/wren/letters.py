"""What the transcription head (CTC) heard, as evidence for the words that are written.

Written words follow what is usual; letters follow the sound. Together they make fewer up (Watanabe et al., "Hybrid
CTC/Attention Architecture for End-to-End Speech Recognition", 2017).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.engine.nets.wren import CTC_LETTERS
from realtime_server.engine.wren.words import plain

BLANK = 0
NEVER = -math.inf
MOST_TRIED = 400
UNSAID = 12.0
"""Nats by which a text that was not said is less likely than the one that was, and more."""


def labels(text: str) -> list[int]:
    """The head's labels of letters that it knows. Raises ValueError at another."""
    return [CTC_LETTERS.index(letter) + 1 for letter in text]


def doubt(letters: Tensor, transcript: str) -> float:
    """Nats per letter that a transcript is less likely than the likeliest letters; 0 or less for those, infinite if too long.

    letters: [T, labels] log-probabilities.
    """
    length = len(plain(transcript))
    return float(letters.amax(-1).sum() - log_likelihoods(letters, [transcript])) / length if length else 0.0


def evidence(letters: Tensor, transcript: str, options: list[str]) -> list[float]:
    """For each option, how far the letters speak for its having been said, in nats from the likeliest of them; 0 for all
    where none was, or where there are too many to try.

    letters: [T, labels] log-probabilities. Each option is put in the place of each run of words of the transcript.
    """
    words = plain(transcript).split()
    tried = [
        (n, " ".join([*words[:start], said, *words[end:]]))
        for n, said in enumerate(map(plain, options))
        for start in range(len(words))
        for end in range(start + 1, min(start + len(said.split()) + 1, len(words)) + 1)
    ]
    if not 0 < len(tried) <= MOST_TRIED or len(options) < 2:
        return [0.0] * len(options)
    likely = log_likelihoods(letters, [transcript, *(text for _, text in tried)])
    best = [max(float(likely[1 + k]) for k, (of, _) in enumerate(tried) if of == n) for n in range(len(options))]
    if max(best) < float(likely[0]) - UNSAID:
        return [0.0] * len(options)
    return [max(value - max(best), -UNSAID) for value in best]


def log_likelihoods(letters: Tensor, texts: list[str]) -> Tensor:
    """[T, labels] -> [len(texts)] log-probabilities that these are all that was heard."""
    spelled = [torch.tensor(labels(plain(text)), dtype=torch.long) for text in texts]
    time, count = len(letters), len(texts)
    return -F.ctc_loss(letters[:, None].expand(-1, count, -1), torch.cat(spelled), torch.full((count,), time),
                       torch.tensor([len(s) for s in spelled]), reduction="none")  # fmt: skip


class Prefix:
    """The probability that what was heard begins with these letters, for a text that grows piece by piece.

    letters: [T, labels] log-probabilities. For all ways to have heard the prefix in the first t + 1 of them, `_letter` [T]
    is the log-probability of those that end with its last letter there, `_blank` [T] of those that end with a blank.
    """

    def __init__(self, letters: Tensor) -> None:
        self._letters = letters.double()
        self._blanks = self._letters[:, BLANK].cumsum(0)
        self._letter, self._blank = torch.full_like(self._blanks, NEVER), self._blanks
        self._last, self.score = BLANK, 0.0

    @property
    def begun(self) -> bool:
        return self._last != BLANK

    def longer(self, pieces: list[str]) -> list["Prefix"]:
        """This prefix with each of the pieces behind it; what the head has no letters for is as good as never said."""
        known = [piece if all(c in CTC_LETTERS for c in piece) else "" for piece in pieces]
        spelled = [labels(piece) for piece in known]
        rows = len(pieces)
        letter, blank = self._letter.repeat(rows, 1), self._blank.repeat(rows, 1)
        score = torch.full((rows,), self.score, dtype=torch.double)
        last = torch.full((rows,), self._last)
        for place in range(max(map(len, spelled), default=0)):
            on = torch.tensor([place < len(s) for s in spelled])
            wanted = torch.tensor([s[place] if place < len(s) else BLANK for s in spelled])
            # A letter that is doubled needs a blank in between.
            before = torch.where((wanted == last)[:, None], blank, torch.logaddexp(blank, letter))
            begins = torch.full((rows, 1), NEVER if self.begun or place else 0.0, dtype=torch.double)
            enters = torch.cat([begins, before[:, :-1]], dim=1)
            heard = self._letters[:, wanted].T
            new_letter = _stays(enters, heard)
            leaves = torch.cat([torch.full((rows, 1), NEVER, dtype=torch.double), new_letter[:, :-1]], dim=1)
            new_blank = _stays(leaves, self._letters[:, BLANK].expand(rows, -1))
            letter, blank = torch.where(on[:, None], new_letter, letter), torch.where(on[:, None], new_blank, blank)
            score = torch.where(on, torch.logsumexp(enters + heard, dim=1), score)
            last = torch.where(on, wanted, last)
        result = []
        for n, piece in enumerate(pieces):
            longer = Prefix.__new__(Prefix)
            longer._letters, longer._blanks = self._letters, self._blanks
            longer._letter, longer._blank, longer._last = letter[n], blank[n], int(last[n])
            longer.score = float(score[n]) if known[n] == piece else NEVER
            result.append(longer)
        return result

    def whole(self) -> float:
        """The log-probability that this is all that was heard."""
        return float(torch.logaddexp(self._letter[-1], self._blank[-1]))


def _stays(enters: Tensor, heard: Tensor) -> Tensor:
    """[B, T]: in a state since any moment, each costing `heard`; r[t] = log(exp r[t-1] + exp enters[t]) + heard[t]."""
    spent = heard.cumsum(1)
    return spent + torch.logcumsumexp(enters - (spent - heard), dim=1)
