"""What was said, as the grounds of a function call: which values, now or before."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from realtime_server.engine.families.wren.leaves import Leaf, Path, given
from realtime_server.engine.families.wren.policy.thresholds import ArgumentGrounding
from realtime_server.engine.families.wren.words import plain

Values = dict[Path, Any]
"""The arguments of a call, by their leaves' paths."""


@dataclass(frozen=True)
class Said:
    """What a call may be made of. All words are plain."""

    text: str
    """What the conversation and the instructions say."""
    likeness: Callable[[list[str]], list[float]] | None = None
    """Of values, to what was heard last (`Recording.likeness`); None where it was written."""
    calls: Mapping[str, Any] = field(default_factory=dict)
    """The last call of each function: its arguments as JSON has them."""
    misheard: float = ArgumentGrounding.misheard
    baseless: bool = False
    """What was said refers to something before it (`refers_back`), and there is nothing."""

    def __call__(self, name: str, ways: list[str]) -> bool:
        """Was a value said, in one of these ways, or at least that the parameter of that name has one?"""
        said = any(words and self._words.issuperset(words) for words in map(stems, (name, *ways)))
        return not ways or said or self._sounded(ways)

    def knows(self, function: str, leaf: Leaf, value: Any) -> bool:
        """Was this argument said, now or before?"""
        before = [was for was in given(self.calls.get(function), leaf.path) if leaf.allows(was)]
        return value in before or all(self(leaf.spoken, ways) for ways in leaf.ways(value))

    def _sounded(self, ways: list[str]) -> bool:
        """Does one of these ways sound like what was heard last?"""
        # Signs alone can't have been said.
        spoken = [way for way in map(plain, ways) if way]
        return bool(spoken) and self.likeness is not None and max(self.likeness(spoken)) > -self.misheard

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(stems(self.text))


def stems(text: str) -> list[str]:
    """Its plain words without the s of a plural: who says one minute means the unit "minutes"."""
    return [word.removesuffix("s") if len(word) > 2 else word for word in plain(text).split()]


_REFERENCE = re.compile(r"(please )?(make|change|turn|switch) (it|that|them)\b")


def refers_back(words: str) -> bool:
    """Do these plain words change what was said before them ("make it large")?"""
    return _REFERENCE.match(words) is not None
