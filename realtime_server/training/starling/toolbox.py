"""Kinds of tools: what they are called, what they take, how people ask for them, what they return and how that is told.

In a way of asking, `{key}` stands for a slot as it is said, and `[...]` may be left out.
"""

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import spoken
from realtime_server.training.starling.slots import Slot, Value, slot
from realtime_server.training.starling.tables import stored

Said = dict[str, Value]
Outcome = tuple[dict[str, Any], str]
"""What the function returns, and how it is told."""
Finder = Callable[[dict[str, Any], random.Random, Said], Outcome]


@dataclass(frozen=True)
class Kind:
    """`done` tells success; where the function finds something out, `found` says what it returns and how that is told.
    `bare` asks without the last of the required slots."""

    names: tuple[str, ...]
    description: str
    slots: tuple[Slot, ...]
    required: frozenset[str]
    asks: tuple[str, ...]
    unable: str
    done: str = ""
    bare: str = ""
    found: dict[str, Any] | None = None


@functools.cache
def kinds() -> tuple[Kind, ...]:
    return tuple(
        Kind(
            tuple(row["names"]), row["description"], tuple(map(slot, row["slots"])), frozenset(row.get("required", ())),
            tuple(row["asks"]), row["unable"], row.get("done", ""), row.get("bare", ""), row.get("found"),
        )
        for row in stored("tools")
    )  # fmt: skip


def keys(template: str) -> list[str]:
    return [part.split("}")[0] for part in template.split("{")[1:]]


def filled(template: str, said: Said) -> str:
    """With the slots that were said; a bracket that lacks one is left out."""
    parts = template.replace("]", "[").split("[")
    result = "".join(part for n, part in enumerate(parts) if n % 2 == 0 or all(key in said for key in keys(part)))
    for key, (words, _) in said.items():
        result = result.replace(f"{{{key}}}", words)
    return spoken.sentence(result)


def _measured(row: dict[str, Any], rng: random.Random, said: Said) -> Outcome:
    """A number with its unit, rarely below zero or with a decimal."""
    value: float = rng.randint(*row["range"])
    if rng.random() < 0.35:
        value = round(value + rng.choice((0.1, 0.2, 0.4, 0.5, 0.7, 0.9)), 1)
    shown = f"minus {-value}" if value < 0 else str(value)
    unit = said[row["unit"][1:-1]][0] if row["unit"].startswith("<") else row["unit"]
    result = {row["key"]: value} | ({"unit": unit} if rng.random() < 0.5 else {})
    return result, filled(row["told"], said).replace("<value>", f"{shown} {unit}")


def _listed(row: dict[str, Any], rng: random.Random, said: Said) -> Outcome:
    """Some, or none."""
    some = rng.sample(row["values"], rng.choice((0, 1, 2, 2, 3)))
    if not some:
        return {row["key"]: []}, filled(row["nothing"], said)
    names = some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
    return {row["key"]: some}, filled(row["told"], said).replace("<value>", names)


def _field(row: dict[str, Any], rng: random.Random, said: Said) -> Outcome:
    """One phrase; another field may stand beside it that nobody asked for."""
    value = rng.choice(row["values"])
    result = {row["key"]: value} | ({row["more"]: rng.randint(100, 9999)} if row["more"] and rng.random() < 0.5 else {})
    return result, filled(row["told"], said).replace("<value>", value)


def _yes_or_no(row: dict[str, Any], rng: random.Random, said: Said) -> Outcome:
    value = rng.random() < 0.5
    return {row["key"]: value}, filled(row["yes" if value else "no"], said)


FINDERS: dict[str, Finder] = {"measured": _measured, "listed": _listed, "field": _field, "yes or no": _yes_or_no}


def found(row: dict[str, Any], rng: random.Random, said: Said) -> Outcome:
    """What a function of this kind finds out."""
    return FINDERS[row["kind"]](row, rng, said)
