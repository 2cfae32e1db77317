"""One client's trouble is his own: backlog, holding, faults. A scripted socket, a real loop, no sleeping."""

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol.errors import ClientError
from realtime_server.session.limits import Limits
from realtime_server.transport import connection as module
from realtime_server.transport.connection import GA, NO_CLOSE_FRAME, Connection, Dialect, Gone
from tests.live import WAIT_S
from tests.transport.doubles import (
    CLEAR,
    FAULT,
    Faulty,
    ScriptedSocket,
    Setup,
    assert_told,
)


def sound(response_id: str) -> m.AudioDelta:
    return m.AudioDelta(response_id, np.zeros(24_000, np.int16), 1)


def test_a_client_that_leaves_ends_its_connection() -> None:
    async def scenario() -> None:
        setup = Setup()
        setup.socket.incoming.put_nowait(Gone(1000, ""))
        async with asyncio.timeout(WAIT_S):
            await setup.run()
        assert setup.engine.ended
        assert not setup.registry.calls

    asyncio.run(scenario())


def test_a_slow_client_holds_its_generation_and_is_kept() -> None:
    async def scenario() -> None:
        setup = Setup(hold_bytes=100_000, backlog_bytes=200_000)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            setup.socket.reading.clear()
            for _ in range(30):
                setup.engine.deliver(sound(response_id))
            assert setup.engine.holds == [True]
            setup.socket.reading.set()
            await setup.socket.until("response.output_audio.delta", 30)
            assert setup.engine.holds == [True, False]
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert setup.socket.closed is None

    asyncio.run(scenario())


def test_a_held_client_can_interrupt() -> None:
    async def scenario() -> None:
        setup = Setup(hold_bytes=100_000, backlog_bytes=200_000)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            setup.socket.reading.clear()
            for _ in range(2):
                setup.engine.deliver(sound(response_id))
            assert setup.engine.holds == [True]
            setup.socket.incoming.put_nowait('{"type": "response.cancel"}')
            await setup.engine.cancelled.wait()
            setup.socket.incoming.put_nowait(Gone(1000, ""))

    asyncio.run(scenario())


def test_a_second_client_comes_and_goes_while_the_first_speaks() -> None:
    async def scenario() -> None:
        setup, second = Setup(), ScriptedSocket()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            setup.engine.deliver(sound(response_id))
            await setup.socket.until("response.output_audio.delta", 2)
            before = len(setup.socket.sent)
            (call,) = setup.registry.calls.values()
            visit = group.create_task(call.serve(Connection(call, second, setup.settings, GA)))
            # What it says is heard, and answered to both.
            second.incoming.put_nowait(CLEAR)
            for socket in (setup.socket, second):
                await socket.until("input_audio_buffer.cleared")
            setup.engine.deliver(sound(response_id))
            await second.until("response.output_audio.delta", 2)
            second.incoming.put_nowait(Gone(1000, ""))
            await visit
            assert setup.socket.sent[before:] == second.sent
            setup.engine.deliver(m.ResponseFinished(response_id, "completed"))
            await setup.socket.until("response.done")
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert len(second.sent) == 3
        assert setup.socket.closed is second.closed is None

    asyncio.run(scenario())


def retrieve(item_id: str) -> str:
    return json.dumps({"type": "conversation.item.retrieve", "item_id": item_id})


def create(item_id: str, text: str) -> str:
    item = {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return json.dumps({"type": "conversation.item.create", "item": item})


def test_nobody_is_read_from_for_whom_too_much_waits_already() -> None:
    async def scenario() -> None:
        setup = Setup(hold_bytes=50_000, backlog_bytes=100_000)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            setup.socket.incoming.put_nowait(create("long", "x" * 30_000))
            await setup.socket.until("conversation.item.done")
            setup.socket.reading.clear()
            for _ in range(300):
                setup.socket.incoming.put_nowait(retrieve("long"))
            # The loop has nothing left to do but what the reader would: it stands still after a handful.
            for _ in range(1000):
                await asyncio.sleep(0)
            assert setup.socket.incoming.qsize() >= 290
            setup.socket.reading.set()
            await setup.socket.until("conversation.item.retrieved", 300)
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert setup.socket.closed is None

    asyncio.run(scenario())


def test_a_client_whose_turns_pile_up_waits_for_them() -> None:
    async def scenario() -> None:
        setup = Setup()
        second = base64.b64encode(bytes(9600)).decode()
        turn = [{"type": "input_audio_buffer.append", "audio": second}, {"type": "input_audio_buffer.commit"}]
        asked = {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}}
        most = Limits.waiting_turns
        for event in (asked, *(most + 1) * turn):
            setup.socket.incoming.put_nowait(json.dumps(event))
        async with asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("input_audio_buffer.committed", most)
            assert not setup.socket.incoming.empty()
            first = next(c for c in setup.engine.commands if isinstance(c, m.Commit))
            setup.engine.deliver(m.TranscriptDone(first.item_id, "a", 1))
            await setup.socket.until("input_audio_buffer.committed", most + 1)
            setup.socket.incoming.put_nowait(Gone(1000, ""))
            for command in [c for c in setup.engine.commands if isinstance(c, m.Commit)]:
                setup.engine.deliver(m.TranscriptDone(command.item_id, "a", 1))

    asyncio.run(scenario())


def test_one_large_message_is_no_backlog() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            setup.socket.incoming.put_nowait(create("long", "x" * 5_000_000))
            setup.socket.incoming.put_nowait(retrieve("long"))
            event = await setup.socket.until("conversation.item.retrieved")
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert len(event["item"]["content"][0]["text"]) == 5_000_000
        assert setup.socket.closed is None

    asyncio.run(scenario())


def test_nothing_grows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNSENT_BYTES", 1_000_000)

    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            setup.socket.reading.clear()
            for _ in range(100):
                setup.engine.deliver(sound(response_id))
            setup.socket.reading.set()
        assert sum(e["type"] == "response.output_audio.delta" for e in setup.socket.sent) <= 1
        assert setup.socket.closed == (1008, "backlog: the client does not read")

    asyncio.run(scenario())


# --- faults -----------------------------------------------------------------------------------------------------------


def broken(*_: Any) -> Any:
    raise ValueError("a secret detail")


def breaks_on(kind: str) -> Callable[[Any], list[str]]:
    return lambda event: broken() if event.type == kind else GA.encode(event)


@pytest.mark.parametrize("dialect", [replace(GA, decode=broken), replace(GA, encode=breaks_on("input_audio_buffer.cleared"))])
def test_a_dialect_that_breaks_is_our_fault(dialect: Dialect, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        setup = Setup(dialect)
        setup.socket.incoming.put_nowait(CLEAR)
        async with asyncio.timeout(WAIT_S):
            await setup.run()
        assert_told(setup)

    asyncio.run(scenario())
    assert caplog.text.count("Traceback") == 1


@pytest.mark.parametrize("dialect", [GA, replace(GA, encode=breaks_on("error"))])
def test_a_session_that_cannot_even_say_so_is_closed(dialect: Dialect) -> None:
    async def scenario() -> None:
        setup = Setup(dialect, Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            call.session.error = RuntimeError("a secret detail")
            call.session.fails_to_fail = dialect is GA
            setup.engine.deliver(FAULT)
        assert setup.socket.closed == (1011, "server_error.internal_error")

    asyncio.run(scenario())


def test_a_socket_that_breaks_ends_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        setup = Setup()
        setup.socket.send = broken  # type: ignore[method-assign, assignment]
        async with asyncio.timeout(WAIT_S):
            await setup.run()
        assert setup.socket.closed == (1011, "server_error.internal_error")

    asyncio.run(scenario())
    assert "a secret detail" in caplog.text


@given(st.lists(st.sampled_from([CLEAR, "{", "not JSON", "RAISE", "CLIENT", "ENCODE"]), max_size=12))
def test_whatever_fails_the_client_is_told_and_a_close_frame_ends_it(steps: list[str]) -> None:
    """Until our first fault every event has its answer; after it comes nothing but the error and the close."""

    async def scenario() -> None:
        poisoned = set[str]()
        dialect = replace(GA, encode=lambda event: broken() if event.type in poisoned else GA.encode(event))
        setup = Setup(dialect, Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            for n, step in enumerate(steps, 1):
                if step == "RAISE":
                    call.session.error = RuntimeError("a secret detail")
                elif step == "CLIENT":
                    call.session.error = ClientError("No.", "invalid_value")
                elif step == "ENCODE":
                    poisoned.add("input_audio_buffer.cleared")
                setup.socket.incoming.put_nowait(step if step[0] in "{n" else CLEAR)
                if step in ("RAISE", "ENCODE"):
                    break
                async with setup.socket.progress:
                    await setup.socket.progress.wait_for(lambda n=n: len(setup.socket.sent) == n + 1)  # type: ignore[misc]
            else:
                setup.socket.incoming.put_nowait(Gone(1000, ""))
        if steps and not {"RAISE", "ENCODE"}.isdisjoint(steps):
            assert_told(setup)
        else:
            assert setup.socket.closed is None

    asyncio.run(scenario())


@pytest.mark.parametrize(("gone", "line"), [
    (Gone(1000, "bye"), "closed by the client with 1000 'bye'"),
    (Gone(NO_CLOSE_FRAME, ""), "vanished: its network connection is gone"),
    (Gone(NO_CLOSE_FRAME, "dropped: it does not read"), "dropped: it does not read"),
])  # fmt: skip
@pytest.mark.parametrize("noticed_by", ["reader", "writer"])
def test_the_log_says_why_it_ended(gone: Gone, line: str, noticed_by: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def lost(text: str) -> None:
        raise ConnectionError

    async def scenario() -> None:
        setup = Setup(backlog_bytes=0)
        if noticed_by == "writer":
            # It never has room again, so that the reader cannot see it.
            setup.socket.send = lost  # type: ignore[method-assign]
            setup.socket.incoming.put_nowait(CLEAR)
        setup.socket.incoming.put_nowait(gone)
        async with asyncio.timeout(WAIT_S):
            await setup.run()

    asyncio.run(scenario())
    assert f"x session-1 {line}" in caplog.text


def test_the_log_says_with_what_it_was_closed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            await setup.registry.drain()

    asyncio.run(scenario())
    assert "x session-1 closed with 1001 server_error.server_shutting_down" in caplog.text
