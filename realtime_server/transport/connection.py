"""One client: a task group of reader, writer and timer around one Session, which only this loop ever touches."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_server.messages import Disconnect, Output
from realtime_server.protocol import beta, codec
from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.server_events import AnyServerEvent
from realtime_server.session.session import Session
from realtime_server.settings import Settings
from realtime_server.transport.bridge import Bridge

log = logging.getLogger(__name__)


class Socket(Protocol):
    """What a connection needs of a WebSocket."""

    async def receive(self) -> str | bytes | None:
        """The next message; None once the client is gone."""
        ...

    async def send(self, text: str) -> None: ...

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


@dataclass(frozen=True)
class Goodbye:
    """Closing, after everything before it has been sent."""

    code: int
    reason: str


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
        self._socket, self._bridge, self._settings = socket, bridge, settings
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[str | Goodbye] = deque()
        self._unsent_bytes = 0
        self._holding = False
        self._something_to_send = asyncio.Event()
        self._deadline_moved = asyncio.Event()
        self._deadline: float | None = None
        self._quiet = asyncio.Event()

    async def run(self) -> None:
        self._bridge.open(self.name, self._engine_output)
        log.info("= %s opened", self.name)
        try:
            self._drain()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name=f"{self.name} reader")
                group.create_task(self._write(), name=f"{self.name} writer")
                group.create_task(self._watch_the_clock(), name=f"{self.name} timer")
        except* _Over as over:
            log.info("x %s %s", self.name, over.exceptions[0])
        finally:
            self._quiet.set()
            self._bridge.close(self.name)

    async def answered(self) -> None:
        """Returns once no response is running."""
        await self._quiet.wait()

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close once everything before this has been sent."""
        self._unsent.append(Goodbye(code, reason))
        self._something_to_send.set()

    # --- in -----------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            text = await self._socket.receive()
            if text is None:
                raise _Over("closed by the client")
            try:
                event = self._dialect.decode(text)
            except ClientError as error:
                self.session.refuse(error)
            else:
                log.debug("< %s %s", self.name, event.type)
                self.session.receive(event, self._loop.time())
            self._drain()

    def _engine_output(self, output: Output) -> None:
        self.session.engine_output(output, self._loop.time())
        self._drain()

    async def _watch_the_clock(self) -> None:
        while True:
            self._deadline_moved.clear()
            wait = None if self._deadline is None else max(0.0, self._deadline - self._loop.time())
            try:
                async with asyncio.timeout(wait):
                    await self._deadline_moved.wait()
            except TimeoutError:
                self.session.handle_deadline(self._loop.time())
                self._drain()

    # --- out ----------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Hands over what the session has to send and to run, and notes when it wants to be woken."""
        for event in self.session.events_to_send():
            log.debug("> %s %s", self.name, event.type)
            for text in self._dialect.encode(event):
                self._unsent.append(text)
                self._unsent_bytes += len(text)
        for command in self.session.commands_to_run():
            if isinstance(command, Disconnect):
                self.say_goodbye(command.code, command.reason)
            else:
                self._bridge.submit(self.name, command)
        (self._quiet.clear if self.session.answering else self._quiet.set)()
        if self._unsent:
            self._something_to_send.set()
        self._watch_the_backlog()
        deadline = self.session.next_deadline()
        if deadline != self._deadline:
            self._deadline = deadline
            self._deadline_moved.set()

    def _watch_the_backlog(self) -> None:
        hold = self._unsent_bytes > self._settings.hold_bytes
        if hold != self._holding and (hold or self._unsent_bytes < self._settings.hold_bytes // 2):
            self._holding = hold
            self._bridge.hold(self.name, hold)

    async def _write(self) -> None:
        while True:
            await self._something_to_send.wait()
            self._something_to_send.clear()
            while self._unsent:
                if self._unsent_bytes > self._settings.backlog_bytes:
                    await self._socket.close(1008, "backlog: the client does not read")
                    raise _Over("dropped: it does not read")
                message = self._unsent.popleft()
                if isinstance(message, Goodbye):
                    await self._socket.close(message.code, message.reason)
                    raise _Over(f"closed with {message.code}")
                await self._send(message)
                self._unsent_bytes -= len(message)
                self._watch_the_backlog()

    async def _send(self, text: str) -> None:
        try:
            # A client that takes nothing for a minute is gone, whatever its socket says.
            async with asyncio.timeout(60):
                await self._socket.send(text)
        except (TimeoutError, ConnectionError):
            raise _Over("dropped: it does not read") from None
