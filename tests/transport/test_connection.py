"""One client's trouble is his own: backlog, holding, shutting down. A scripted socket, a real loop, no sleeping."""

import asyncio
import json
from typing import Any

import numpy as np

from realtime_server import messages as m
from realtime_server.session.session import Opening, Session
from realtime_server.settings import Settings
from realtime_server.transport.connection import GA, Connection
from realtime_server.transport.hall import Hall, Served
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S

CREATE = (
    '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}}',
    '{"type": "response.create"}',
)


class ScriptedSocket:
    """Its client sends what it is told to, and reads only while `reading` is set."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.progress = asyncio.Condition()

    async def receive(self) -> str | None:
        return await self.incoming.get()

    async def send(self, text: str) -> None:
        await self.reading.wait()
        async with self.progress:
            SDK_EVENT.validate_json(text, strict=True)
            self.sent.append(json.loads(text))
            self.progress.notify_all()

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S), self.progress:
            await self.progress.wait_for(lambda: any(e["type"] == kind for e in self.sent))
        return next(e for e in self.sent if e["type"] == kind)


class RecordingBridge:
    """In the bridge's place: keeps what a connection submits."""

    def __init__(self) -> None:
        self.commands: list[m.Command] = []
        self.holds: list[bool] = []
        self.deliver: Any = None
        self.closed = False

    def open(self, name: str, receiver: Any) -> None:
        self.deliver = receiver

    def submit(self, name: str, command: m.Command) -> None:
        self.commands.append(command)

    def hold(self, name: str, held: bool) -> None:
        self.holds.append(held)

    def close(self, name: str) -> None:
        self.closed = True


class Setup:
    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.socket, self.bridge = ScriptedSocket(), RecordingBridge()
        self.hall = Hall(self.settings, Served("wren", m.Abilities(), self.bridge))  # type: ignore[arg-type]

    def make(self, name: str) -> Connection:
        session = Session(Opening("wren", False, 0, self.hall.now()))
        return Connection(name, self.socket, session, self.bridge, self.settings, GA)  # type: ignore[arg-type]

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
        setup.socket.incoming.put_nowait(None)
        async with asyncio.timeout(WAIT_S):
            await setup.hall.serve(setup.make)
        assert setup.bridge.closed
        assert not setup.hall.connections

    asyncio.run(scenario())


def test_a_slow_client_holds_and_a_stuck_one_is_dropped() -> None:
    async def scenario() -> None:
        setup = Setup(hold_bytes=100_000, backlog_bytes=1_000_000)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.hall.serve(setup.make))
            response_id = await setup.start_an_answer()
            setup.socket.reading.clear()
            for _ in range(3):
                setup.bridge.deliver(sound(response_id))
            assert setup.bridge.holds == [True]
            setup.socket.reading.set()
            await setup.socket.until("response.output_audio.delta")
            async with setup.socket.progress:
                await setup.socket.progress.wait_for(lambda: setup.bridge.holds == [True, False])
            setup.socket.reading.clear()
            for _ in range(30):
                setup.bridge.deliver(sound(response_id))
            setup.socket.reading.set()
        assert setup.socket.closed is not None
        assert setup.socket.closed[0] == 1008

    asyncio.run(scenario())


def test_draining_lets_the_answer_finish() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.hall.serve(setup.make))
            response_id = await setup.start_an_answer()
            draining = group.create_task(setup.hall.drain())
            setup.bridge.deliver(m.TextDelta(response_id, "Bye."))
            await setup.socket.until("response.output_audio_transcript.delta")
            assert setup.hall.draining
            assert not draining.done()
            setup.bridge.deliver(m.ResponseFinished(response_id, "completed"))
        assert [e["type"] for e in setup.socket.sent][-1] == "response.done"
        assert setup.socket.closed == (1001, "server_error.server_shutting_down")

    asyncio.run(scenario())


def test_the_session_clock_wakes_the_connection() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            opening = Opening("wren", False, 0, setup.hall.now() - 3600)
            group.create_task(setup.hall.serve(
                lambda name: Connection(name, setup.socket, Session(opening), setup.bridge, setup.settings, GA)  # type: ignore[arg-type]
            ))  # fmt: skip
            error = await setup.socket.until("error")
        assert error["error"]["code"] == "session_expired"
        assert setup.socket.closed is not None
        assert setup.socket.closed[0] == 1001

    asyncio.run(scenario())
