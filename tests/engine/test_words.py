"""Numbers in words and back; text made plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.wren.words import ONES, TENS, number_in_words, plain


def number_from_words(words: str) -> int | None:
    """The number that these words name, or None: the inverse of `number_in_words` below one million."""
    total = group = 0
    parts = words.split()
    for word in parts:
        if word in ONES:
            group += ONES.index(word)
        elif word in TENS:
            group += 10 * TENS.index(word)
        elif word == "hundred":
            group *= 100
        elif word == "thousand":
            total, group = total + group * 1000, 0
        else:
            return None
    return total + group if parts else None


@given(st.integers(0, 999_999))
def test_numbers_come_back(number: int) -> None:
    assert number_from_words(number_in_words(number)) == number


@pytest.mark.parametrize(("text", "expected"), [
    ("What's the Capital of FRANCE?", "what's the capital of france"), ("21 degrees, sunny!", "twenty one degrees sunny"),
    ("", ""), ("  …  ", ""), ("it’s", "it's"), ("Zoë's café, señor", "zoe's cafe senor"),
])  # fmt: skip
def test_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(max_size=60))
def test_plain_is_plain(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert set(plain(text)) <= set("abcdefghijklmnopqrstuvwxyz' ")


def test_words_that_are_no_number() -> None:
    assert number_from_words("seven apples") is None
    assert number_from_words("") is None
