"""Questions and answers of the tables: facts, small talk, what nobody can know; what the untuned model answered well."""

import functools
import json
import random

from realtime_server.training.starling import spoken
from realtime_server.training.starling.dialogue import Exchange, User
from realtime_server.training.starling.tables import lines

UNKNOWN = (
    "I do not know that.", "I'm sorry, I don't know.", "Sorry, I do not have that information.", "I can not know that, sorry.",
    "I am afraid I do not know.", "That I do not know, sorry.",
)  # fmt: skip
FUTURE = ("Nobody can know that, I am afraid.", "I can not predict that, sorry.", "I do not know, and nobody can say for sure.")
Asked = tuple[tuple[str, ...], tuple[str, ...]]
"""Questions that mean the same, answers of which each is right."""


def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(" | "))


@functools.cache
def relations() -> tuple[tuple[Asked, ...], ...]:
    """Of each relation all rows, with their questions and answers filled in."""
    result: list[list[Asked]] = []
    asks: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    for line in lines("relations.txt"):
        if line.startswith("? "):
            asks = _alternatives(line[2:])
            result.append([])
        elif line.startswith("! "):
            answers = _alternatives(line[2:])
        else:
            a, b = line.split("; ")
            filled = tuple(tuple(spoken.upper_first(t.format(a=a, b=b)) for t in texts) for texts in (asks, answers))
            result[-1].append((filled[0], filled[1]))
    return tuple(map(tuple, result))


@functools.cache
def table(name: str) -> tuple[Asked, ...]:
    """The rows of a table with a tab between questions and answers."""
    rows = (line.split("\t") for line in lines(name))
    return tuple((_alternatives(asks), _alternatives(answers)) for asks, answers in rows)


@functools.cache
def unknown() -> tuple[tuple[str, ...], ...]:
    """What nobody could know."""
    return tuple(_alternatives(line) for line in lines("unknown.txt") if not line.startswith("@ "))


@functools.cache
def unknown_of_a_place() -> tuple[tuple[str, ...], ...]:
    """What instructions might say of a place."""
    return tuple(_alternatives(line[2:]) for line in lines("unknown.txt") if line.startswith("@ "))


@functools.cache
def distilled() -> tuple[tuple[str, str], ...]:
    """What the untuned model answered itself, as `distil` wrote it."""
    rows = map(json.loads, lines("distilled.jsonl"))
    return tuple((row["question"], row["answer"]) for row in rows)


def _from(kind: str, asked: Asked, rng: random.Random) -> Exchange:
    return Exchange.of(kind, spoken.heard(rng.choice(asked[0]), rng), rng.choice(asked[1]))


def fact(rng: random.Random) -> Exchange:
    pick = rng.random()
    if pick < 0.45:
        return _from("fact", rng.choice(rng.choice(relations())), rng)
    if pick < 0.88:
        return _from("fact", rng.choice(table("facts.txt")), rng)
    question, answer = rng.choice(distilled())
    return Exchange.of("distilled", spoken.heard(question, rng, errors=0), answer)


def follow_up(rng: random.Random) -> Exchange:
    """The same is asked of another."""
    rows = rng.choice(
        [relation for relation in relations() if relation[0][0][0].startswith(("What is", "What currency", "Who wrote"))]
    )
    first, second = rng.sample(rows, 2)
    n = rng.randrange(len(first[0]))
    asked, again = first[0][n], second[0][n]
    lead = asked[: next(i for i, (x, y) in enumerate(zip(asked + "$", again + "%", strict=False)) if x != y)]
    lead = lead[: lead.rfind(" ") + 1]
    ending = again[len(lead) :]
    short = rng.choice(("And {}", "And what about {}", "What about {}")).format(ending.removesuffix(" in German?").rstrip("."))
    if not lead or not short.endswith("?") or " in " in ending:
        return _from("fact", first, rng)
    k = rng.randrange(len(first[1]))
    return Exchange.of("follow-up", spoken.heard(asked, rng), first[1][k], spoken.heard(short, rng, errors=0), second[1][k])


AGAIN = ("Pardon?", "Sorry, what?", "Say that again.", "Can you repeat that?", "What did you say?", "Once more please.")


def again(rng: random.Random) -> Exchange:
    """The answer was not understood, and is repeated."""
    before = fact(rng)
    user, answer = before.turns
    return Exchange("again", (user, answer, User(spoken.heard(rng.choice(AGAIN), rng, errors=0)), answer))


def chat(rng: random.Random) -> Exchange:
    return _from("chat", rng.choice(table("chat.txt")), rng)


def not_known(rng: random.Random, told: bool = False) -> Exchange:
    """`told`: instructions tell of a place, so that what they might say is not asked."""
    question = rng.choice(rng.choice(unknown() if told else (*unknown(), *unknown_of_a_place())))
    answers = FUTURE if " will " in question.lower() or question.startswith("Will") else UNKNOWN
    return Exchange.of("unknown", spoken.heard(question, rng, errors=0), rng.choice(answers))
