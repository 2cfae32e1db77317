"""Words and phrases that are likely to be said: where one is nearly as likely as what would be written, it is written.

The bias is given to whole keywords (as in contextual biasing with a prefix tree, Zhao et al. 2019): each is tried in one step
where its first token may stand, and taken back where the rest does not follow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from torch import Tensor

from realtime_server.engine.ears.vocabulary import Vocabulary

BIAS = 5.0
"""Nats by which a keyword may be less likely than certain, all of it."""
TRIED = 4
"""Keywords at one place."""


@dataclass(frozen=True)
class Keywords:
    """By its first token, the tokens of each."""

    tree: dict[int, tuple[tuple[int, ...], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, words: Iterable[str], vocabulary: Vocabulary) -> "Keywords":
        """Each as it is written, and with its first letter as a sentence begins."""
        tree: dict[int, list[tuple[int, ...]]] = {}
        for word in words:
            for written in dict.fromkeys((word.strip(), word.strip()[:1].upper() + word.strip()[1:])):
                tokens = tuple(vocabulary.encode(f" {written}"))
                if written:
                    tree.setdefault(tokens[0], []).append(tokens)
        return cls({first: tuple(keywords) for first, keywords in tree.items()})

    def may_begin(self, place: Tensor) -> Iterator[tuple[int, ...]]:
        """Those whose first token may stand here, [vocabulary] log-probabilities; the likeliest first, and few."""
        if not self.tree:
            return
        firsts = [first for first in self.tree if float(place[first]) > -BIAS]
        tried = 0
        for first in sorted(firsts, key=lambda token: -float(place[token])):
            for keyword in sorted(self.tree[first], key=len, reverse=True):
                if tried < TRIED:
                    yield keyword
                    tried += 1

    @staticmethod
    def said(logprobs: Tensor) -> bool:
        """Of each of its tokens."""
        return float(logprobs.sum()) > -BIAS
