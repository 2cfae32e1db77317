"""Choosing among tokens that are allowed, and among sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from torch import Tensor

from realtime_server.engine.families.wren.script import MARKS


class Choice:
    """A trie over token sequences: which tokens may come next, and which option has been reached.

    An option ends with one of the `stops`, so that one option may begin with another. `favours`, one for each option, speak
    for the tokens that lead to it.
    """

    def __init__(
        self, options: Iterable[tuple[Sequence[int], object]], stops: Iterable[int], favours: Iterable[float] = ()
    ) -> None:
        self._at = _Node()
        for (tokens, value), favour in zip(options, chain(favours, repeat(0.0))):  # noqa: B905
            node = self._at
            for token in tokens:
                node = node.next.setdefault(token, _Node())
                node.favour = max(node.favour, favour)
            for stop in stops:
                node.next[stop] = _Node(favour, (value,))

    def allowed(self) -> list[int]:
        return list(self._at.next)

    def favours(self) -> list[float]:
        """For each allowed token, that of the best option that it leads to."""
        return [node.favour for node in self._at.next.values()]

    def take(self, token: int) -> tuple[object] | None:
        """The option, in a tuple, once `token` completes one."""
        self._at = self._at.next[token]
        return self._at.option


@dataclass
class _Node:
    favour: float = float("-inf")
    option: tuple[object] | None = None
    next: dict[int, "_Node"] = field(default_factory=dict)


def best_text(logits: Tensor, *marks: int) -> tuple[int, float]:
    """The likeliest token among the text and these marks, with its log-probability."""
    scores = logits.clone()
    closed = [n for n in range(len(MARKS)) if n not in marks]
    scores[closed] = float("-inf")
    token = int(scores.argmax())
    return token, float(scores.log_softmax(-1)[token])
