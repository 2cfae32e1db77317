"""What is told of a section stands in it, and comparisons are right."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling import handbooks, timetables
from realtime_server.training.starling.notices import Row
from realtime_server.training.starling.tables import stored

SEEDS = st.integers(0, 2**32)
KINDS = timetables.KINDS


def written(rows: list[Row]) -> str:
    return " ".join(rows[0]["written"]).casefold()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(SEEDS)
def test_a_section_is_written_once_and_asked_row_by_row(kind: handbooks.Section, seed: int) -> None:
    rows = kind(random.Random(seed))
    assert [bool(row["written"][0]) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert len(rows) <= handbooks.MOST_ROWS
    assert all(row["asked"] and row["answered"] for row in rows)
    assert not any("{" in text for row in rows for text in (*row["written"], *row["asked"], *row["answered"]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(SEEDS)
def test_numbers_of_answers_are_written_or_reckoned(kind: handbooks.Section, seed: int) -> None:
    rows = kind(random.Random(seed))
    inside = set(re.findall(r"\d+", written(rows)))
    for row in rows:
        for answer in row["answered"]:
            numbers = re.findall(r"\d+", answer)
            if " plus " in answer:
                a, b, result, again = map(int, numbers)
                assert a + b == result == again
                numbers = numbers[:2]
            assert inside >= set(numbers), answer


@given(SEEDS)
def test_cheaper_is_cheaper(seed: int) -> None:
    costs = {"kite": 4.5, "drum": 12.0}
    told = {"kite": "4.50 euros", "drum": "12 euros"}
    row = handbooks.comparison(costs, told, random.Random(seed))
    asked, answer = row["asked"][0], row["answered"][0]
    if "cheaper" in asked:
        assert answer == "The kite is cheaper, it costs 4.50 euros."
    else:
        assert answer.startswith("Yes, the drum" if asked.index("drum") < asked.index("kite") else "No, the kite")


@given(SEEDS)
def test_each_day_has_its_hours(seed: int) -> None:
    """Of a day no two rows tell different hours."""
    rows = timetables.week(random.Random(seed))
    for row in rows:
        for answer in row["answered"]:
            for time in re.findall(r"(?:half past )?\w+ in the \w+|\d+(?::\d\d)? [ap]\.m\.|\d+:\d\d|noon", answer):
                assert time in " ".join(rows[0]["written"]), (time, answer)


@given(SEEDS)
def test_what_a_section_lacks_is_not_known(seed: int) -> None:
    rows = [row for kind in KINDS for row in kind(random.Random(seed))]
    unknown = stored("handbooks")["unknown"]
    assert any(row["answered"] == unknown for row in rows)
    assert not any(set(row["answered"]) & set(unknown) and row["answered"] != unknown for row in rows)


def test_times_of_day() -> None:
    assert [clock(570) for clock in (timetables.digital, timetables.short, timetables.in_words)] == [
        "9:30", "9:30 a.m.", "half past nine in the morning",
    ]  # fmt: skip
    assert timetables.in_words(720) == "noon"
    assert timetables.short(780) == "1 p.m."


def test_lists_in_words() -> None:
    assert handbooks.listed(["a"]) == "a"
    assert handbooks.listed(["a", "b", "c"]) == "a, b and c"
