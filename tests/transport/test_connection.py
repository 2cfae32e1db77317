"""One client's trouble is his own: backlog, holding, faults, shutting down. A scripted socket, a real loop, no sleeping."""

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
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.settings import Settings
from realtime_server.transport import connection as module
from realtime_server.transport.call import Call
from realtime_server.transport.connection import GA, NO_CLOSE_FRAME, Connection, Dialect, Gone
from realtime_server.transport.registry import Registry, Served
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S

CREATE = (
    '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}}',
    '{"type": "response.create"}',
)


class ScriptedSocket:
    """Its client sends what it is told to, and reads only while `reading` is set."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[str | Gone] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.progress = asyncio.Condition()

    async def receive(self) -> str | Gone:
        return await self.incoming.get()

    async def send(self, text: str) -> None:
        await self.reading.wait()
        async with self.progress:
            SDK_EVENT.validate_json(text, strict=True)
            self.sent.append(json.loads(text))
            self.progress.notify_all()

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th event of this kind."""
        async with asyncio.timeout(WAIT_S), self.progress:
            await self.progress.wait_for(lambda: sum(e["type"] == kind for e in self.sent) >= count)
        return [e for e in self.sent if e["type"] == kind][count - 1]


class RecordingEngine:
    """In the engine's place: keeps what a call submits."""

    alive = True

    def __init__(self) -> None:
        self.commands: list[m.Command] = []
        self.holds: list[bool] = []
        self.deliver: Any = None
        self.ended = False
        self.cancelled = asyncio.Event()

    def open(self, name: str, receiver: Any) -> None:
        self.deliver = receiver

    def submit(self, name: str, command: m.Command) -> None:
        self.commands.append(command)
        if isinstance(command, m.Cancel):
            self.cancelled.set()

    def hold(self, name: str, held: bool) -> None:
        self.holds.append(held)

    def end(self, name: str) -> None:
        self.ended = True


class Setup:
    def __init__(self, dialect: Dialect = GA, session: type[Session] = Session, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.dialect, self.session = dialect, session
        self.socket, self.engine = ScriptedSocket(), RecordingEngine()
        self.registry = Registry(self.settings, Served("wren", m.Abilities(), self.engine))

    def call(self, name: str) -> Call:
        return Call(name, self.session(SessionStart("wren", False, 0, self.registry.now())), self.engine)

    def shell(self, call: Call) -> Connection:
        return Connection(call, self.socket, self.settings, self.dialect)

    async def run(self) -> None:
        await self.registry.serve(self.call, self.shell)

    async def start_an_answer(self) -> str:
        for text in CREATE:
            self.socket.incoming.put_nowait(text)
        created = await self.socket.until("response.created")
        return str(created["response"]["id"])


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

CLEAR = '{"type": "input_audio_buffer.clear"}'
FAULT = m.Prompted("", 0, 0)
"""An output that no session knows the response of, so that nothing but the fault comes of it."""


class Faulty(Session):
    """A session that raises what it is told to, on any of its ways in."""

    error: Exception | None = None
    overdue = False
    fails_to_fail = False

    def raise_once(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error

    def receive(self, event: Any, now: float) -> None:
        self.raise_once()
        super().receive(event, now)

    def engine_output(self, output: m.Output, now: float) -> None:
        self.raise_once()
        super().engine_output(output, now)

    def next_deadline(self) -> float | None:
        return 0.0 if self.overdue else super().next_deadline()

    def handle_deadline(self, now: float) -> None:
        self.overdue = False
        self.raise_once()
        super().handle_deadline(now)

    def fail(self, message: str) -> None:
        if self.fails_to_fail:
            raise RuntimeError("cannot even say so")
        super().fail(message)


def by_event(setup: Setup, session: Faulty) -> None:
    setup.socket.incoming.put_nowait(CLEAR)


def by_output(setup: Setup, session: Faulty) -> None:
    setup.engine.deliver(FAULT)


def by_deadline(setup: Setup, session: Faulty) -> None:
    """The next drain arms the timer."""
    error, session.error, session.overdue = session.error, None, True
    setup.engine.deliver(FAULT)
    session.error = error


WAYS_IN = (by_event, by_output, by_deadline)
Way = Callable[[Setup, Faulty], None]


@pytest.mark.parametrize("way", WAYS_IN)
def test_their_fault_is_told_on_every_way_in(way: Way) -> None:
    async def scenario() -> None:
        setup = Setup(session=Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            call.session.error = ClientError("Too much.", "conversation_too_long", "item")
            way(setup, call.session)
            error = (await setup.socket.until("error"))["error"]
            setup.socket.incoming.put_nowait(CLEAR)
            await setup.socket.until("input_audio_buffer.cleared")
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "conversation_too_long", "item")
        assert setup.socket.closed is None

    asyncio.run(scenario())


@pytest.mark.parametrize("way", WAYS_IN)
def test_our_fault_is_told_and_closes_on_every_way_in(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        setup = Setup(session=Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            call.session.error = RuntimeError("a secret detail")
            way(setup, call.session)
        assert_told(setup)
        assert setup.engine.ended
        assert not setup.registry.calls

    asyncio.run(scenario())
    assert caplog.text.count("Traceback") == 1
    assert "a secret detail" in caplog.text


def assert_told(setup: Setup) -> None:
    error = setup.socket.sent[-1]["error"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")
    assert "secret" not in error["message"]
    assert setup.socket.closed == (1011, "server_error.internal_error")


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


# --- the end ----------------------------------------------------------------------------------------------------------


def test_draining_lets_the_answer_finish() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            draining = group.create_task(setup.registry.drain())
            setup.engine.deliver(m.TextDelta(response_id, "Bye."))
            await setup.socket.until("response.output_audio_transcript.delta")
            assert setup.registry.draining
            assert not draining.done()
            setup.engine.deliver(m.ResponseFinished(response_id, "completed"))
        assert [e["type"] for e in setup.socket.sent][-1] == "response.done"
        assert setup.socket.closed == (1001, "server_error.server_shutting_down")

    asyncio.run(scenario())


def test_the_session_clock_wakes_the_connection() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            start = SessionStart("wren", False, 0, setup.registry.now() - 3600)
            group.create_task(setup.registry.serve(lambda name: Call(name, Session(start), setup.engine), setup.shell))
            error = await setup.socket.until("error")
        assert error["error"]["code"] == "session_expired"
        assert setup.socket.closed is not None
        assert setup.socket.closed[0] == 1001

    asyncio.run(scenario())
