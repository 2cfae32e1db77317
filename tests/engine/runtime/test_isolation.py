"""Failing together is not failing alone."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.isolation import answers
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
