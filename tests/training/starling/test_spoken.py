"""Numbers in words, and sentences as a recogniser writes them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling import spoken


@pytest.mark.parametrize(("number", "words"), [
    (0, "zero"), (13, "thirteen"), (40, "forty"), (85, "eighty-five"), (100, "one hundred"), (207, "two hundred and seven"),
    (1000, "one thousand"), (4012, "four thousand and twelve"), (5999, "five thousand nine hundred and ninety-nine"), (-6, "minus six"),
])  # fmt: skip
def test_numbers(number: int, words: str) -> None:
    assert spoken.words(number) == words


@given(st.integers(-999_999, 999_999), st.integers(-999_999, 999_999))
def test_numbers_differ(a: int, b: int) -> None:
    assert (spoken.words(a) == spoken.words(b)) == (a == b)


@given(st.integers(0, 2**32))
def test_without_errors_the_words_stay(seed: int) -> None:
    told = spoken.heard("Send 2.5 litres to Mr Baker.", random.Random(seed), errors=0).lower()
    assert told.rstrip(".").endswith("send 2.5 litres to mr baker")


def test_a_sentence_ends_once() -> None:
    assert spoken.sentence("we close at 6 p.m..") == "We close at 6 p.m."
