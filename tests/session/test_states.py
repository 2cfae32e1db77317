"""Every (state, input) pair moves or raises; nothing leaves an end."""

import itertools

import pytest

from realtime_server.session import states as s

ENDS = set(s.ResponseState) - {s.ResponseState.IN_PROGRESS}


@pytest.mark.parametrize(("state", "by"), list(itertools.product(s.ResponseState, s.ResponseInput)))
def test_responses(state: s.ResponseState, by: s.ResponseInput) -> None:
    if state in ENDS:
        with pytest.raises(s.IllegalTransition):
            s.next_response_state(state, by)
    else:
        assert s.next_response_state(state, by) in ENDS


@pytest.mark.parametrize(("state", "by"), list(itertools.product(s.TurnState, s.TurnInput)))
def test_turns(state: s.TurnState, by: s.TurnInput) -> None:
    if (state, by) in s.TURN:
        assert s.next_turn_state(state, by) is s.TURN[state, by]
    else:
        with pytest.raises(s.IllegalTransition):
            s.next_turn_state(state, by)


def test_a_commit_or_clear_always_ends_a_turn() -> None:
    for state in s.TurnState:
        for by in (s.TurnInput.COMMIT, s.TurnInput.CLEAR):
            assert s.next_turn_state(state, by) is s.TurnState.IDLE
