"""Buckets never give more than their limit allows over any span of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.session.quota import Exhausted, Quota


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 500), st.integers(0, 700)), max_size=60))
def test_nobody_gets_more_than_the_limit(steps: list[tuple[float, int, int]]) -> None:
    quota, now, granted, used_up = Quota(10, 1000), 0.0, 0, 0
    for wait, wanted, used in steps:
        now += wait
        try:
            reserved = quota.reserve(wanted, now)
        except Exhausted:
            continue
        assert 1 <= reserved <= wanted
        granted += 1
        used_up += used
        quota.settle(reserved, used, now)
        requests, tokens = quota.allowances(now)
        assert 0 <= requests.remaining <= 10
        assert 0 <= tokens.remaining <= 1000
        assert granted <= 10 + now * 10 / 60 + 1e-6
    assert used_up <= 1000 + now * 1000 / 60 + 700 + 1e-6


def test_what_was_not_used_comes_back_at_once() -> None:
    quota = Quota(10, 1000)
    quota.settle(quota.reserve(900, 0.0), 50, 0.0)
    assert quota.allowances(0.0)[1].remaining == 950


def test_the_error_says_when() -> None:
    quota = Quota(1, 1000)
    quota.reserve(1, 0.0)
    with pytest.raises(Exhausted, match=r"requests per min: limit 1\. Please try again in 60\.0s"):
        quota.reserve(1, 0.0)
    assert quota.reserve(1, 60.0) == 1
