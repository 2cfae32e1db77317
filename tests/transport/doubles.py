"""In the places of a call's neighbours: a scripted socket, an engine and a shell that record, a session that raises."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from realtime_server import messages as m
from realtime_server.protocol import codec
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.settings import Settings
from realtime_server.transport.call import Call
from realtime_server.transport.connection import GA, Connection, Dialect, Gone
from realtime_server.transport.registry import Registry, Served
from tests.helpers import SDK_EVENT, checked
from tests.live import WAIT_S

CREATE_ITEM = '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}}'
CREATE_RESPONSE = '{"type": "response.create"}'
CLEAR = '{"type": "input_audio_buffer.clear"}'
FAULT = m.Prompted("", 0, 0)
"""An output that no session knows the response of, so that nothing but the fault comes of it."""


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


class RecordingShell:
    """Keeps what it is shown; raises `error` when it is shown an event of the kind `breaks_at`."""

    def __init__(self, call: Call, plays: bool = True, breaks_at: str = "", error: type[Exception] = RuntimeError) -> None:
        self.call, self.plays, self.breaks_at, self.error = call, plays, breaks_at, error
        self.events: list[dict[str, Any]] = []
        self.goodbye: tuple[int, str] | None = None
        self.gone = asyncio.Event()

    def show(self, event: Any) -> None:
        if event.type == self.breaks_at:
            self.breaks_at = ""
            raise self.error("a shell that breaks")
        self.events.append(checked(event))

    def say_goodbye(self, code: int, reason: str) -> None:
        self.goodbye = (code, reason)
        self.gone.set()

    async def run(self) -> None:
        await self.gone.wait()

    def say(self, kind: str, **fields: Any) -> None:
        self.call.receive(self, lambda: codec.decode(json.dumps({"type": kind, **fields})))

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


class Setup:
    """A call of its registry, whose first shell is a connection over a scripted socket."""

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
        for text in (CREATE_ITEM, CREATE_RESPONSE):
            self.socket.incoming.put_nowait(text)
        created = await self.socket.until("response.created")
        return str(created["response"]["id"])


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


def assert_told(setup: Setup) -> None:
    error = setup.socket.sent[-1]["error"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")
    assert "secret" not in error["message"]
    assert setup.socket.closed == (1011, "server_error.internal_error")


async def settled() -> None:
    """What is ready has run."""
    for _ in range(10):
        await asyncio.sleep(0)


def in_a_call(
    scenario: Callable[[Call, RecordingShell, RecordingEngine, asyncio.TaskGroup], Awaitable[None]], **first: Any
) -> None:
    """The call must be over soon after the scenario."""

    async def run() -> None:
        engine = RecordingEngine()
        call = Call("call", Session(SessionStart("wren", False, 0, asyncio.get_running_loop().time())), engine)
        shell = RecordingShell(call, **first)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            running = group.create_task(call.run(shell))
            await settled()
            await scenario(call, shell, engine, group)
            await running
        assert engine.ended

    asyncio.run(run())


def join(call: Call, group: asyncio.TaskGroup, **shell: Any) -> RecordingShell:
    second = RecordingShell(call, **shell)
    group.create_task(call.serve(second))
    return second
