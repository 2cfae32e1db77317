"""Instructions as clients write them: a name, a role, a place, facts of it."""

import random
from dataclasses import dataclass
from typing import Any

from realtime_server.training.starling import notices, spoken, timetables
from realtime_server.training.starling.tables import stored

Fact = dict[str, Any]
"""A row of the table: how a fact is `written` into the instructions, `asked` for and `answered`, and its `value`."""


@dataclass(frozen=True)
class Persona:
    """Who the assistant is by these instructions; `name` and `place` are empty where they say nothing of it."""

    instructions: str | None
    name: str = ""
    role: str = ""
    place: str = ""
    facts: tuple[tuple[Fact, str], ...] = ()


def _price(rng: random.Random) -> str:
    whole = rng.choice((rng.randint(1, 20), rng.randint(1, 300)))
    unit = rng.choice(("euros", "dollars", "pounds"))
    if rng.random() < 0.25:
        return f"{whole}.{rng.choice((50, 20, 90, 99, 25))} {unit}"
    return f"{spoken.words(whole) if rng.random() < 0.5 else whole} {unit}"


def value(fact: Fact, rng: random.Random) -> str:
    """What stands in the instructions and in the answer alike."""
    match fact["value"]:
        case list(values):
            return str(rng.choice(values))
        case {"from": low, "to": high}:
            return (spoken.words if rng.random() < 0.5 else str)(rng.randint(low, high))
        case "price":
            return _price(rng)
        case "phone":
            return " ".join(str(rng.randint(100, 999)) for _ in range(rng.choice((2, 3))))
        case "person":
            table = stored("personas")
            return f"{rng.choice(('Mr', 'Mrs', 'Doctor', rng.choice(table['names'])))} {rng.choice(table['surnames'])}"
        case "year":
            return str(rng.randint(1860, 2022))
        case kind:
            raise ValueError(f"no such kind of value: {kind}")


def without(known: list[Fact]) -> list[Fact]:
    """The facts of the table that are not among these, nor of a topic of theirs."""
    topics = {fact["topic"] for fact in known if fact.get("topic")}
    return [fact for fact in stored("personas")["facts"] if fact not in known and fact.get("topic") not in topics]


def _in_general(name: str, style: str, rng: random.Random) -> Persona:
    table = stored("personas")
    role = rng.choice(table["roles"])
    named = rng.choice(table["named role"]).format(name=name, role=role) if name else f"You are {role}."
    return Persona(f"{named} {style}".strip(), name, role)


def _singles(known: list[Fact], count: int, rng: random.Random) -> list[tuple[Fact, str]]:
    """Facts with their values, none of a topic that is known; of hours there can be several, of each other topic one."""
    result: dict[str, Fact] = {}
    for fact in rng.sample(free := without(known), min(count, len(free))):
        topic = fact.get("topic", "")
        result[fact["written"][0] if topic in ("", "hours") else topic] = fact
    return [(fact, value(fact, rng)) for fact in result.values()]


def _who(name: str, place: str, role: str, rng: random.Random) -> str:
    the = "an" if role[0] in "aeiou" else "the"
    if not name:
        return f"You are {the} {role} of {place}."
    return str(rng.choice(stored("personas")["named"])).format(name=name, the=the, role=role, place=place)


def _written(fact: Fact, told: str, rng: random.Random) -> str:
    return spoken.sentence(str(rng.choice(fact["written"])).format(told))


def _somewhere(name: str, style: str, rng: random.Random) -> Persona:
    """It works for a place, of which some facts are known."""
    _, place, role, doing = rng.choice(stored("personas")["places"])
    listed = notices.sampled(rng)
    facts = (*_singles(listed, rng.randint(1, 5), rng), *((row, "") for row in listed))
    written = " ".join(filter(None, (_written(fact, told, rng) for fact, told in facts)))
    who = _who(name, place, role, rng)
    parts = [who, style, f"{doing}.", written] if rng.random() < 0.3 else [who, f"{doing}.", written, style]
    return Persona(" ".join(filter(None, parts)), name, f"{'an' if role[0] in 'aeiou' else 'the'} {role}", place, facts)


def _in_detail(name: str, style: str, rng: random.Random) -> Persona:
    """It works for a place of which a whole handbook is written down, with manners among the facts."""
    _, place, role, doing = rng.choice(stored("personas")["places"])
    sections = timetables.sampled(rng)
    listed = [row for section in sections for row in section]
    singles = _singles(listed, rng.choice((3, 6, 10, 16, 24, 34, 60)), rng)
    pieces = [_written(fact, told, rng) for fact, told in singles]
    pieces += rng.sample(stored("handbooks")["manners"], rng.randint(0, 5))
    rng.shuffle(pieces)
    cuts = sorted(rng.randint(0, len(pieces)) for _ in range(rng.randint(0, 3)))
    blocks = [" ".join(pieces[start:end]) for start, end in zip([0, *cuts], [*cuts, len(pieces)], strict=True)]
    blocks += [" ".join(_written(row, "", rng) for row in section if row["written"][0]) for section in sections]
    rng.shuffle(blocks)
    head = f"{_who(name, place, role, rng)} {doing}."
    parts = [f"{head} {style}".strip(), *blocks] if rng.random() < 0.7 else [head, *blocks, style]
    text = rng.choice(("\n\n", "\n", " ")).join(filter(None, parts))
    facts = (*singles, *((row, "") for row in listed))
    return Persona(text, name, f"{'an' if role[0] in 'aeiou' else 'the'} {role}", place, facts)


def sample(rng: random.Random) -> Persona:
    table, kind = stored("personas"), rng.random()
    if kind < 0.1:
        return Persona(None if rng.random() < 0.7 else rng.choice(table["bare"]))
    name = rng.choice(table["names"]) if rng.random() < 0.7 else ""
    style = " ".join(filter(None, rng.sample(table["styles"], rng.choice((0, 1, 1, 2)))))
    make = _in_general if kind < 0.35 else _somewhere if kind < 0.7 else _in_detail
    return make(name, style, rng)


def oneself(persona: Persona, rng: random.Random) -> str:
    """Who it is, in one sentence."""
    of = f"{persona.role} of {persona.place}" if persona.place else persona.role
    if persona.name and of:
        return rng.choice(
            (f"I am {persona.name}, {of}.", f"My name is {persona.name}. I am {of}.", f"I'm {persona.name}, {of}.")
        )
    if persona.name:
        return f"My name is {persona.name}."
    return rng.choice((f"I am {of}.", f"I'm {of}.")) if of else "I am the assistant of this service."
