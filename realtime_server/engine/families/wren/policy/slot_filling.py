"""What was said, as the grounds of a function call: which function, which values, and what they change of the call before."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from realtime_server.engine.families.wren.leaves import Arguments, Leaf, Path, given
from realtime_server.engine.families.wren.policy.grounds import ArgumentGrounding
from realtime_server.engine.families.wren.words import plain

Values = dict[Path, Any]
"""The arguments of a call, by their leaves' paths."""


@dataclass(frozen=True)
class Said:
    """What a call may be made of. All words are plain."""

    text: str
    """What the conversation and the instructions say."""
    newest: str = ""
    """Of that, what the user said last."""
    likeness: Callable[[list[str]], list[float]] | None = None
    """Of values, to what was heard last (`HeardTurn.likeness`); None where it was written."""
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
        return value in self._before(function, [leaf]).values() or self._said(leaf, value)

    def _said(self, leaf: Leaf, value: Any) -> bool:
        return all(self(leaf.spoken, ways) for ways in leaf.ways(value))

    def corrected(self, function: str, shape: Arguments, values: Values) -> Values:
        """The arguments of a call; where it changes the one before, all that was not said now is as it was.

        It does where what was said says so (`refers_back`), or leaves to be understood what the call before has. The rest is
        that call's and not the model's, which mixes up what several calls had (slot carryover, Naik et al. 2018). What was
        mentioned and the model left out stays out ("without milk").
        """
        before, needed = self._before(function, shape.leaves), {leaf.path for leaf in shape.missing(set())}
        leaves = [leaf for leaf in shape.leaves if leaf.path in values]
        said, left = self._now(leaves, values, before)
        understood = [
            leaf
            for leaf in leaves
            if leaf.path in before.keys() - said
            and (before[leaf.path] == values[leaf.path] or (leaf.path in needed and not self._said(leaf, values[leaf.path])))
        ]
        if not before or not (understood or refers_back(self.newest)):
            return values
        kept = {path for leaf in shape.leaves if (path := leaf.path) in values or not _mentioned(leaf, before, left)}
        changed = {path: value for path, value in before.items() if path in kept}
        changed |= {path: value for path, value in values.items() if path in said}
        return values if shape.missing(set(changed)) else changed

    def _before(self, function: str, leaves: Iterable[Leaf]) -> Values:
        """What the last call of this function had, where it may be written."""
        return {
            leaf.path: value for leaf in leaves for value in given(self.calls.get(function), leaf.path) if leaf.allows(value)
        }

    def _now(self, leaves: list[Leaf], values: Values, before: Values) -> tuple[set[Path], list[str]]:
        """Which values were said last, and the words that none of them took. Longer ones first, and each word for one of them:
        "medium roast" is no medium size."""
        parts = [(leaf, ways) for leaf in leaves for ways in leaf.ways(values[leaf.path])]
        left, unsaid = stems(self.newest), list[tuple[Leaf, list[str]]]()
        for leaf, ways in sorted(parts, key=lambda part: -max(len(stems(way)) for way in part[1])):
            rest = next((rest for way in ways if (rest := _without(left, stems(way))) is not None), None)
            if rest is None:
                unsaid.append((leaf, ways))
            else:
                left = rest
        not_meant = {leaf.path for leaf, ways in unsaid if not self._meant(leaf, ways, before, left)}
        return {leaf.path for leaf in leaves} - not_meant, left

    def _meant(self, leaf: Leaf, ways: list[str], before: Values, words: list[str]) -> bool:
        """Was it said in other words, by name, or as it differs from what it was before ("a double", after a single shot)?"""
        old = {word for words in _spoken(leaf, before) for word in words}
        enough = [{*stems(leaf.spoken)}, *({*stems(way)} - old for way in ways)]
        if any(part and part.issubset(words) for part in enough):
            return True
        # What stands there for something else does not only sound like it.
        there = {*stems(self.newest)}
        return self._sounded([way for way in ways if not there.issuperset(stems(way))])

    def _sounded(self, ways: list[str]) -> bool:
        # Signs alone can't have been said.
        spoken = [way for way in map(plain, ways) if way]
        return bool(spoken) and self.likeness is not None and max(self.likeness(spoken)) > -self.misheard

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(stems(self.text))


def stems(text: str) -> list[str]:
    """Its plain words without the s of a plural: who says one minute means the unit "minutes"."""
    return [word.removesuffix("s") if len(word) > 2 else word for word in plain(text).split()]


def _spoken(leaf: Leaf, values: Values) -> list[list[str]]:
    """The words of all ways in which its value among these is said; nothing where it has none."""
    ways = leaf.ways(values[leaf.path]) if leaf.path in values else []
    return [words for part in ways for way in part if (words := stems(way))]


def _mentioned(leaf: Leaf, before: Values, words: list[str]) -> bool:
    """Is its parameter among these words, or what it had before ("milk", of "lots of milk")?"""
    name = stems(leaf.spoken)
    return (bool(name) and {*words}.issuperset(name)) or any(was[-1] in words for was in _spoken(leaf, before))


def _without(words: list[str], phrase: list[str]) -> list[str] | None:
    """A gap instead of it where these follow one another; None where they do not."""
    places = [at for at in range(len(words) - len(phrase) + 1) if phrase and words[at : at + len(phrase)] == phrase]
    return [*words[: places[0]], "", *words[places[0] + len(phrase) :]] if places else None


_REFERENCE = re.compile(r"(please )?(make|change|turn|switch) (it|that|them)\b")


def refers_back(words: str) -> bool:
    """Do these plain words change what was said before them ("make it large")?"""
    return _REFERENCE.match(words) is not None
