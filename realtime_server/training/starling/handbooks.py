"""Sections of long instructions: opening hours of each day, price lists, shelves, courses, desks, lines, halls, and the like.

Each makes rows as `notices` does, with what has to be looked up, compared or reckoned from the section, and what it lacks.
"""

import random
from collections.abc import Callable

from realtime_server.training.starling import spoken
from realtime_server.training.starling.notices import Row, row
from realtime_server.training.starling.tables import stored

Section = Callable[[random.Random], list[Row]]
MOST_ROWS = 14


def listed(parts: list[str]) -> str:
    """'a, b and c'."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _filled(key: str, *words: str) -> list[str]:
    return [spoken.upper_first(ask.format(*words)) for ask in stored("handbooks")[key]]


def lacking(key: str, *words: str) -> Row:
    """Something that the section could tell, but does not."""
    return row(_filled(key, *words), stored("handbooks")["unknown"])


def first_written(rows: list[Row], written: str, topic: str, rng: random.Random) -> list[Row]:
    """Some of the rows; the first holds what is written of them all."""
    chosen = rng.sample(rows, min(MOST_ROWS, len(rows)))
    return [{**chosen[0], "written": [written], "topic": topic}, *chosen[1:]]


def prices(rng: random.Random) -> list[Row]:
    """Of six to twelve things; some are not on the list."""
    table, unit = stored("handbooks"), rng.choice(("euros", "dollars", "pounds", "francs"))
    shop = rng.choice(table["goods"])
    goods, count = rng.sample(shop, len(shop)), rng.randint(6, len(shop) - 2)
    cents = rng.choice((0, 0, 50, 90))
    costs = [n + rng.choice((0, cents)) / 100 for n in rng.sample(range(2, 90), count)]
    told = {good: f"{cost:.2f} {unit}" if cost % 1 else f"{cost:.0f} {unit}" for good, cost in zip(goods, costs, strict=False)}
    known = dict(zip(goods, costs, strict=False))
    rows = [
        row(_filled("how much", good), [f"The {good} costs {price}.", f"It costs {price}."]) for good, price in told.items()
    ]
    rows += [lacking("unpriced", good) for good in goods[count : count + 2]]
    rows += (
        [comparison(known, told, rng) for _ in range(3)] + _ends(known, told) + [_reckoned(known, unit, rng) for _ in range(3)]
    )
    written = rng.choice(table["prices heading"]) + ", ".join(f"{good} {price}" for good, price in told.items()) + "."
    return first_written(rows, spoken.upper_first(written), "", rng)


def comparison(costs: dict[str, float], told: dict[str, str], rng: random.Random) -> Row:
    a, b = rng.sample(list(costs), 2)
    if rng.random() < 0.6:
        less = min(a, b, key=lambda good: costs[good])
        return row(_filled("cheaper", a, b), [f"The {less} is cheaper, it costs {told[less]}.", f"The {less}."])
    more = costs[a] > costs[b]
    return row(
        _filled("dearer", a, b),
        [f"{'Yes' if more else 'No'}, the {a} costs {told[a]} and the {b} {told[b]}."],
    )


def _ends(costs: dict[str, float], told: dict[str, str]) -> list[Row]:
    low, high = min(costs, key=lambda good: costs[good]), max(costs, key=lambda good: costs[good])
    return [
        row(_filled("least"), [f"The cheapest is the {low} for {told[low]}."]),
        row(_filled("most"), [f"The most expensive is the {high} for {told[high]}."]),
    ]


def _reckoned(costs: dict[str, float], unit: str, rng: random.Random) -> Row:
    """Of whole prices: two together, or whether the money is enough."""
    whole = [good for good, cost in costs.items() if not cost % 1]
    if len(whole) > 1 and rng.random() < 0.5:
        a, b = rng.sample(whole, 2)
        x, y = int(costs[a]), int(costs[b])
        return row(_filled("both", a, b), [f"{x} plus {y} is {x + y}, so together they cost {x + y} {unit}."])
    good = rng.choice(list(costs))
    money = rng.choice((5, 10, 20, 50, 100))
    price = f"{costs[good]:.2f}" if costs[good] % 1 else f"{costs[good]:.0f}"
    answer = f"{'Yes' if costs[good] <= money else 'No'}, the {good} costs {price} {unit}."
    return row(_filled("enough", str(money), unit, good), [answer])


def shelves(rng: random.Random) -> list[Row]:
    """What stands where; some things stand nowhere."""
    table, place = stored("handbooks"), rng.choice(stored("handbooks")["places"])
    count = rng.randint(5, 10)
    goods, numbers = rng.sample(table["stock"], count + 2), rng.sample(range(1, 30), count)
    on = "on" if place == "shelf" else "at" if place in ("counter", "stand") else "in"
    rows = []
    for good, number in zip(goods, numbers, strict=False):
        rows.append(row(_filled("find", good), [f"You find {good} {on} {place} {number}.", f"{on} {place} {number}."]))
        rows.append(
            row(_filled("inside", place, str(number)), [f"{on} {place} {number} you find {good}.", f"There you find {good}."])
        )
    rows += [lacking("find", good) for good in goods[count:]]
    style = rng.choice(("{place} {number}: {good}", "{good} {on} {place} {number}", "{good} are {on} {place} {number}"))
    parts = [style.format(place=place, number=n, good=good, on=on) for good, n in zip(goods, numbers, strict=False)]
    return first_written(rows, spoken.upper_first(rng.choice((", ", "; ")).join(parts)) + ".", "", rng)


def desks(rng: random.Random) -> list[Row]:
    """Who handles what, in which room, at which extension."""
    table, style = stored("handbooks"), rng.choice(stored("handbooks")["desk"])
    count = rng.randint(3, 6)
    tasks, people = rng.sample(table["desks"], count + 1), rng.sample(table["teachers"], count)
    rows, parts = [], []
    for task, person in zip(tasks, people, strict=False):
        room, number = str(rng.randint(1, 40)), str(rng.randint(10, 99))
        parts.append(spoken.upper_first(style.format(desk=task, person=person, room=room, number=number)))
        rows.append(row(_filled("desk who", task), [f"{person} handles {task}.", f"Please ask {person}."]))
        rows.append(row(_filled("desk room", person), [f"{person} is in room {room}.", f"In room {room}."]))
        rows.append(row(_filled("desk number", task), [f"The extension is {number}.", f"Please dial extension {number}."]))
    rows.append(lacking("desk who", tasks[-1]))
    return first_written(rows, " ".join(parts), "", rng)


def house_rules(rng: random.Random) -> list[Row]:
    table = stored("handbooks")
    fine, not_fine = rng.sample(table["allowed"], rng.randint(2, 5)), rng.sample(table["forbidden"], rng.randint(2, 6))
    rows = [row(_filled("rule", thing), ["Yes, that is allowed.", "Yes, that is fine."]) for thing in fine]
    rows += [row(_filled("rule", thing), ["No, that is not allowed.", "No, that is forbidden here."]) for thing in not_fine]
    parts = [
        rng.choice(table["allowed written"]).format(listed(fine)),
        rng.choice(table["forbidden written"]).format(listed(not_fine)),
    ]
    rng.shuffle(parts)
    return first_written(rows, " ".join(parts), "", rng)


def lines(rng: random.Random) -> list[Row]:
    """Which line goes where."""
    table, line = stored("handbooks"), rng.choice(stored("handbooks")["line"])
    count = rng.randint(3, 6)
    stops, numbers = rng.sample(table["stops"], count + 1), rng.sample(range(1, 60), count)
    rows = []
    for stop, number in zip(stops, numbers, strict=False):
        rows.append(row(_filled("to", stop), [f"Take {line} {number} to {stop}.", f"{line} {number} goes to {stop}."]))
        rows.append(row(_filled("goes", line, str(number)), [f"{line} {number} goes to {stop}.", f"To {stop}."]))
    rows.append(lacking("to", stops[-1]))
    style = rng.choice(table["lines"])
    parts = [style.format(line, number, stop) for stop, number in zip(stops, numbers, strict=False)]
    return first_written(rows, spoken.upper_first(", ".join(parts)) + ".", "bus", rng)


def halls(rng: random.Random) -> list[Row]:
    """How many people fit where."""
    table = stored("handbooks")
    names = rng.sample(table["halls"], count := rng.randint(3, 5))
    sizes = dict(zip(names, rng.sample(range(8, 160), count), strict=True))
    rows = [row(_filled("seats", name), [f"{name} holds {size} people.", f"{size} people."]) for name, size in sizes.items()]
    for _ in range(3):
        a, b = rng.sample(names, 2)
        larger = max(a, b, key=lambda name: sizes[name])
        rows.append(row(_filled("larger", a, b), [f"{larger} is larger, it holds {sizes[larger]} people."]))
        people = max(2, sizes[a] + rng.randint(-30, 30))
        enough = "Yes" if people <= sizes[a] else "No"
        rows.append(row([f"There are {people} of us, is {a} large enough?"], [f"{enough}, {a} holds {sizes[a]} people."]))
    style = rng.choice(table["hall"])
    return first_written(rows, spoken.upper_first(", ".join(style.format(*pair) for pair in sizes.items())) + ".", "", rng)


def allergens(rng: random.Random) -> list[Row]:
    """What is in which dish; all that is in it is told."""
    table = stored("handbooks")
    dishes = rng.sample(table["dishes"], rng.randint(3, 6))
    rows, parts = [], []
    for dish in dishes:
        inside = rng.sample(table["contents"], rng.randint(1, 3))
        other = rng.choice([one for one in table["contents"] if one not in inside])
        one = rng.choice(inside)
        parts.append(f"{dish}: {listed(inside)}")
        rows.append(row(_filled("what in", dish), [f"The {dish} contains {listed(inside)}."]))
        rows.append(row(_filled("in dish", dish, one), [f"Yes, the {dish} contains {one}."]))
        rows.append(row(_filled("in dish", dish, other), [f"No, the {dish} contains only {listed(inside)}."]))
    return first_written(rows, f"Allergens of our dishes, which have no others: {'; '.join(parts)}.", "", rng)


def festivals(rng: random.Random) -> list[Row]:
    """What takes place in which month."""
    table = stored("handbooks")
    count = rng.randint(3, 5)
    what, months = rng.sample(table["festivals"], count + 1), sorted(rng.sample(range(12), count + 1))
    rng.shuffle(months)
    rows = []
    for event, month in zip(what[:-1], (table["months"][n] for n in months), strict=False):
        name = event.replace("a ", "the ", 1) if event.startswith("a ") else event
        rows.append(row(_filled("festival when", name), [f"{name} is in {month}.", f"In {month}."]))
        rows.append(row(_filled("festival what", month), [f"In {month} there is {event}."]))
    rows.append(lacking("festival when", what[-1].removeprefix("a ")))
    parts = [f"in {table['months'][n]} {event}" for event, n in zip(what[:-1], months, strict=False)]
    return first_written(rows, f"Events: {', '.join(parts)}.", "", rng)


def history(rng: random.Random) -> list[Row]:
    table = stored("handbooks")
    founder, was, year = rng.choice(table["founders"]), rng.choice(table["beginnings"]), rng.randint(1790, 1990)
    renovated = year + rng.randint(10, 30)
    rows = [
        row(
            ["Who founded it?", "Who started all this?", "Who was the founder?"],
            [f"It was founded by {founder}.", f"{founder}."],
        ),
        row(["In what year did it begin?", "When did it all begin?"], [f"It was founded in {year}."]),
        row(["What was in the building before?", "What was this building in former times?"], [f"Before, it was {was}."]),
        row(["When was it renovated?", "When did they renovate the building?"], [f"It was renovated in {renovated}."]),
    ]
    written = f"We were founded in {year} by {founder}. The building was {was} before and was renovated in {renovated}."
    return first_written(rows, written, "founded", rng)


def works(rng: random.Random) -> list[Row]:
    """How long things take."""
    table = stored("handbooks")
    count = rng.randint(3, 6)
    jobs, style = rng.sample(table["works"], count + 1), rng.choice(table["work"])
    spans = [rng.choice(table["spans"]) for _ in range(count)]
    rows = [
        row(_filled("how long", job), [f"{job} takes {span}.", f"It takes {span}."])
        for job, span in zip(jobs, spans, strict=False)
    ]
    rows.append(lacking("how long", jobs[-1]))
    parts = [style.format(job, span) for job, span in zip(jobs, spans, strict=False)]
    return first_written(rows, spoken.upper_first("; ".join(parts)) + ".", "", rng)


SECTIONS: tuple[Section, ...] = (
    prices, shelves, desks, house_rules, lines, halls, allergens, festivals, history, works,
)  # fmt: skip
