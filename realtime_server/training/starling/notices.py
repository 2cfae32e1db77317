"""Facts of instructions that stand in lists: hours by day, prices by item, floors by goods, who does what, what is allowed.

Each makes rows as in the table of facts: the first is written into the instructions, and each is asked for by itself.
"""

import random
from collections.abc import Callable
from typing import Any

from realtime_server.training.starling import spoken
from realtime_server.training.starling.tables import stored

Row = dict[str, Any]
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FLOORS = ("ground", "first", "second", "third")


def row(asked: list[str], answered: list[str], written: str = "", topic: str = "") -> Row:
    return {"written": [written], "asked": asked, "answered": answered, "topic": topic}


def hours(rng: random.Random) -> list[Row]:
    table = stored("notices")
    first = rng.randint(0, 2)
    last = rng.randint(first + 2, 5)
    from_, until = rng.choice(table["opening"]), rng.choice(table["closing"])
    written = rng.choice(table["hours"]).format(first=DAYS[first], last=DAYS[last], opens=from_, closes=until)
    inside, outside = rng.randint(first, last), rng.choice([n for n in range(7) if not first <= n <= last])
    return [
        row(table["opens"], [f"We open at {from_}.", f"From {from_}."], written, "hours"),
        row(table["closes"], [f"We close at {until}.", f"Until {until}."]),
        row(
            [ask.format(DAYS[inside]) for ask in table["open on"]],
            [f"Yes, on {DAYS[inside]} we are open from {from_} to {until}."],
        ),
        row([ask.format(DAYS[outside]) for ask in table["open on"]], [f"No, on {DAYS[outside]} we are closed."]),
        row(table["days"], [f"From {DAYS[first]} to {DAYS[last]}.", f"We are open {DAYS[first]} to {DAYS[last]}."]),
    ]


def prices(rng: random.Random) -> list[Row]:
    table = stored("notices")
    items = rng.sample(table["items"], rng.randint(2, 4))
    unit = rng.choice(("euros", "dollars", "pounds", "francs"))
    told = [f"{rng.randint(2, 80)}{rng.choice(('', '', '.50', '.90'))} {unit}" for _ in items]
    parts = [f"{item} {price}" for item, price in zip(items, told, strict=True)]
    written = f"{rng.choice(('Prices: ', 'Our prices: ', 'Price list: ', ''))}{', '.join(parts)}."
    rows = [
        row([ask.format(item) for ask in table["how much"]], [f"{item} costs {price}.", f"{item} is {price}."])
        for item, price in zip(items, told, strict=True)
    ]
    return [{**rows[0], "written": [written]}, *rows[1:]]


def floors(rng: random.Random) -> list[Row]:
    table = stored("notices")
    count = rng.randint(2, 4)
    goods = rng.sample(table["goods"], count)
    parts = [f"{floor} floor: {what}" for floor, what in zip(FLOORS, goods, strict=False)]
    rows = [
        row([ask.format(what) for ask in table["where"]], [f"{what} is on the {floor} floor.", f"On the {floor} floor."])
        for floor, what in zip(FLOORS, goods, strict=False)
    ]
    return [{**rows[0], "written": [". ".join(map(spoken.upper_first, parts)) + "."]}, *rows[1:]]


def people(rng: random.Random) -> list[Row]:
    names, tasks = rng.sample(stored("personas")["names"], 2), rng.sample(stored("notices")["tasks"], 2)
    titles = [rng.choice(("", "Mr ", "Mrs ", "Doctor ")) + name for name in names]
    asks = stored("notices")["who"]
    parts = [f"{name} does {task}" for name, task in zip(titles, tasks, strict=True)]
    rows = [
        row([ask.format(t) for ask in asks], [f"{n} does {t}.", f"That is {n}."]) for n, t in zip(titles, tasks, strict=True)
    ]
    return [{**rows[0], "written": [" and ".join(parts) + "."]}, *rows[1:]]


def rules(rng: random.Random) -> list[Row]:
    table = stored("notices")
    allowed, forbidden = rng.sample(table["things"], 2)
    written = rng.choice(table["rules"]).format(allowed=allowed, forbidden=forbidden)
    return [
        row([ask.format(allowed) for ask in table["may I"]], [f"Yes, {allowed} are allowed."], written),
        row([ask.format(forbidden) for ask in table["may I"]], [f"No, {forbidden} are not allowed."]),
    ]


KINDS: tuple[Callable[[random.Random], list[Row]], ...] = (hours, prices, floors, people, rules)


def sampled(rng: random.Random) -> list[Row]:
    """The rows of none, one or two kinds."""
    return [row for kind in rng.sample(KINDS, rng.choice((0, 1, 1, 2))) for row in kind(rng)]
