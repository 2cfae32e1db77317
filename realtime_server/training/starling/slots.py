"""What a tool's parameters are filled with: as it is said, and as it stands in the call."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import spoken
from realtime_server.training.starling.tables import stored

Value = tuple[str, Any]
"""As said, as argument."""
Draw = Callable[[random.Random], Value]
Variants = tuple[tuple[dict[str, Any], Draw], ...]
"""Ways to declare a parameter, each with values that fit."""
STRING: dict[str, Any] = {"type": "string"}
CLOCK: dict[str, Any] = {"type": "string", "description": "HH:MM, 24 hours"}


@dataclass(frozen=True)
class Slot:
    """One parameter; `ask` is what is asked where it is missing."""

    key: str
    variants: Variants
    ask: str


def as_said(values: list[str]) -> Draw:
    """Unchanged; where an argument has an underscore, a space is said."""

    def draw(rng: random.Random) -> Value:
        value = rng.choice(values)
        return value.replace("_", " "), value

    return draw


def integer(low: int, high: int, step: int) -> Draw:
    def draw(rng: random.Random) -> Value:
        number = rng.randrange(low, high + 1, step)
        return (spoken.words(number) if rng.random() < 0.5 else str(number)), number

    return draw


def clock(rng: random.Random) -> Value:
    """A time of day as HH:MM."""
    hour, minute = rng.randint(0, 23), rng.choice((0, 0, 15, 30, 45, 20))
    short = (hour - 1) % 12 + 1
    half = "a.m." if hour < 12 else "p.m."
    part = "in the morning" if hour < 12 else "in the evening" if hour > 17 else "in the afternoon"
    exact = f"{hour}:{minute:02d}" if hour > 12 else f"{short}:{minute:02d} {half}"
    forms = [exact, f"{short}{f':{minute:02d}' if minute else ''} {half}"]
    if not minute and 4 < hour < 22:
        forms.append(f"{spoken.words(short)} {part}")
    return rng.choice(forms), f"{hour:02d}:{minute:02d}"


def _variants(row: dict[str, Any]) -> Variants:
    match row["kind"]:
        case "text":
            return ((STRING, as_said(row["values"])),)
        case "choice":
            return (({"type": "string", "enum": row["values"]}, as_said(row["values"])),)
        case "number":
            low, high, step = row["range"]
            kinds = ({"type": "integer"}, {"type": "integer", "minimum": low, "maximum": high}, {"type": "number"})
            return tuple((kind, integer(low, high, step)) for kind in kinds)
        case "time":
            return ((STRING, as_said(stored("slots")["time"])), (CLOCK, clock))
        case kind:
            return ((STRING, as_said(stored("slots")[kind])),)


def slot(row: dict[str, Any]) -> Slot:
    """From a row of the table of tools."""
    return Slot(row["key"], _variants(row), row["ask"])
