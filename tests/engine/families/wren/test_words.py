"""Numbers in words and back; text made plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.words import DIGITS, ONES, TENS, number_in_words, plain, with_signs


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


@given(st.integers(-(10**30), 10**30), st.integers(0, 10**6))
def test_signs_and_points_of_figures_are_said(whole: int, behind: int) -> None:
    words = plain(with_signs(f"{whole}.{behind}")).split()
    assert ("minus" in words) is (whole < 0)
    assert words[words.index("point") + 1 :] == [DIGITS[int(digit)] for digit in str(behind)]
    assert (
        plain(with_signs("-5 to -7, 2024-11-05, nine-to-five"))
        == "minus five to minus seven two thousand twenty four eleven five nine to five"
    )


@given(st.text(alphabet="0123456789٠٥²a -", max_size=60), st.integers(0, 6000))
def test_figures_of_any_length_are_read(text: str, length: int) -> None:
    words = plain(text + "9" * length)
    assert plain(words) == words
    assert len(words) <= 20 * (len(text) + length)
