"""Everyone who is connected: admission counts them, shutting down waits for their answers and sends them home."""

import asyncio
import itertools
import logging
from collections.abc import Callable

from realtime_server.settings import Settings
from realtime_server.transport.bridge import Bridge
from realtime_server.transport.connection import Connection

log = logging.getLogger(__name__)
HOSTED_PREFIXES = ("gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime", "gpt-audio", "gpt-4o-audio", "gpt-4o-mini-audio")
"""The hosted models' names are aliases of whatever is loaded, so that existing code runs unchanged."""


class Hall:
    """The loaded model's name, the bridge to its thread, and the open connections."""

    def __init__(self, settings: Settings, model_name: str, bridge: Bridge) -> None:
        self.settings, self.model_name, self.bridge = settings, model_name, bridge
        self.connections: dict[str, Connection] = {}
        self.draining = False
        self._numbers = itertools.count(1)
        self._empty = asyncio.Event()

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def knows(self, model: str) -> bool:
        return model == self.model_name or model.startswith(HOSTED_PREFIXES)

    async def serve(self, make: Callable[[str], Connection]) -> None:
        name = f"session-{next(self._numbers)}"
        connection = self.connections[name] = make(name)
        try:
            await connection.run()
        finally:
            del self.connections[name]
            if not self.connections:
                self._empty.set()

    async def drain(self) -> None:
        """No one new; running answers finish (for at most `drain_s`); then everyone is closed with 1001."""
        self.draining = True
        try:
            async with asyncio.timeout(self.settings.drain_s):
                for connection in list(self.connections.values()):
                    await connection.answered()
        except TimeoutError:
            log.warning("! some answers were still running after %s s", self.settings.drain_s)
        for connection in list(self.connections.values()):
            connection.say_goodbye(1001, "server_error.server_shutting_down")
        if self.connections:
            self._empty.clear()
            try:
                async with asyncio.timeout(5):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("! %d connections did not close", len(self.connections))
