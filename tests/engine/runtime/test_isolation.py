"""Failing together is not failing alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.contract import DeviceLost
from realtime_server.engine.runtime.isolation import answers, run
from realtime_server.engine.runtime.steps import Broken


def halves(steps: list[int]) -> list[float]:
    return [1 / step for step in steps]


@given(st.dictionaries(st.integers(), st.integers(0, 3)))
def test_a_bad_step_is_broken_and_the_others_are_answered(steps: dict[int, int]) -> None:
    answered = answers(halves, steps)
    assert answered.keys() == steps.keys()
    for number, step in steps.items():
        answer = answered[number]
        assert isinstance(answer.error, ZeroDivisionError) if isinstance(answer, Broken) else answer == 1 / step
        assert isinstance(answer, Broken) == (step == 0)


@given(st.lists(st.integers(0, 3)))
def test_all_groups_are_answered_in_the_order_of_their_steps(steps: list[int]) -> None:
    groups = [(halves, {n: s for n, s in enumerate(steps) if s % 2 == odd}) for odd in (1, 0)]
    answered = run(groups, torch.device("cpu"))
    assert [None if isinstance(answer, Broken) else answer for answer in answered] == [1 / s if s else None for s in steps]


def test_where_the_device_computes_nothing_nobody_is_blamed() -> None:
    # Nothing can be read from this one, as from a lost one.
    lost = torch.device("meta")
    assert run([(halves, {0: 2})], lost) == [0.5]
    with pytest.raises(DeviceLost):
        run([(halves, {0: 0})], lost)
