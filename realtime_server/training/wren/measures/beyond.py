"""What lies beyond the model's training, counted: the card's table of what stays wrong.

python -m realtime_server.training.wren.measures.beyond models/wren
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from realtime_server import messages as m
from realtime_server.engine.wren.words import DIGITS, plain, signed
from realtime_server.training.wren import tools
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dialogue import Dialogue, Say, Turn
from realtime_server.training.wren.lexicon import CITIES
from realtime_server.training.wren.measures.answers import context_of, load

NUMBER = 40
FAILURES = (
    '{"success": false}',
    '{"available": false}',
    "sold out",
    '{"status": "failed"}',
    '{"error": "sold out"}',
    '{"ok": false}',
)


def told(asker: Asker, asked: Dialogue, output: str) -> str:
    """What the model says when the function that it was asked to call has returned this."""
    before = context_of(Dialogue("", "", Say(""), tools=asked.tools, history=(Turn(asked.user, asked.reply),)))
    return plain(asker.go_on(m.Context("", before.tools, (*before.items, m.FunctionResult("result", "c", output)))).text)


def weather(asker: Asker, rng: random.Random, low: int, high: int) -> bool:
    asked, _ = tools.called(tools.weather, rng)
    degrees = rng.randint(low, high)
    return f" {signed(degrees)} degrees" in told(asker, asked, json.dumps({"temperature": degrees, "condition": "sunny"}))


def price(asker: Asker, rng: random.Random, low: int, high: int) -> bool:
    asked, _ = tools.called(tools.made_up, rng)
    euros = rng.randint(low, high)
    return told(asker, asked, json.dumps({"price": euros})) == f"the price is {signed(euros)}"


def failure(asker: Asker, rng: random.Random, output: str) -> bool:
    """Is it told as one, or at least as no success?"""
    asked, _ = tools.called(rng.choice((tools.coffee_order, tools.timer, tools.light, tools.contact)), rng)
    return plain(tools.done_words(asked)) not in told(asker, asked, output)


def digits(asker: Asker, rng: random.Random, length: int) -> bool:
    number = " ".join(rng.choice(DIGITS) for _ in range(length))
    return plain(asker.write(number, m.Context("", (), ()), audio=False).text) == number


def several(asker: Asker, rng: random.Random) -> bool:
    """Two results at once: are both told?"""
    asked, _ = tools.called(tools.weather, rng)
    cities = rng.sample(CITIES, 2)
    calls = [m.FunctionCall(f"call{n}", f"id{n}", "get_weather", json.dumps({"city": city})) for n, city in enumerate(cities)]
    results = [m.FunctionResult(f"result{n}", f"id{n}", '{"temperature": 20, "condition": "sunny"}') for n in range(2)]
    text = asker.go_on(m.Context("", context_of(asked).tools, (*calls, *results))).text
    return all(city in text for city in cities)


def counts(asker: Asker) -> Iterator[tuple[str, int, int]]:
    """(what, right, asked)."""
    kinds = {
        "degrees from 1 to 35, as trained": lambda rng: weather(asker, rng, 1, 35),
        "degrees from 36 to 50": lambda rng: weather(asker, rng, 36, 50),
        "degrees from 51 to 120": lambda rng: weather(asker, rng, 51, 120),
        "degrees below zero": lambda rng: weather(asker, rng, -40, -1),
        "another function's number from 1 to 99": lambda rng: price(asker, rng, 1, 99),
        "another function's number from 100 to 999": lambda rng: price(asker, rng, 100, 999),
        "another function's number below zero": lambda rng: price(asker, rng, -99, -1),
        **{f"failed, as `{output}`": lambda rng, output=output: failure(asker, rng, output) for output in FAILURES},
        "two results at once, both told": lambda rng: several(asker, rng),
        **{f"{n} digits read back": lambda rng, n=n: digits(asker, rng, n) for n in (7, 8, 10, 12)},
    }  # fmt: skip
    for what, right in kinds.items():
        rng = random.Random(what)
        yield what, sum(right(rng) for _ in range(NUMBER)), NUMBER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    options = parser.parse_args()
    print("| written, the weights alone | right |\n|---|---|")
    for what, right, asked in counts(Asker(load(options.model))):
        print(f"| {what} | {right} of {asked} |")


if __name__ == "__main__":
    main()
