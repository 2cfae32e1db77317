"""What waits to be written to one client, and the two water marks that keep it small."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Goodbye:
    """Closing, after everything before it has been sent."""

    code: int
    reason: str


class Backlog:
    """Of one writer. First the client's own generation is held, then its events are left unread.

    Generation alone stays below the second mark, so a slow client that reads is heard at once when it cancels. Whoever asks
    for more than he reads waits for himself: his next event is not taken, so nothing is built for it. Both marks have a gap:
    what was stopped goes on at half of them. One large message is no backlog, it only makes the next wait.
    """

    def __init__(self, hold_bytes: int, unread_bytes: int, hold: Callable[[bool], None]) -> None:
        self._hold_bytes, self._unread_bytes, self._hold = hold_bytes, unread_bytes, hold
        self._messages: deque[str | Goodbye] = deque()
        self._some = asyncio.Event()
        self._holding = False
        self.bytes = 0
        self.room = asyncio.Event()
        """Set while the client's events may be read."""
        self.room.set()

    def put(self, message: str | Goodbye) -> None:
        self._messages.append(message)
        self._some.set()
        self._count(message, 1)

    async def next(self) -> str | Goodbye:
        """The oldest, as soon as there is one; it counts until `sent` is told of it."""
        while not self._messages:
            self._some.clear()
            await self._some.wait()
        return self._messages.popleft()

    def sent(self, message: str) -> None:
        self._count(message, -1)

    def clear(self) -> None:
        """None of it will be sent any more, but for what the writer has in hand."""
        while self._messages:
            self._count(self._messages.popleft(), -1)

    def _count(self, message: str | Goodbye, sign: int) -> None:
        self.bytes += 0 if isinstance(message, Goodbye) else sign * len(message)
        hold = self.bytes > (self._hold_bytes // 2 if self._holding else self._hold_bytes)
        if hold != self._holding:
            self._holding = hold
            self._hold(hold)
        if self.bytes > self._unread_bytes:
            self.room.clear()
        elif self.bytes <= self._unread_bytes // 2:
            self.room.set()
