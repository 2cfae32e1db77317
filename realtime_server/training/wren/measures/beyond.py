"""What lies beyond the model's training, counted: the card's table of what stays wrong.

python -m realtime_server.training.wren.measures.beyond models/wren
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from realtime_server import messages as m
from realtime_server.engine.families.wren.words import DIGITS, plain, signed
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


KINDS: dict[str, Callable[[Asker, random.Random], bool]] = {
    "degrees from 1 to 35, as trained": partial(weather, low=1, high=35),
    "degrees from 36 to 50": partial(weather, low=36, high=50),
    "degrees from 51 to 120": partial(weather, low=51, high=120),
    "degrees below zero": partial(weather, low=-40, high=-1),
    "another function's number from 1 to 99": partial(price, low=1, high=99),
    "another function's number from 100 to 999": partial(price, low=100, high=999),
    "another function's number below zero": partial(price, low=-99, high=-1),
    **{f"failed, as `{output}`": partial(failure, output=output) for output in FAILURES},
    "two results at once, both told": several,
    **{f"{length} digits read back": partial(digits, length=length) for length in (7, 8, 10, 12)},
}


def counts(asker: Asker, number: int = NUMBER) -> Iterator[tuple[str, int]]:
    """(what was asked, how often it was right)."""
    for what, right in KINDS.items():
        rng = random.Random(what)
        yield what, sum(right(asker, rng) for _ in range(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    options = parser.parse_args()
    print("| written, the weights alone | right |\n|---|---|")
    for what, right in counts(Asker(load(options.model))):
        print(f"| {what} | {right} of {NUMBER} |")


if __name__ == "__main__":
    main()
