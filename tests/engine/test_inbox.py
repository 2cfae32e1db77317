"""Requests in turn: each session's in their order, nobody behind another's thousands."""

import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.inbox import Inbox

WAIT_S = 10


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_each_sessions_order_stays_and_sessions_take_turns(sessions: list[str]) -> None:
    inbox, done = Inbox(), list[tuple[str, int]]()
    for n, session_id in enumerate(sessions):
        inbox.put(session_id, partial(done.append, (session_id, n)))
    while (request := inbox.get(wait=False)) is not None:
        request()
    for session_id in "abc":
        assert [n for s, n in done if s == session_id] == [n for n, s in enumerate(sessions) if s == session_id]
    for n, (session_id, _) in enumerate(done):
        # As long as another has something to ask, nobody comes twice in a row.
        if n and done[n - 1][0] == session_id:
            assert {s for s, _ in done[n:]} == {session_id}


def test_who_is_gone_asks_for_nothing_more() -> None:
    inbox, done = Inbox(), list[str]()
    for name in "aab":
        inbox.put(name, partial(done.append, name))
    inbox.drop("a")
    inbox.drop("nobody")
    while (request := inbox.get(wait=False)) is not None:
        request()
    assert done == ["b"]


@pytest.mark.parametrize("closes", [False, True])
def test_who_waits_is_woken(closes: bool) -> None:
    inbox, got = Inbox(), list[object]()
    waiting = threading.Thread(target=lambda: got.append(inbox.get(wait=True)))
    waiting.start()
    if closes:
        inbox.close()
    else:
        inbox.put("a", lambda: None)
    waiting.join(WAIT_S)
    assert [one is None for one in got] == [closes]
