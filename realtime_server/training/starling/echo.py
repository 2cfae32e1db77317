"""Say after me, spell, read back, count: answers that consist of the user's own words."""

import random

from realtime_server.training.starling import spoken
from realtime_server.training.starling.dialogue import Exchange
from realtime_server.training.starling.tables import stored


def sentence(rng: random.Random) -> str:
    table = stored("echo")
    if rng.random() < 0.4:
        return str(rng.choice(table["short"]))
    return f"{rng.choice(table['subjects'])} {rng.choice(table['verbs'])}"


def repeat(rng: random.Random) -> Exchange:
    said = sentence(rng)
    lead = rng.choice(stored("echo")["leads"])
    mark = rng.choice((": ", ", ", " "))
    return Exchange.of("repeat", spoken.heard(f"{lead}{mark}{said}.", rng, errors=0), f"{spoken.upper_first(said)}.")


def spell(rng: random.Random) -> Exchange:
    word, ask = rng.choice(stored("echo")["words"]), rng.choice(stored("echo")["spell"])
    return Exchange.of("spell", spoken.heard(ask.format(word), rng, errors=0), f"{', '.join(word.upper())}.")


def digits(rng: random.Random) -> Exchange:
    """A number is read back digit by digit, in figures however it was heard."""
    number = [rng.randint(0, 9) for _ in range(rng.choice((1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 8, 8, 10, 11)))]
    style = rng.random()
    if style < 0.45:
        told = rng.choice((" ", " ", ", ")).join(spoken.DIGITS[n] for n in number)
    else:
        told = rng.choice(("", " ", " ", ", ", "-")).join(map(str, number))
    lead = rng.choice(stored("echo")["digits"])
    return Exchange.of(
        "digits", spoken.heard(spoken.upper_first(lead.format(told)), rng, errors=0), f"{' '.join(map(str, number))}."
    )


def count(rng: random.Random) -> Exchange:
    first = rng.choice((1, 1, 1, 2, 3, 5, 10))
    last = first + rng.randint(2, 9)
    back = rng.random() < 0.25
    numbers = list(range(first, last + 1))[:: -1 if back else 1]
    n = rng.choice((str, spoken.words))
    if back:
        ask = f"Count backwards from {n(last)} to {n(first)}."
    else:
        ask = f"Can you count from {n(first)} to {n(last)}?"
    return Exchange.of(
        "count", spoken.heard(ask, rng, errors=0), spoken.upper_first(", ".join(map(spoken.words, numbers)) + ".")
    )


KINDS = (repeat, repeat, repeat, spell, digits, digits, count)


def exchange(rng: random.Random) -> Exchange:
    return rng.choice(KINDS)(rng)
