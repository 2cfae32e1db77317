"""How a text is read out, in whatever pieces it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.talker.spoken_form import SpokenForm, certain, read_out

WORDS = [
    "It",
    "is",
    "about",
    "7:30",
    "pm",
    "Dr.",
    "Smith",
    "costs",
    "$12.50,",
    "20%",
    "on",
    "May",
    "5th.",
    "and",
    "café",
    "3",
    "km",
]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)


def spoken(text: str, size: int) -> SpokenForm:
    form, before = SpokenForm(), ""
    for start in range(0, len(text), size):
        form.add(text[start : start + size])
        assert form.letters.startswith(before)
        before = form.letters
    form.close()
    assert form.letters.startswith(before)
    return form


@given(TEXTS, st.integers(1, 9))
def test_digits_and_signs_become_words_in_whatever_pieces_they_come(text: str, size: int) -> None:
    letters = spoken(text, size).letters
    assert not any(c.isdigit() for c in letters)
    assert letters.isascii()


@given(st.text(max_size=40), st.integers(1, 9))
def test_whatever_is_written_is_read_out(text: str, size: int) -> None:
    letters = spoken(text, size).letters
    assert letters.isascii()
    assert not any(c.isdigit() for c in letters)


@given(TEXTS, st.integers(1, 9))
def test_what_was_read_out_grows_with_the_letters_from_nothing_to_all(text: str, size: int) -> None:
    form = spoken(text, size)
    characters = [form.characters(n) for n in range(len(form.letters) + 1)]
    assert characters == sorted(characters)
    assert characters[-1] == len(text)


@given(
    st.lists(st.sampled_from(["some", "plain", "words", "only", "here"]), min_size=1, max_size=9).map(" ".join),
    st.integers(1, 9),
)
def test_plain_words_are_read_as_they_are_written(text: str, size: int) -> None:
    form = spoken(text, size)
    assert form.letters == text
    assert all(text[: form.characters(n)] == text[:n] or text[n : n + 1] not in ("", " ") for n in range(len(text) + 1))


@pytest.mark.parametrize(("text", "words"), [
    ("It is 7:30 pm.", "It is seven thirty P M."), ("Dr. Smith has 3 items.", "doctor Smith has three items."),
    ("It is -3.5 °C.", "It is minus three point five degrees Celsius."), ("Sure! 7 + 5 = 12.", "Sure! seven plus five equals twelve."),
    ("**No** 😀 `x`", "No x"), ("A é6 2+", "A e six two"), ("", ""), (" \n", ""),
])  # fmt: skip
def test_read_out(text: str, words: str) -> None:
    assert read_out(text) == words


@pytest.mark.parametrize(("text", "sure"), [
    ("It is", "It"), ("It is 7", "It"), ("It is 7:30 pm and", "It is 7:30 pm"), ("See Dr. Smith", "See"), ("In Japan. It", "In Japan."),
    ("word", ""), ("12 34 56", ""),
])  # fmt: skip
def test_what_is_certain_ends_between_two_plain_words(text: str, sure: str) -> None:
    assert text[: certain(text)] == sure
