"""What is told of the times that were measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import scripts

bench = scripts.load("bench_latency")
README = scripts.FOLDER.parent / "README.md"
times = st.lists(st.floats(0, 2), max_size=20)


def test_the_readme_has_the_table_that_is_printed() -> None:
    printed = bench.table({1: bench.Times(), 4: bench.Times(), 16: bench.Times()}).splitlines()
    text = README.read_text("utf-8").splitlines()
    at = text.index(printed[0])
    shown = text[at : at + len(printed)]
    assert [row.split(" | ")[0] for row in shown] == [row.split(" | ")[0] for row in printed]


@given(times, times, times, times)
def test_every_cell_has_both_percentiles_or_says_that_there_are_none(
    a: list[float], b: list[float], c: list[float], d: list[float]
) -> None:
    rows = bench.table({3: bench.Times(a, b, c, d)}).splitlines()[2:]
    for row, values in zip(rows, (a, b, c, d), strict=True):
        cell = row.strip("| ").split(" | ")[-1]
        if not values:
            assert cell == "none"
            continue
        p50, p95 = (int(number) for number in cell.split(" / "))
        assert min(values) * 1000 - 1 <= p50 <= p95 <= max(values) * 1000 + 1


@pytest.mark.parametrize("name", ["capital-of-france", "three-plus-four", "your-name", "capital-of-japan"])
def test_a_question_begins_and_ends_with_speech(name: str) -> None:
    samples, seconds = bench.question(name)
    assert abs(samples[0]) > 0.02
    assert abs(samples[-1]) > 0.02
    assert seconds == len(samples) / bench.RATE_HZ
