"""One client: a task group of reader, writer and timer around one Session, which only this loop ever touches."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from realtime_server.messages import Disconnect, Output
from realtime_server.protocol import beta, codec
from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.server_events import AnyServerEvent
from realtime_server.session.session import Session
from realtime_server.settings import Settings
from realtime_server.transport.backlog import Backlog, Goodbye
from realtime_server.transport.bridge import BROKE, Bridge

log = logging.getLogger(__name__)


NO_CLOSE_FRAME = 1006
"""Never sent (RFC 6455, 7.4.1): it stands for "without sending or receiving a Close control frame"."""
INTERNAL_ERROR = "server_error.internal_error"
MOST_UNSENT_BYTES = 64 * 1024 * 1024
"""Reading stops at `backlog_bytes`, generating at `hold_bytes`, and one event is answered with less than this: so only a
fault of ours gets there."""


@dataclass(frozen=True)
class Gone:
    """How the client's side ended: with its close frame's code, or with NO_CLOSE_FRAME and what happened, in words."""

    code: int
    reason: str

    def __str__(self) -> str:
        if self.code == NO_CLOSE_FRAME:
            return self.reason or "vanished: its network connection is gone"
        return f"closed by the client with {self.code} {self.reason!r}"


class Socket(Protocol):
    """What a connection needs of a WebSocket. It sees by itself to a client that takes nothing: `send` and `close` return
    or raise ConnectionError then, and `receive` says why."""

    async def receive(self) -> str | bytes | Gone:
        """The next message; Gone behind the last one."""
        ...

    async def send(self, text: str) -> None:
        """Returns when there is room for more; ConnectionError once the client is gone."""
        ...

    async def close(self, code: int, reason: str) -> None: ...


@dataclass(frozen=True)
class Dialect:
    """How events are written on one socket, from its upgrade to its end."""

    decode: Callable[[str | bytes], AnyClientEvent]
    encode: Callable[[AnyServerEvent], list[str]]


GA = Dialect(codec.decode, lambda event: [codec.encode(event)])


def beta_dialect(temperature: float | None = None) -> Dialect:
    """One connection's own: it keeps what the client asked for and the GA has no place for."""
    dialect = beta.Beta() if temperature is None else beta.Beta(temperature)
    return Dialect(dialect.decode, dialect.encode)


class _Over(Exception):
    """Ends the task group: the client is gone, or was sent away."""


class Connection:
    """`run` returns when the connection is over, whichever side ended it."""

    def __init__(
        self, name: str, socket: Socket, session: Session, bridge: Bridge, settings: Settings, dialect: Dialect
    ) -> None:
        self.name = name
        self.session = session
        self._dialect = dialect
        self._socket, self._bridge = socket, bridge
        self._loop = asyncio.get_running_loop()
        self._unsent = Backlog(settings.hold_bytes, settings.backlog_bytes, partial(bridge.hold, name))
        self._closing = False
        self._deadline_moved = asyncio.Event()
        self._deadline: float | None = None
        self._quiet = asyncio.Event()

    async def run(self) -> None:
        self._bridge.open(self.name, self._engine_output)
        log.info("= %s opened", self.name)
        try:
            self._enter(lambda: None)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name=f"{self.name} reader")
                group.create_task(self._write(), name=f"{self.name} writer")
                group.create_task(self._watch_the_clock(), name=f"{self.name} timer")
        except* _Over as over:
            log.info("x %s %s", self.name, over.exceptions[0])
        except* Exception:
            log.exception("! %s broke", self.name)
            await self._socket.close(1011, INTERNAL_ERROR)
        finally:
            self._quiet.set()
            self._bridge.close(self.name)

    async def answered(self) -> None:
        """Returns once no response is running."""
        await self._quiet.wait()

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close once everything before this has been sent."""
        self._unsent.put(Goodbye(code, reason))

    # --- in -----------------------------------------------------------------------------------------------------------

    def _enter(self, work: Callable[[], None]) -> None:
        """The one boundary: every way into the session leads through here, and what comes of it is handed over.

        Their fault is told and the session lives (`ClientError`); ours is logged once, told, and ends this connection.
        """
        if self._closing:
            return
        try:
            try:
                work()
            except ClientError as error:
                self.session.refuse(error)
            self._drain()
        except Exception:
            log.exception("! %s broke", self.name)
            self._fail()

    def _fail(self) -> None:
        """Whatever state the session is in: if it cannot even say so, the close code does."""
        try:
            self.session.fail(BROKE)
            self._drain()
        except Exception:
            log.exception("! %s could not tell that it broke", self.name)
            self.say_goodbye(1011, INTERNAL_ERROR)
        self._take_nothing_more()

    def _take_nothing_more(self) -> None:
        self._closing = True
        self._quiet.set()
        self._deadline = None
        self._deadline_moved.set()

    async def _read(self) -> None:
        """One event a turn of the loop, while there is room: a full inbox keeps neither the writer nor the other connections
        from theirs."""
        while True:
            await self._unsent.room.wait()
            message = await self._socket.receive()
            if isinstance(message, Gone):
                raise _Over(str(message))
            self._enter(partial(self._receive, message))
            await asyncio.sleep(0)

    def _receive(self, message: str | bytes) -> None:
        event = self._dialect.decode(message)
        log.debug("< %s %s", self.name, event.type)
        self.session.receive(event, self._loop.time())

    def _engine_output(self, output: Output) -> None:
        self._enter(lambda: self.session.engine_output(output, self._loop.time()))
        if self._unsent.bytes > MOST_UNSENT_BYTES and not self._closing:
            log.error("! %s has %d bytes unsent", self.name, self._unsent.bytes)
            self._unsent.clear()
            self.say_goodbye(1008, "backlog: the client does not read")
            self._take_nothing_more()

    async def _watch_the_clock(self) -> None:
        while True:
            self._deadline_moved.clear()
            wait = None if self._deadline is None else max(0.0, self._deadline - self._loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._deadline_moved.wait()
                continue
            self._enter(lambda: self.session.handle_deadline(self._loop.time()))

    # --- out ----------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Hands over what the session has to send and to run, and notes when it wants to be woken."""
        for event in self.session.events_to_send():
            log.debug("> %s %s", self.name, event.type)
            for text in self._dialect.encode(event):
                self._unsent.put(text)
        for command in self.session.commands_to_run():
            if isinstance(command, Disconnect):
                self.say_goodbye(command.code, command.reason)
            else:
                self._bridge.submit(self.name, command)
        (self._quiet.clear if self.session.answering else self._quiet.set)()
        deadline = self.session.next_deadline()
        if deadline != self._deadline:
            self._deadline = deadline
            self._deadline_moved.set()

    async def _write(self) -> None:
        while True:
            message = await self._unsent.next()
            if isinstance(message, Goodbye):
                await self._socket.close(message.code, message.reason)
                raise _Over(f"closed with {message.code} {message.reason}")
            await self._send(message)
            self._unsent.sent(message)

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionError:
            # The reader may be waiting for room: why the client is gone stands behind all that it still sent.
            while not isinstance(message := await self._socket.receive(), Gone):
                pass
            raise _Over(str(message)) from None
