"""What may be written for a function: the places of its arguments, and what may stand in each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import orjson

from realtime_server.engine.families.wren.words import identifier_words, plain, signed
from realtime_server.engine.grammar.keywords import CannotHonour

TRUE_WORDS, FALSE_WORDS = ("true", "on", "yes"), ("false", "off", "no")
LONGEST_NAME = 200
"""Characters of a parameter's name that are spoken, outer ones included."""
Path = tuple[str | int, ...]
"""The keys that lead to a value, from outside in; 0 for the one element that a list of objects or of lists has."""


@dataclass(frozen=True)
class Words:
    """One of these JSON values, each said in its own words."""

    values: tuple[Any, ...]

    @cached_property
    def options(self) -> tuple[tuple[str, Any], ...]:
        """(what is said, the JSON value)."""
        if self.values == (True, False):
            return tuple((word, True) for word in TRUE_WORDS) + tuple((word, False) for word in FALSE_WORDS)
        return tuple((_said(value) or f"option {n + 1}", value) for n, value in enumerate(self.values))


@dataclass(frozen=True)
class Numbers:
    """One of these whole numbers: a range is as cheap as its ends, however many there are."""

    values: range

    @property
    def options(self) -> tuple[tuple[str, Any], ...]:
        """(what is said, the number)."""
        return _numbers_said(self.values)


@lru_cache(maxsize=8)
def _numbers_said(values: range) -> tuple[tuple[str, int], ...]:
    return tuple((signed(n), n) for n in values)


@dataclass(frozen=True)
class FreeText:
    shortest: int
    longest: int


@dataclass(frozen=True)
class Leaf:
    """One argument, or one within nested objects."""

    path: Path
    value: Words | Numbers | FreeText
    least: int = 1
    most: int | None = None
    """A list of `least` to `most` values where `most` is given."""

    @cached_property
    def spoken(self) -> str:
        keys = (key[:LONGEST_NAME] for key in self.path if isinstance(key, str))
        return " ".join(identifier_words(key) or key.lower() for key in keys)[:LONGEST_NAME]

    def under(self, key: str | int) -> "Leaf":
        return Leaf((key, *self.path), self.value, self.least, self.most)


@dataclass(frozen=True)
class Arguments:
    """All leaves; for each object (by its path) the keys that it must have, and which of these objects are lists of one."""

    leaves: tuple[Leaf, ...]
    required: Mapping[Path, frozenset[str | int]] = field(default_factory=dict)
    lists: frozenset[Path] = frozenset()
    left_out: CannotHonour | None = None
    """Why some argument that need not be there never is: the first of these."""

    def under(self, key: str | int) -> "Arguments":
        """The same within an object, or a list."""
        return Arguments(
            tuple(leaf.under(key) for leaf in self.leaves),
            {(key, *path): keys for path, keys in self.required.items()},
            frozenset((key, *path) for path in self.lists), self.left_out,
        )  # fmt: skip

    def missing(self, written: set[Path]) -> list[Leaf]:
        """The leaves without which what is written would not be valid."""
        return [leaf for leaf in self.leaves if leaf.path not in written and self._needed(leaf.path, written)]

    def as_json(self, values: Mapping[Path, Any]) -> str:
        """With the objects that must be there even if nothing was said for them."""
        result: dict[str | int, Any] = {}
        for path in (*values, *self._objects(set(values))):
            inner = result
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner.setdefault(path[-1], values.get(path, {}))
        return json.dumps(self._listed(result, ()), ensure_ascii=False)

    def _listed(self, value: Any, path: Path) -> Any:
        """With lists for the objects that stand for such."""
        if path not in self.required:
            return value
        inner = {key: self._listed(one, (*path, key)) for key, one in value.items()}
        return list(inner.values()) if path in self.lists else inner

    def _objects(self, written: set[Path]) -> list[Path]:
        """The nested objects that must be there, if only as `{}`; outer ones first."""
        return [path for path in self.required if path and self._present(path, written)]

    def _needed(self, path: Path, written: set[Path]) -> bool:
        parent, key = path[:-1], path[-1]
        return key in self.required[parent] and self._present(parent, written)

    def _present(self, path: Path, written: set[Path]) -> bool:
        return not path or any(leaf[: len(path)] == path for leaf in written) or self._needed(path, written)


def _said(value: Any) -> str:
    """How a fixed value sounds: 'dark_roast' -> 'dark roast', 2 -> 'two'."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case str():
            return identifier_words(value) if "_" in value else plain(value)
        case int() if abs(value) < 1_000_000:
            return signed(value)
    return plain(orjson.dumps(value).decode())
