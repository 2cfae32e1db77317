"""The WebSocket as a shell of a call: reads its client, writes to him, and sees to it that neither grows without end."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from realtime_server.protocol import beta, codec
from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.server_events import AnyServerEvent
from realtime_server.settings import Settings
from realtime_server.transport.backlog import Backlog, Goodbye
from realtime_server.transport.call import Call
from realtime_server.transport.shells import INTERNAL_ERROR, ShellLost

log = logging.getLogger(__name__)


NO_CLOSE_FRAME = 1006
"""Never sent (RFC 6455, 7.4.1): it stands for "without sending or receiving a Close control frame"."""
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
    """A WebSocket as a shell: a task group of reader and writer, which ends when the client is gone or sent away."""

    plays = True

    def __init__(self, call: Call, socket: Socket, settings: Settings, dialect: Dialect) -> None:
        self._call, self._socket, self._dialect = call, socket, dialect
        self._unsent = Backlog(settings.hold_bytes, settings.backlog_bytes, partial(call.hold, self))

    async def run(self) -> None:
        name = self._call.name
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name=f"{name} reader")
                group.create_task(self._write(), name=f"{name} writer")
        except* _Over as over:
            log.info("x %s %s", name, over.exceptions[0])
        except* Exception:
            log.exception("! %s broke", name)
            await self._socket.close(1011, INTERNAL_ERROR)

    def say_goodbye(self, code: int, reason: str) -> None:
        self._unsent.put(Goodbye(code, reason))

    def show(self, event: AnyServerEvent) -> None:
        for text in self._dialect.encode(event):
            self._unsent.put(text)
        if self._unsent.bytes > MOST_UNSENT_BYTES:
            log.error("! %s has %d bytes unsent", self._call.name, self._unsent.bytes)
            self._unsent.clear()
            self.say_goodbye(1008, "backlog: the client does not read")
            raise ShellLost

    async def _read(self) -> None:
        """One event a turn of the loop, while there is room: a full inbox keeps neither the writer nor the other connections
        from theirs."""
        while True:
            await self._unsent.room.wait()
            await self._call.ready.wait()
            message = await self._socket.receive()
            if isinstance(message, Gone):
                raise _Over(str(message))
            self._call.receive(self, partial(self._dialect.decode, message))
            await asyncio.sleep(0)

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
