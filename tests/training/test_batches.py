"""How rows are put together."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.wren.batches import LONGER, alike


@given(st.lists(st.integers(1, 2000)), st.integers(1, 30))
def test_rows_that_go_together_are_of_like_lengths(lengths: list[int], together: int) -> None:
    parts = alike(lengths, together, lambda length: length)
    assert sorted(row for part in parts for row in part) == sorted(lengths)
    for part in parts:
        assert 1 <= len(part) <= together
        assert max(part) <= LONGER * min(part)


@given(st.lists(st.integers(1, 2000), min_size=1), st.integers(1, 30))
def test_there_are_no_more_parts_than_that_needs(lengths: list[int], together: int) -> None:
    parts = alike(lengths, together, lambda length: length)
    for part, following in pairwise(parts):
        assert len(part) == together or min(following) > LONGER * min(part)
