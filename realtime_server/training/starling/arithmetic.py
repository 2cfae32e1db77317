"""Small sums in words and in digits. Answers are in digits, in which the model reckons best, and name what is reckoned."""

import random
from collections.abc import Callable

from realtime_server.training.starling import spoken
from realtime_server.training.starling.dialogue import Exchange
from realtime_server.training.starling.tables import stored

HELD_OUT = (
    "7 plus 5", "3 plus 4", "8 plus 6", "19 plus 4", "34 plus 15", "27 plus 36", "13 plus 13",
    "25 plus 10", "15 minus 9", "80 minus 25", "42 minus 17", "21 minus 6", "12 minus 5", "100 minus 1",
    "64 minus 31", "12 times 3", "6 times 7", "9 times 8", "11 times 4", "5 times 15", "3 times 2",
    "36 divided by 4", "56 divided by 8", "20 percent of 150", "half of 90", "3 times 60", "2 times 24", "9 plus 6",
    "20 minus 8", "half of 30", "50 minus 20", "80 divided by 4", "150 plus 200", "3 times 4", "2 times 10", "10 plus 10",
    "50 minus 40", "5 times 4", "2 times 60",
)  # fmt: skip
"""What measures ask for, left out of training whichever way round."""
Number = Callable[[int], str]
Asked = tuple[str, str]
"""A question and its answer."""


def _number(rng: random.Random) -> Number:
    return spoken.words if rng.random() < 0.5 else str


def held_out(answer: str) -> bool:
    """Does it name a sum of `HELD_OUT`, or the same the other way round?"""
    named = answer.lower().removesuffix(".")
    for sum_ in HELD_OUT:
        a, _, rest = sum_.partition(" ")
        kind, _, b = rest.rpartition(" ")
        if named.startswith((f"{sum_} is", f"{b} {kind} {a} is")):
            return True
    return False


def operation(rng: random.Random) -> tuple[int, str, int, int]:
    """(a, operator, b, result)."""
    kind = rng.choice(("plus", "plus", "minus", "minus", "times", "times", "divided by"))
    high = rng.choice((10, 20, 50, 100))
    a, b = rng.randint(1, high), rng.randint(1, high)
    if kind == "minus":
        a, b = max(a, b), min(a, b)
    if kind in ("times", "divided by"):
        a, b = rng.randint(2, 12), rng.randint(2, 12)
    if kind == "divided by":
        return a * b, kind, b, a
    return a, kind, b, {"plus": a + b, "minus": a - b, "times": a * b}[kind]


def sums(rng: random.Random) -> Asked:
    a, kind, b, result = operation(rng)
    n = _number(rng)
    asked = f"{n(a)} {kind} {n(b)}"
    answer = f"{a} {kind} {b} is {result}."
    ask = rng.choice((
        "What is {}?", "What's {}?", "How much is {}?", "{}?", "Can you tell me what {} is?", "Calculate {}.",
        "Please work out {}.", "What does {} make?", "And {}?", "{} makes what?", "Tell me {}.", "Do you know what {} is?",
    ))  # fmt: skip
    return spoken.upper_first(ask.format(asked)), answer


def parts(rng: random.Random) -> Asked:
    """Halves, doubles, percentages."""
    n, kind = _number(rng), rng.choice(("half", "double", "percent", "quarter"))
    if kind == "half":
        a = rng.randint(2, 60) * 2
        return rng.choice((f"What is half of {n(a)}?", f"Half of {n(a)}?")), f"Half of {a} is {a // 2}."
    if kind == "double":
        a = rng.randint(3, 99)
        return rng.choice((f"What's double {n(a)}?", f"What is twice {n(a)}?")), f"Twice {a} is {2 * a}."
    if kind == "quarter":
        a = rng.randint(2, 25) * 4
        return f"What is a quarter of {n(a)}?", f"A quarter of {a} is {a // 4}."
    share, a = rng.choice(((10, 10), (20, 5), (25, 4), (50, 2), (5, 20)))
    a *= rng.randint(2, 12)
    return (
        f"What is {n(share)} percent of {n(a)}?",
        f"{share} percent of {a} is {a * share // 100}.",
    )


def conversion(rng: random.Random) -> Asked:
    n = _number(rng)
    unit, parts_, size = rng.choice((
        ("hours", "minutes", 60), ("minutes", "seconds", 60), ("days", "hours", 24), ("weeks", "days", 7),
        ("years", "months", 12), ("metres", "centimetres", 100), ("kilograms", "grams", 1000), ("kilometres", "metres", 1000),
        ("dozen", "pieces", 12), ("litres", "millilitres", 1000),
    ))  # fmt: skip
    a = rng.randint(2, 9)
    ask = rng.choice(("How many {p} are in {a} {u}?", "{a} {u}, how many {p} is that?", "How many {p} is {a} {u}?"))
    return (
        spoken.upper_first(ask.format(p=parts_, a=n(a), u=unit)),
        f"{a} times {size} is {a * size}, so {a} {unit} are {a * size} {parts_}.",
    )


def money(rng: random.Random) -> Asked:
    n, currency = _number(rng), rng.choice(("euros", "dollars", "pounds"))
    price, count = rng.randint(2, 15), rng.randint(2, 9)
    things = rng.choice(("tickets", "books", "cups", "apples", "cakes", "pens", "shirts"))
    if rng.random() < 0.5:
        ask = f"One of the {things} costs {n(price)} {currency}. What do {n(count)} {things} cost?"
        return ask, f"{count} times {price} is {price * count}, so {count} {things} cost {price * count} {currency}."
    paid = rng.choice((20, 50, 100))
    ask = f"It costs {n(price)} {currency} and I pay with {n(paid)}. How much do I get back?"
    return ask, f"{paid} minus {price} is {paid - price}, so you get {paid - price} {currency} back."


def left_over(rng: random.Random) -> Asked:
    n = _number(rng)
    things, who = (
        rng.choice(("apples", "eggs", "sweets", "coins", "cards", "balloons")),
        rng.choice(("my friend", "my son", "Lea")),
    )
    a = rng.randint(5, 30)
    b = rng.randint(1, a - 1)
    if rng.random() < 0.5:
        ask = f"I have {n(a)} {things} and give {n(b)} to {who}. How many are left?"
        return ask, f"{a} minus {b} is {a - b}, so {a - b} {things} are left."
    return (
        f"I have {n(a)} {things} and get {n(b)} more. How many do I have?",
        f"{a} plus {b} is {a + b}, so you have {a + b} {things}.",
    )


def clock(rng: random.Random) -> Asked:
    hour, minute, later = rng.randint(1, 11), rng.choice((0, 10, 15, 20, 30, 45)), rng.choice((10, 15, 20, 30, 45, 60, 90))
    total = hour * 60 + minute + later
    then = f"{(total // 60 - 1) % 12 + 1}:{total % 60:02d}"
    ask = rng.choice(
        ("It is {}. What time is it in {} minutes?", "My meeting starts at {} and takes {} minutes. When does it end?")
    )
    answer = f"At {then}." if "meeting" in ask else f"Then it will be {then}."
    return ask.format(f"{hour}:{minute:02d}", later), answer


def compare(rng: random.Random) -> Asked:
    n = _number(rng)
    a, b = rng.sample(range(2, 100), 2)
    if rng.random() < 0.5:
        return f"Which is more, {n(a)} or {n(b)}?", f"{max(a, b)} is more."
    return f"Is {n(a)} more than {n(b)}?", f"{'Yes' if a > b else 'No'}, {a} is {'more' if a > b else 'less'} than {b}."


def together(rng: random.Random) -> Asked:
    """Two or three amounts of things."""
    n, table = _number(rng), stored("problems")
    things, a, b = rng.choice(table["things"]), rng.randint(2, 40), rng.randint(2, 40)
    if rng.random() < 0.3:
        c = rng.randint(2, 20)
        ask = rng.choice(table["three"]).format(a=n(a), b=n(b), c=n(c), things=things)
        return spoken.upper_first(ask), f"{a} plus {b} plus {c} is {a + b + c}."
    ask = rng.choice(table["more"]).format(a=n(a), b=n(b), things=things, who=rng.choice(table["people"]))
    return spoken.upper_first(ask), f"{a} plus {b} is {a + b}, so {a + b} {things}."


def fewer(rng: random.Random) -> Asked:
    n, table = _number(rng), stored("problems")
    a = rng.randint(6, 60)
    b = rng.randint(2, a - 2)
    things = rng.choice(table["things"])
    ask = rng.choice(table["less"]).format(a=n(a), b=n(b), things=things, who=rng.choice(table["people"]))
    return spoken.upper_first(ask), f"{a} minus {b} is {a - b}, so {a - b} {things}."


def packs(rng: random.Random) -> Asked:
    """So many in each of so many, or shared out."""
    n, table = _number(rng), stored("problems")
    a, b, things = rng.randint(2, 12), rng.randint(2, 12), rng.choice(table["things"])
    if rng.random() < 0.5:
        ask = rng.choice(table["packs"]).format(a=n(a), b=n(b), things=things)
        return spoken.upper_first(ask), f"{a} times {b} is {a * b}, so {a * b} {things}."
    ask = rng.choice(table["shared"]).format(a=n(a * b), b=n(a), things=things)
    return spoken.upper_first(ask), f"{a * b} divided by {a} is {b}, so {b} {things} each."


def age(rng: random.Random) -> Asked:
    n, years = _number(rng), rng.randint(2, 30)
    now, who = rng.randint(5, 60), rng.choice(stored("problems")["people"])
    if rng.random() < 0.5:
        ask = rng.choice(
            ("{who} is {a}. How old will {who} be in {b} years?", "In {b} years, how old is {who}, who is {a} now?")
        )
        return spoken.upper_first(ask.format(who=who, a=n(now), b=n(years))), f"{now} plus {years} is {now + years}."
    now += years
    ask = "{who} is {a}. How old was {who} {b} years ago?"
    return spoken.upper_first(ask.format(who=who, a=n(now), b=n(years))), f"{now} minus {years} is {now - years}."


def reduced(rng: random.Random) -> Asked:
    """A price with so many percent off."""
    n, (share, step) = _number(rng), rng.choice(((10, 10), (20, 5), (25, 4), (50, 2)))
    price, unit = step * rng.randint(2, 20), rng.choice(("euros", "dollars", "pounds"))
    off = price * share // 100
    thing = rng.choice(("coat", "bag", "lamp", "chair", "ticket", "watch", "book"))
    ask = f"A {thing} costs {n(price)} {unit} and is {n(share)} percent off. What do I pay?"
    return ask, f"{share} percent of {price} is {off}, so you pay {price - off} {unit}."


def span(rng: random.Random) -> Asked:
    """From one hour to another, or how many hours so many minutes are."""
    if rng.random() < 0.5:
        first = rng.randint(1, 8)
        last = first + rng.randint(2, 4)
        ask = rng.choice(("How many hours are there from {} to {}?", "I work from {} until {}, how many hours is that?"))
        return ask.format(
            spoken.words(first), spoken.words(last)
        ), f"{last} minus {first} is {last - first}, so {last - first} hours."
    n, hours = _number(rng), rng.randint(3, 12)
    ask = rng.choice(("How many hours are {} minutes?", "{} minutes, how many hours is that?"))
    return spoken.upper_first(ask.format(n(hours * 60))), f"{hours * 60} divided by 60 is {hours}, so {hours} hours."


def after(rng: random.Random) -> Asked:
    """What comes after a number or before it, and what goes on in steps."""
    n, a = _number(rng), rng.randint(3, 200)
    pick = rng.random()
    if pick < 0.35:
        return f"Which number comes after {n(a)}?", f"{a + 1} comes after {a}."
    if pick < 0.7:
        return f"Which number comes before {n(a)}?", f"{a - 1} comes before {a}."
    step = rng.choice((2, 3, 5, 10))
    first = step * rng.randint(1, 6)
    row = [first + step * k for k in range(4)]
    return f"{', '.join(map(n, row[:3]))}, how does it go on?".capitalize(), f"{row[2]} plus {step} is {row[3]}."


KINDS = (
    sums, sums, sums, sums, sums, parts, parts, conversion, money, money, left_over, clock, compare, together, fewer, packs,
    age, reduced, span, after,
)  # fmt: skip


def exchange(rng: random.Random) -> Exchange:
    asked, answer = rng.choice(KINDS)(rng)
    while held_out(answer):
        asked, answer = rng.choice(KINDS)(rng)
    return Exchange.of("arithmetic", spoken.heard(asked, rng, errors=0), answer)
