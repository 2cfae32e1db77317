"""Turns: where they begin and end, whatever the probabilities."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.turns.machine import TurnMachine, TurnRules, TurnStarted, TurnStopped

FRAME = 768
RULES = TurnRules(threshold=0.5, prefix_padding=7200, silence=4800, onset=2 * FRAME)


def run(machine: TurnMachine, *probabilities: float) -> list[TurnStarted | TurnStopped]:
    borders = [machine.feed(FRAME, p) for p in probabilities]
    return [border for border in borders if border is not None]


def test_a_turn_has_its_padding_and_its_silence() -> None:
    borders = run(TurnMachine(RULES), *[0.0] * 20, *[0.9] * 10, *[0.0] * 7)
    assert borders == [TurnStarted(20 * FRAME - 7200), TurnStopped(37 * FRAME)]


def test_a_click_is_no_turn() -> None:
    assert run(TurnMachine(RULES), 0.0, 0.9, 0.0, 0.9, 0.0, *[0.0] * 20) == []


def test_a_pause_shorter_than_the_silence_goes_on() -> None:
    assert len(run(TurnMachine(RULES), *[0.9] * 5, *[0.0] * 5, *[0.9] * 5)) == 1


def test_padding_does_not_reach_into_the_turn_before() -> None:
    borders = run(TurnMachine(RULES), *[0.9] * 5, *[0.0] * 7, 0.9, 0.9)
    assert borders[-1] == TurnStarted(12 * FRAME)


def test_reset_forgets_what_came_before() -> None:
    machine = TurnMachine(RULES)
    run(machine, *[0.9] * 5)
    machine.reset(100_000)
    assert not machine.in_turn
    assert run(machine, 0.9, 0.9) == [TurnStarted(100_000)]


@given(st.lists(st.floats(0, 1), max_size=200), st.floats(0, 1), st.integers(0, 20_000), st.integers(0, 20_000))
def test_borders_alternate_and_never_overlap(probabilities: list[float], threshold: float, padding: int, silence: int) -> None:
    machine = TurnMachine(TurnRules(threshold, padding, silence, 2 * FRAME))
    position, expected = 0, TurnStarted
    for n, probability in enumerate(probabilities):
        border = machine.feed(FRAME, probability)
        assert machine.keep_from <= machine.position == (n + 1) * FRAME
        if border is None:
            continue
        assert isinstance(border, expected)
        assert position <= border.sample <= machine.position
        position = border.sample
        expected = TurnStopped if expected is TurnStarted else TurnStarted
