"""A moment to be woken at, which may be moved while it is waited for."""

import asyncio


class Alarm:
    """Of one loop, in its own time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._at: float | None = None
        self._moved = asyncio.Event()

    def set(self, at: float | None) -> None:
        """None: not any more."""
        if at != self._at:
            self._at = at
            self._moved.set()

    async def rung(self) -> None:
        """Returns when the moment has come; at once where it has passed."""
        while True:
            self._moved.clear()
            wait = None if self._at is None else max(0.0, self._at - self._loop.time())
            try:
                async with asyncio.timeout(wait):
                    await self._moved.wait()
            except TimeoutError:
                return
