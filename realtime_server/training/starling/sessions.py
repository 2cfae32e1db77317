"""Whole conversations: instructions, tools, and one to several exchanges of mixed kinds.

python -m realtime_server.training.starling.sessions --seed 1 --count 20      prints some
"""

import argparse
import random
from collections.abc import Callable

from realtime_server.training.starling import (
    acquaintance,
    arithmetic,
    calls,
    echo,
    held_out,
    knowledge,
    menus,
    orders,
    personas,
)
from realtime_server.training.starling.dialogue import Dialogue, Exchange
from realtime_server.training.starling.rendering import messages, plain_json

Kind = Callable[[random.Random], Exchange]


def _talk(persona: personas.Persona) -> list[tuple[float, Kind]]:
    """What can be talked about without tools, with weights."""
    kinds: list[tuple[float, Kind]] = [
        (4.0, knowledge.fact), (0.7, knowledge.follow_up), (0.15, knowledge.again), (1.7, knowledge.chat),
        (0.7, lambda rng: knowledge.not_known(rng, bool(persona.facts))), (1.8, arithmetic.exchange), (1.6, echo.exchange),
        (1.6, lambda rng: acquaintance.identity(persona, rng)), (0.3, lambda rng: acquaintance.greeting(persona, rng)),
    ]  # fmt: skip
    if persona.facts:
        much = 2.5 if len(persona.facts) > 25 else 1.0
        kinds += [
            (5.0 * much, lambda rng: acquaintance.stated(persona, rng)),
            (1.5 * much, lambda rng: acquaintance.unstated(persona, rng)),
        ]
    return kinds


def _drawn(kinds: list[tuple[float, Kind]], rng: random.Random, count: int) -> list[Exchange]:
    weights, makers = zip(*kinds, strict=True)
    return [maker(rng) for maker in rng.choices(makers, weights, k=count)]


def _told(exchanges: list[Exchange], rng: random.Random) -> list[Exchange]:
    """Somewhere the user tells something, and later asks for it."""
    first, later = acquaintance.told(rng)
    place = rng.randint(0, len(exchanges))
    behind = rng.randint(place, len(exchanges))
    return [*exchanges[:place], first, *exchanges[place:behind], later, *exchanges[behind:]]


def talking(rng: random.Random) -> Dialogue:
    """Without tools."""
    persona = personas.sample(rng)
    exchanges = _drawn(_talk(persona), rng, rng.choice((1, 2, 3, 4, 5, 6, 8)))
    if rng.random() < 0.15:
        exchanges = _told(exchanges, rng)
    return Dialogue(persona.instructions, (), tuple(exchanges))


def calling(rng: random.Random) -> Dialogue:
    """With one to four tools; now and then none of them is wanted."""
    persona = personas.sample(rng)
    tools = calls.sampled(rng, rng.choice((1, 1, 2, 2, 3)))
    exchanges: list[Exchange] = []
    for _ in range(rng.choice((2, 3, 4, 5))):
        pick = rng.random()
        if pick < 0.48:
            exchanges.append(calls.single(rng.choice(tools), rng))
        elif pick < 0.6:
            exchanges.append(rng.choice((calls.several, calls.pair))(tools, rng))
        elif pick < 0.72:
            exchange = calls.asked_back(rng.choice(tools), rng)
            exchanges.append(exchange or calls.single(rng.choice(tools), rng))
        elif pick < 0.82:
            exchanges.append(calls.not_able(tools, rng))
        else:
            exchanges += _drawn(_talk(persona), rng, 1)
    return Dialogue(persona.instructions, tuple(offer.tool for offer in tools), tuple(exchanges))


def ordering(rng: random.Random) -> Dialogue:
    """A shop with its menu as a tool, perhaps another tool beside it."""
    persona, shop = personas.sample(rng), menus.shop(rng)
    beside = calls.sampled(rng, 1 if rng.random() < 0.3 else 0)
    tools = [shop.tool, *(offer.tool for offer in beside)]
    rng.shuffle(tools)
    exchanges: list[Exchange] = []
    for _ in range(rng.choice((2, 3, 4, 5))):
        pick = rng.random()
        if pick < 0.8:
            exchanges.append(orders.any_of(shop, rng))
        elif beside and pick < 0.9:
            exchanges.append(calls.single(beside[0], rng))
        else:
            exchanges += _drawn(_talk(persona), rng, 1)
    spoken_for = orders.instructions(shop, rng) if rng.random() < 0.6 else persona.instructions
    return Dialogue(spoken_for, tuple(tools), tuple(exchanges))


def sample(rng: random.Random) -> Dialogue:
    """One that touches nothing that is measured."""
    while True:
        dialogue = rng.choices((talking, calling, ordering), (0.5, 0.27, 0.23))[0](rng)
        if not held_out.touches(dialogue):
            return dialogue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for _ in range(options.count):
        dialogue = sample(rng)
        print(plain_json([tool.declared() for tool in dialogue.tools]))
        for message in messages(dialogue.instructions, dialogue.turns):
            print("  ", plain_json(message))


if __name__ == "__main__":
    main()
