"""Numbers are their words however they are written, and errors are counted as words."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling.measures.word_errors import cardinal, errors, ordinal, word_error_rate, words

told = st.lists(st.sampled_from("a b c".split()), max_size=8)


@given(told, told)
def test_errors_are_a_distance(said: list[str], heard: list[str]) -> None:
    assert errors(said, heard) == errors(heard, said)
    assert (errors(said, heard) == 0) is (said == heard)
    assert abs(len(said) - len(heard)) <= errors(said, heard) <= max(len(said), len(heard))


def test_numbers_are_words() -> None:
    assert [cardinal(n) for n in (0, 12, 40, 99, 100, 1469, 1900, 2026, 12_345)] == [
        "zero", "twelve", "forty", "ninety nine", "one hundred", "fourteen sixty nine", "nineteen hundred", "two thousand twenty six",
        "twelve thousand three hundred forty five",
    ]  # fmt: skip
    assert [ordinal(n) for n in (1, 16, 20, 22)] == ["first", "sixteenth", "twentieth", "twenty second"]


def test_however_it_is_written_the_words_are_the_same() -> None:
    assert words("In the 16th century, Mr. Smith paid 2,300.") == words(
        "in the sixteenth century mister smith paid two thousand three hundred"
    )
    assert words("A 12-oz. latte & cream") == words("a twelve ounce latte and cream")


def test_all_pairs_count_together() -> None:
    assert word_error_rate([("one two", "one two"), ("three four five", "three for five")]) == 0.2
    assert word_error_rate([]) == 0.0
