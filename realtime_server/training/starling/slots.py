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


def meant(values: dict[str, list[str]]) -> Draw:
    """One of a choice, said in one of the words that mean it."""

    def draw(rng: random.Random) -> Value:
        value = rng.choice(list(values))
        return rng.choice(values[value]), value

    return draw


def flag(yes: list[str], no: list[str]) -> Draw:
    def draw(rng: random.Random) -> Value:
        value = rng.random() < 0.5
        return rng.choice(yes if value else no), value

    return draw


def several(values: list[str]) -> Draw:
    """A list, said one behind the other."""

    def draw(rng: random.Random) -> Value:
        chosen = rng.sample(values, min(len(values), rng.choice((1, 2, 2, 3))))
        said = [value.replace("_", " ") for value in chosen]
        return (said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"), chosen

    return draw


def duration(unit: str) -> Draw:
    """In whole units, whatever unit it is said in."""
    one = UNITS[unit]

    def draw(rng: random.Random) -> Value:
        fitting = {name: seconds for name, seconds in UNITS.items() if seconds >= one}
        name = rng.choice(list(fitting))
        usual = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 40, 45, 50)
        number = rng.choice(usual) if name == unit and name != "hours" else rng.randint(1, 5)
        words = spoken.words(number) if rng.random() < 0.6 else str(number)
        said = f"{words} {name}" if number > 1 else f"{'an' if name == 'hours' else 'one'} {name[:-1]}"
        seconds = number * fitting[name]
        if one <= 60 and rng.random() < 0.2:
            said, seconds = rng.choice((("half an hour", 1800), ("an hour and a half", 5400), ("a quarter of an hour", 900)))
        return said, seconds // one

    return draw


def decimal(low: int, high: int) -> Draw:
    """Whole, or with a half or a digit behind the point."""

    def draw(rng: random.Random) -> Value:
        whole = rng.randint(low, high - 1)
        words = spoken.words(whole)
        tenth = rng.choice((1, 2, 3, 4, 6, 7, 8, 9))
        return rng.choice((
            (words, whole), (str(whole), whole), (f"{words} and a half", whole + 0.5), (f"{whole}.5", whole + 0.5),
            (f"{words} point {spoken.words(tenth)}", round(whole + tenth / 10, 1)),
        ))  # fmt: skip

    return draw


UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}


def _described(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "description": row["description"]} if "description" in row else {"type": kind}


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
        case "meant":
            return (({"type": "string", "enum": list(row["values"])}, meant(row["values"])),)
        case "flag":
            return ((_described("boolean", row), flag(row["yes"], row["no"])),)
        case "several":
            items = {"type": "string", "enum": row["values"]}
            return (({"type": "array", "items": items}, several(row["values"])),)
        case "duration":
            return tuple(
                ({"type": kind, "description": text.format(row["unit"])}, duration(row["unit"]))
                for kind in ("integer", "number") for text in ("In {}", "How long, in {}", "Duration in {}")
            )  # fmt: skip
        case "decimal":
            return ((_described("number", row), decimal(*row["range"])),)
        case "time":
            return ((STRING, as_said(stored("slots")["time"])), (CLOCK, clock))
        case kind:
            return ((STRING, as_said(stored("slots")[kind])),)


def slot(row: dict[str, Any]) -> Slot:
    """From a row of the table of tools."""
    return Slot(row["key"], _variants(row), row["ask"])
