"""Turns: where they begin and end, whatever the probabilities."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.turns.machine import State, TurnMachine, TurnRules, TurnStarted, TurnStopped

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
    assert machine.state is State.SILENCE
    assert run(machine, 0.9, 0.9) == [TurnStarted(100_000)]


@given(st.lists(st.floats(0, 1), max_size=200), st.floats(0, 1), st.integers(0, 20_000), st.integers(0, 20_000))
def test_borders_alternate_and_never_overlap(probabilities: list[float], threshold: float, padding: int, silence: int) -> None:
    machine = TurnMachine(TurnRules(threshold, padding, silence, 2 * FRAME))
    position = 0
    expected: type[TurnStarted | TurnStopped] = TurnStarted
    for n, probability in enumerate(probabilities):
        border = machine.feed(FRAME, probability)
        assert machine.keep_from <= machine.position == (n + 1) * FRAME
        if border is None:
            continue
        assert isinstance(border, expected)
        assert position <= border.sample <= machine.position
        position = border.sample
        expected = TurnStopped if expected is TurnStarted else TurnStarted


SEMANTIC = TurnRules(
    threshold=0.5, prefix_padding=7200, silence=40 * FRAME, onset=2 * FRAME, finished=0.6, scored_silence=4 * FRAME
)


def paused() -> TurnMachine:
    """Ten frames of speech, six of silence."""
    machine = TurnMachine(SEMANTIC)
    assert len(run(machine, *[0.9] * 10, *[0.0] * 6)) == 1
    return machine


def test_a_finished_thought_ends_the_turn_at_once() -> None:
    machine = paused()
    assert machine.scored(14 * FRAME, 0.7) == TurnStopped(16 * FRAME)
    assert machine.state is State.SILENCE
    assert machine.scored(16 * FRAME, 0.9) is None


def test_an_unfinished_thought_is_waited_for_but_not_for_ever() -> None:
    machine = paused()
    assert machine.scored(16 * FRAME, 0.5) is None
    assert run(machine, *[0.0] * 34) == [TurnStopped(50 * FRAME)]


def test_a_score_of_what_was_heard_before_the_pause_does_not_count() -> None:
    machine = paused()
    assert machine.scored(13 * FRAME, 0.9) is None
    run(machine, *[0.9] * 3)
    assert machine.scored(19 * FRAME, 0.9) is None


def test_without_semantic_vad_scores_change_nothing() -> None:
    machine = TurnMachine(RULES)
    run(machine, *[0.9] * 10, *[0.0] * 3)
    assert machine.scored(13 * FRAME, 1.0) is None
