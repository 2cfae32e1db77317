"""Whole numbers, written token by token: one trie for all of them, whichever of them a schema takes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from realtime_server.engine.families.wren.compiling import LARGEST_NUMBER, SMALLEST_NUMBER
from realtime_server.engine.families.wren.words import signed


@dataclass(slots=True)
class Node:
    next: dict[int, "Node"] = field(default_factory=dict)
    number: int | None = None
    """The one whose words end here."""
    numbers: list[int] = field(default_factory=list)
    """Those whose words lead through here."""


def trie(encode: Callable[[str], list[int]]) -> Node:
    """`encode` writes a word as tokens, the same wherever it stands."""
    root, spelled = Node(), cache(encode)
    for number in range(SMALLEST_NUMBER, LARGEST_NUMBER + 1):
        node = root
        for word in signed(number).split():
            for token in spelled(word):
                node = node.next.setdefault(token, Node())
                node.numbers.append(number)
        node.number = number
    return root


class NumberChoice:
    """As `choosing.Choice`: which tokens may come next, and which number has been reached. It ends with one of the stops."""

    def __init__(self, root: Node, values: range, stops: tuple[int, ...], favours: Mapping[int, float]) -> None:
        """`favours`: what speaks for each number; the same for all where it is empty."""
        self._at, self._values, self._stops, self._favours = root, values, stops, favours

    def allowed(self) -> list[int]:
        ways = [token for token, node in self._at.next.items() if any(self._below(node))]
        return ways + list(self._stops if self._whole else ())

    def favours(self) -> list[float]:
        """For each allowed token, that of the best number that it leads to."""
        if not self._favours:
            return [0.0] * len(self.allowed())
        ways = [
            max(self._favours[number] for number in node.numbers if number in self._values)
            for node in self._at.next.values()
            if any(self._below(node))
        ]
        own = self._favours[self._at.number] if self._whole and self._at.number is not None else 0.0
        return ways + [own] * (len(self._stops) if self._whole else 0)

    def take(self, token: int) -> tuple[object] | None:
        """The number, in a tuple, once `token` completes one."""
        if self._whole and token in self._stops:
            return (self._at.number,)
        self._at = self._at.next[token]
        return None

    @property
    def _whole(self) -> bool:
        return self._at.number is not None and self._at.number in self._values

    def _below(self, node: Node) -> Iterator[bool]:
        return (True for number in node.numbers if number in self._values)
