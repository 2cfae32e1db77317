"""Which token follows: by temperature, top-p, penalties and a grammar's mask, of each row its own, for all rows at once.

What a sequence is given by chance is its seed's alone: one number for each token, whoever else is in the batch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from realtime_server.messages import GREEDY, Sampling


class NothingAllowed(Exception):
    """A grammar's mask that no token passes."""


class Sampler:
    """One sequence's choices: what stands in it already, and the number in [0, 1) that its next token is drawn by.

    To choose changes nothing; `take` does, and draws the next number.
    """

    def __init__(self, sampling: Sampling = GREEDY, prompt: Iterable[int] = ()) -> None:
        self.sampling = sampling
        self.prompt, self.written = frozenset(prompt), Counter[int]()
        self._random = np.random.default_rng(sampling.seed)
        self.number = float(self._random.random())

    def take(self, token: int) -> None:
        """It was chosen, or is given."""
        self.written[token] += 1
        self.number = float(self._random.random())


def choose(logits: Tensor, samplers: Sequence[Sampler], allowed: Sequence[Tensor | None] = ()) -> list[int]:
    """logits [B, vocabulary], of each row the tokens [vocabulary] that a grammar allows, None for all -> B tokens.

    Raises NothingAllowed.
    """
    scores = penalised(logits.float(), samplers)
    for row, mask in enumerate(allowed):
        if mask is not None:
            if not mask.any():
                raise NothingAllowed("The grammar allows no token here.")
            scores[row].masked_fill_(~mask.to(scores.device), float("-inf"))
    greedy = scores.argmax(-1)
    drawn = [n for n, sampler in enumerate(samplers) if sampler.sampling.temperature > 0]
    if drawn:
        greedy[drawn] = _drawn(scores[drawn], [samplers[n] for n in drawn])
    return [int(token) for token in greedy.tolist()]


def penalised(logits: Tensor, samplers: Sequence[Sampler]) -> Tensor:
    """[B, vocabulary] -> a copy, less what speaks against tokens that stand there already."""
    scores = logits.clone()
    for row, sampler in enumerate(samplers):
        sampling, written = sampler.sampling, sampler.written
        if sampling.repetition_penalty != 1:
            seen = torch.tensor(sorted(sampler.prompt | written.keys()), dtype=torch.long, device=logits.device)
            said = scores[row, seen]
            scores[row, seen] = torch.where(said < 0, said * sampling.repetition_penalty, said / sampling.repetition_penalty)
        if written and (sampling.presence_penalty or sampling.frequency_penalty):
            tokens, counts = (torch.tensor(column, device=logits.device) for column in zip(*written.items(), strict=True))
            scores[row, tokens] -= sampling.presence_penalty + sampling.frequency_penalty * counts
    return scores


def _drawn(scores: Tensor, samplers: Sequence[Sampler]) -> Tensor:
    """[B] the token at each row's number, where the probabilities [B, vocabulary] of all that may be drawn stand in a line."""
    temperatures, shares, numbers = (
        torch.tensor(column, dtype=scores.dtype, device=scores.device)[:, None]
        for column in zip(*((s.sampling.temperature, s.sampling.top_p, s.number) for s in samplers), strict=True)
    )
    likely, tokens = (scores / temperatures).softmax(-1).sort(dim=-1, descending=True, stable=True)
    before = likely.cumsum(-1) - likely
    likely = likely.masked_fill(before >= shares, 0.0)
    line = likely.cumsum(-1)
    # Rounding may leave the line shorter than its last number.
    last = (likely > 0).sum(-1, keepdim=True) - 1
    place = torch.searchsorted(line, numbers * line[:, -1:], right=True).minimum(last)
    drawn: Tensor = tokens.gather(-1, place)[:, 0]
    return drawn
