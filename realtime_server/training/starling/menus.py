"""Menus as tools: which slots a shop's client declares, what each takes, and how people say it.

A table's row of values reads "large=big, ~cone=>in a cone": the first is the value, the others are ways to say it. What begins
with "+" is said behind "with", with ">" behind the item, with "<" before it, and others where the slot's own place is. A value
with "~" is never said itself.
"""

import functools
import random
from dataclasses import dataclass, replace
from typing import Any

from realtime_server.training.starling.dialogue import Tool
from realtime_server.training.starling.tables import stored

PLACES = {"<": "before", "+": "with", ">": "behind"}


@dataclass(frozen=True)
class Form:
    """A way to say a value; `place` is "before" the item, "with" it or "behind" it."""

    text: str
    place: str


Choice = tuple[Any, tuple[Form, ...]]
"""What stands in the call, and the ways to say it."""


@dataclass(frozen=True)
class Slot:
    """A parameter as one client declares it; `base` is what can be named as left out."""

    key: str
    schema: dict[str, Any]
    choices: tuple[Choice, ...]
    base: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shop:
    """A menu as a tool. `kind` is d for drinks, f for food, g for goods; `count` the key of how many, where there is one."""

    tool: Tool
    kind: str
    place: str
    noun: str
    item: Slot
    slots: tuple[Slot, ...]
    count: str = ""


def _form(text: str, place: str) -> Form:
    return Form(text[1:], PLACES[text[0]]) if text[0] in PLACES else Form(text, place)


def _choice(text: str, place: str) -> Choice:
    value, *others = text.split("=")
    forms = [_form(other, place) for other in others]
    return value.removeprefix("~"), tuple(forms if value[0] == "~" else (Form(value, place), *forms))


@functools.cache
def pool() -> dict[str, tuple[str, tuple[str, ...], str, tuple[Choice, ...]]]:
    """Of each kind of slot: the kinds of shops that have it, its keys, its place and its choices."""
    result = {}
    for name, (shops, keys, place, values) in stored("menus")["slots"].items():
        if place == "flag":
            said = [tuple(_form(form, "before") for form in forms.split("=")) for forms in values.split(" ; ")]
            choices = tuple(zip((True, False), said, strict=False))
        else:
            choices = tuple(_choice(value, "with" if place == "amount" else place) for value in values.split(", "))
        result[name] = (shops, tuple(keys.split(", ")), place, choices)
    return result


def _cased(key: str, camel: bool) -> str:
    first, *rest = key.split(" ")
    return first + "".join(map(str.title, rest)) if camel else "_".join((first, *rest))


def spaced(key: str) -> str:
    """'cupSize' or 'cup_size' -> 'cup size'."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key).replace("_", " ")


def _inside(words: str, texts: set[str]) -> bool:
    return any(f" {words} " in f" {text} " for text in texts)


def _apart(choices: tuple[Choice, ...], taken: set[str], items: set[str]) -> tuple[Choice, ...]:
    """Without what is said of another slot too, or would be taken for a part of an item's name."""
    result: list[Choice] = []
    for value, forms in choices:
        own = {form.text for form in forms} | {str(value)}
        clear = tuple(form for form in forms if form.text not in taken and not _inside(form.text, items))
        if clear and str(value) not in taken:
            result.append((value, clear))
            taken |= own
    return tuple(result)


def _amounts(choices: tuple[Choice, ...], rng: random.Random) -> tuple[tuple[Choice, ...], float]:
    """(choices with amounts before them, how often they are listed): each with its amount, or the plain value, however much is
    said of it."""
    amounts, loosely = stored("menus")["amounts"], stored("menus")["loosely"]
    if rng.random() < 0.25:
        return tuple((v, tuple(Form(much + str(v), "with") for much in loosely)) for v, _ in choices), 1.0
    some = ["", *rng.sample(amounts, rng.choice((1, 1, 2, 2, 3, 5)))]
    choices = tuple(rng.sample(choices, min(len(choices), 6)))
    each = [much + str(value) for value, _ in choices for much in some]
    return tuple((text, (Form(text, "with"),)) for text in each), 0.75


def _schema(choices: tuple[Choice, ...], listed: bool) -> dict[str, Any]:
    if isinstance(choices[0][0], bool):
        return {"type": "boolean"}
    return {"type": "string", "enum": [value for value, _ in choices]} if listed else {"type": "string"}


def _described(schema: dict[str, Any], key: str, way: str) -> dict[str, Any]:
    text = way.format(key)
    return {**schema, "description": text[:1].upper() + text[1:]} if way else schema


def _slot(name: str, taken: set[str], items: set[str], rng: random.Random) -> Slot | None:
    """Some of its values. Where nothing is listed, what is said is what stands in the call."""
    _, keys, place, choices = pool()[name]
    if place != "flag":
        most = len(choices)
        choices = tuple(rng.sample(choices, rng.randint(min(2, most), most)))
    choices, key = _apart(choices, taken, items), rng.choice(keys)
    if not choices:
        return None
    base, often = tuple(str(value) for value, _ in choices) if place == "amount" else (), 0.85
    if place == "amount":
        choices, often = _amounts(choices, rng)
        key += rng.choice(("", "", " amount"))
    itself = all(forms[0].text == value for value, forms in choices)
    listed = rng.random() < often or not itself
    if not listed:
        choices = tuple((value, forms[:1]) for value, forms in choices)
    return Slot(key, _schema(choices, listed), choices, base)


def _slots(names: list[str], items: set[str], rng: random.Random) -> list[Slot]:
    """One of each key."""
    taken = set(items)
    slots = [slot for name in names if (slot := _slot(name, taken, items, rng))]
    return list({slot.key: slot for slot in slots}.values())


def _built(row: dict[str, Any], tool: tuple[str, str], slots: list[Slot], key: str, rng: random.Random) -> Shop:
    """The tool, its keys in snake case or camel case, each described or not."""
    camel, way = rng.random() < 0.5, rng.choice(("", "", *stored("menus")["described"]))
    items = row["items"].split(", ")
    choices = tuple((item, (Form(item, "before"),)) for item in items)
    spaced = [Slot(key, _schema(choices, rng.random() < 0.8), choices), *slots]
    named = [replace(s, key=_cased(s.key, camel), schema=_described(s.schema, s.key, way)) for s in spaced]
    properties = {slot.key: slot.schema for slot in named}
    count = (
        _cased(rng.choice(("count", "quantity", "how many", "number")), camel)
        if row.get("count") and rng.random() < 0.6
        else ""
    )
    if count in properties:
        count = ""
    if count:
        properties[count] = {"type": "integer"} | ({"minimum": 1} if rng.random() < 0.3 else {})
    required = [named[0].key] if rng.random() < 0.85 else []
    parameters = {"type": "object", "properties": properties, "required": required}
    name, description = tool
    built = Tool(_cased(name, camel and rng.random() < 0.5), description, parameters)
    return Shop(built, row["for"], row.get("place", "a shop"), row["noun"].replace("_", " "), named[0], tuple(named[1:]), count)


def _named(row: dict[str, Any], rng: random.Random) -> Shop:
    """A shop that there could be, with as many of its slots as its client cared to declare."""
    names = [rng.choice(name.split("|")) for name in row["slots"].split(", ") if rng.random() < 0.75]
    key = rng.choice(row["key"].split(", "))
    slots = [slot for slot in _slots(names, set(row["items"].split(", ")), rng) if slot.key != key]
    description = rng.choice((row["description"], row["description"], "Place an order.", ""))
    return _built(row, (rng.choice(row["names"].split(", ")).replace("_", " "), description), slots, key, rng)


def _made_up(rng: random.Random) -> Shop:
    """Of any product, with slots drawn from all that its kind of shop may have."""
    row = rng.choice((*stored("menus")["products"], *stored("menus")["menus"]))
    noun, items = row["noun"].replace("_", " "), row["items"].split(", ")
    row = {**row, "noun": noun, "items": ", ".join(rng.sample(items, rng.randint(3, len(items)))), "count": rng.random() < 0.4}
    fitting = [name for name, (shops, *_) in pool().items() if row["for"] in shops]
    key = rng.choice((noun, noun, "item", "product", f"{noun} type", f"kind of {noun}"))
    drawn = rng.sample(fitting, rng.randint(3, 6))
    slots = [slot for slot in _slots(drawn, set(row["items"].split(", ")), rng) if slot.key != key]
    verb = rng.choice(stored("menus")["verbs"]).replace("_", " ")
    name = rng.choice((f"{verb} {noun}", f"{noun} order", f"{verb} {noun}"))
    return _built(row, (name, rng.choice((f"Takes an order of {noun}.", f"{verb.title()} {noun}.", ""))), slots, key, rng)


def shop(rng: random.Random) -> Shop:
    table = stored("menus")["menus"]
    pick = rng.random()
    return _made_up(rng) if pick < 0.42 else _named(table[0] if pick < 0.56 else rng.choice(table), rng)
