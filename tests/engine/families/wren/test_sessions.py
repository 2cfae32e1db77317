"""What is kept of a session is bounded, and a turn's stream is given back once, when nobody may answer it any more."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import sessions
from realtime_server.engine.families.wren.recordings import Recording
from realtime_server.engine.families.wren.sessions import Session, keys
from realtime_server.engine.families.wren.transcribing import TurnTooLong
from realtime_server.engine.families.wren.turns import HeardTurn
from realtime_server.engine.runtime.steps import Stream


def heard_turn(key: str, understood: bool = True) -> HeardTurn:
    heard = Recording(key, -2, torch.zeros(3, 4), [40], f"said {key}") if understood else None
    return HeardTurn(key, Stream(0, []), [], key, heard=heard)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_the_newest_transcripts_are_kept_with_what_is_known_of_them(turns: list[tuple[int, bool]]) -> None:
    session, order = Session("s"), dict[str, bool]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "REMEMBERED_TURNS", 4)
        for number, understood in turns:
            key = str(number)
            session.note(heard_turn(key, understood))
            (session.doubted.add if understood else lambda key: session.too_long.update({key: TurnTooLong()}))(key)
            order[key] = understood
            if len(order) > 4:
                del order[next(iter(order))]
    assert session.transcripts == {key: f"said {key}" if understood else "" for key, understood in order.items()}
    assert session.doubted | session.too_long.keys() <= order.keys()


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_turn_is_done_with_once(understood: bool, wanted: bool, over: bool, newest: bool) -> None:
    session, turn = Session("s"), heard_turn("a", understood)
    session.turns["a"], session.newest, turn.wanted, turn.over = turn, "a" if newest else "b", wanted, over
    free = over and not (understood and (wanted or newest))
    assert session.done_with(turn) == free
    assert ("a" in session.turns) == (not free)
    assert not (free and session.done_with(turn))


def test_only_what_is_a_recording_and_nothing_else_has_one() -> None:
    session, sound = Session("s"), m.Audio(np.zeros(1, np.int16), None, "a")
    session.note(heard_turn("a"))
    recording = session.recording(m.Message("x", "user", (sound,)))
    assert recording is not None
    assert recording.transcript == "said a"
    mixed = m.Message("x", "user", (sound, m.Text("and this")))
    assert session.recording(mixed) is None
    assert list(keys(mixed)) == ["a"]
    assert session.recording(m.FunctionResult("r", "c", "{}")) is None
