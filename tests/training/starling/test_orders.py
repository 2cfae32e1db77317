"""What an order says stands in its call, and nothing else."""

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.training.starling import menus, orders, spoken
from realtime_server.training.starling.dialogue import Calls, Exchange, Say, User

SEEDS = st.integers(0, 2**32)


def user(exchange: Exchange) -> str:
    first = exchange.turns[0]
    assert isinstance(first, User)
    return first.text


def answer(exchange: Exchange) -> str:
    last = exchange.turns[-1]
    assert isinstance(last, Say)
    return last.text


def plain(text: str) -> str:
    """In words and small letters, without marks."""
    figures = {figure: word for word, figure in orders.FIGURES.items()}
    return " ".join(figures.get(word, word) for word in re.sub(r"[,.?!;]", "", text.lower()).split())


@given(SEEDS)
@settings(max_examples=300)
def test_each_argument_was_said(seed: int) -> None:
    rng = random.Random(seed)
    shop = menus.shop(rng)
    exchange = orders.order(shop, rng)
    text, made = plain(user(exchange)), exchange.turns[1]
    assert isinstance(made, Calls)
    (call,) = made.calls
    slots = {slot.key: slot for slot in (shop.item, *shop.slots)}
    for key, value in call.arguments.items():
        if key == shop.count:
            forms = [str(value), spoken.words(value), *(["a couple of"] if value == 2 else [])]
        else:
            forms = [form.text for choice, ways in slots[key].choices if choice == value for form in ways]
            forms += [orders.plural(form) for form in forms]
        assert any(plain(form) in text for form in forms), (key, value, text)


@given(SEEDS)
@settings(max_examples=100)
def test_what_is_offered_is_all_that_is_listed(seed: int) -> None:
    rng = random.Random(seed)
    shop = menus.shop(rng)
    exchange = orders.offer(shop, rng)
    if exchange:
        listed = [slot.schema["enum"] for slot in shop.slots if "enum" in slot.schema]
        assert any(f"{', '.join(values[:-1])} or {values[-1]}" in answer(exchange) for values in listed)


@given(SEEDS)
@settings(max_examples=100)
def test_what_is_not_sold_is_not_listed(seed: int) -> None:
    rng = random.Random(seed)
    shop = menus.shop(rng)
    exchange = orders.not_sold(shop, rng)
    if exchange:
        assert not any(isinstance(turn, Calls) for turn in exchange.turns)
        assert not any(str(item) in user(exchange) for item, _ in shop.item.choices)
    else:
        assert "enum" not in shop.item.schema


def test_plurals() -> None:
    assert [orders.plural(word) for word in ("pear", "box", "berry", "tray", "tulips", "sandwich", "glass")] == [
        "pears", "boxes", "berries", "trays", "tulips", "sandwiches", "glasses",
    ]  # fmt: skip
