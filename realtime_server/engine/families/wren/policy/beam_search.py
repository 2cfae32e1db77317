"""The likeliest transcripts of a turn, by its words and its letters together: beam search.

What is written token by token, each the likeliest, cannot be taken back where it turns out to lead nowhere. Here several
transcripts are followed at once. Each is as likely as its words are behind the turn's frames, and as it is that the letters
begin so (joint CTC/attention decoding, Watanabe et al. 2017).
"""

import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from itertools import takewhile
from typing import Any, TypeVar

import torch
from torch import Tensor

from realtime_server.engine.families.wren.letters import PrefixScorer
from realtime_server.engine.families.wren.script import REPLY, USER, Script
from realtime_server.engine.families.wren.steps import Try
from realtime_server.engine.nets.wren import CTC_LETTERS
from realtime_server.engine.runtime.steps import Stream, Think

HORIZON, SETTLED_AT_ONCE = 24, 8
"""Tokens: what stands further back in the likeliest transcript is not taken back, or each one of a long turn would cost more
than the one before; and how many are then read into the stream at once."""
T = TypeVar("T")
Searching = Generator[Try | Think, Any, T]


@dataclass(frozen=True)
class Found:
    """A transcript: its tokens, their log-probabilities, and how likely it is, in nats."""

    tokens: list[int]
    logprobs: list[float]
    likely: float


@dataclass(frozen=True)
class BeamSearch:
    """Several transcripts are followed at once from the first word on that is less probable than `sure_of_every`."""

    sure_of_every: float = 0.9
    beam: int = 8
    """Transcripts that are followed at once."""
    considered: int = 24
    """Of the ways in which they may go on, how many are likely enough by their words for their letters to be looked at."""
    letters_worth: float = 0.2
    """What a nat of the letters counts against one of the words: they say what was heard, but also less of it where it was
    said fast, or in a way that was never heard before."""
    each_letter: float = 3.0
    """Nats that speak for each letter that is written, or what leaves out a part of what was said would be likelier."""
    far: float = 12.0
    """Nats behind the likeliest whole transcript from which on one is not followed further."""

    def search(
        self, stream: Stream, at: int, script: Script, letters: Tensor, sure: Sequence[tuple[int, float]] = ()
    ) -> Searching[list[Found]]:
        """At most `beam` transcripts, the likeliest first; all begin with the tokens that are `sure`, as (token,
        log-probability).

        The turn's frames end at position `at` of the stream, behind which it holds any transcript. letters: [T, labels]
        log-probabilities.
        """
        live = [([token for token, _ in sure], [nats for _, nats in sure])]
        words = torch.zeros(1, dtype=torch.double)
        heard = PrefixScorer.of(letters).extended([0], [script.decode(live[0][0])])
        done: list[Found] = []
        # A letter takes a moment or more, and where nothing may follow any more the transcript still ends.
        for _ in range(len(letters) + 1):
            behind: list[Tensor] = yield Try(stream, [_way(stream, at, [USER, *begun]) for begun, _ in live])
            logprobs = torch.stack([every[-1] for every in behind]).double()
            ended = (words + logprobs[:, REPLY] + self._sounds(heard.whole(), heard.lengths)).tolist()
            done += [Found(*begun, likely) for begun, likely in zip(live, ended, strict=True)]
            done = nlargest(self.beam, done, key=lambda found: found.likely)
            longer_words = (words[:, None] + logprobs + _spelled(script)).flatten()
            ways = longer_words.topk(min(self.considered, int(longer_words.isfinite().sum()))).indices
            rows, tokens = (ways // script.size).tolist(), (ways % script.size).tolist()
            pieces = [script.pieces[token] for token in tokens]
            longer = heard.extended(rows, [p if live[row][0] else p.lstrip() for row, p in zip(rows, pieces, strict=True)])
            likely = longer_words[ways] + self._sounds(longer.nats, longer.lengths)
            top = likely.topk(min(self.beam, len(ways))).indices.tolist()
            best = [n for n in top if likely[n] > done[0].likely - self.far]
            if not best:
                break
            live = [
                ([*live[row][0], token], [*live[row][1], float(logprobs[row, token])])
                for row, token in ((rows[n], tokens[n]) for n in best)
            ]
            settled = live[0][0][:-HORIZON]
            alike = [n for n, (begun, _) in enumerate(live) if begun[: len(settled)] == settled]
            live, best = [live[n] for n in alike], [best[n] for n in alike]
            words, heard = longer_words[ways[best]], longer.of_rows(best)
            standing = common([stream.ids[at:], [USER, *settled]])
            if len(settled) + 1 - standing >= SETTLED_AT_ONCE:
                del stream.ids[at + standing :]
                yield Think(stream, [USER, *settled][standing:])
        return done

    def _sounds(self, nats: Tensor, lengths: Tensor) -> Tensor:
        """[B] what their letters speak for texts."""
        return self.letters_worth * (nats + self.each_letter * lengths)


def common(rows: Iterable[Iterable[int]]) -> int:
    """How many ids all of them begin with."""
    return len(list(takewhile(lambda ids: len(set(ids)) == 1, zip(*rows, strict=False))))


def _way(stream: Stream, at: int, ids: list[int]) -> tuple[int, list[int]]:
    """These ids behind the first `at` positions, less what stands there already but for the last of it."""
    same = max(0, common([stream.ids[at:], ids]) - 1)
    return at + same, ids[same:]


@lru_cache(maxsize=8)
def _spelled(script: Script) -> Tensor:
    """[vocabulary] 0 for tokens that are letters of the transcription head, -inf for others."""
    spelled = [bool(piece.strip()) and set(piece) <= set(CTC_LETTERS) for piece in script.pieces]
    return torch.zeros(script.size).masked_fill(~torch.tensor(spelled), -math.inf)
