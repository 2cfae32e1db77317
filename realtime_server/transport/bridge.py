"""Loop <-> engine and detector threads: commands go down, each output comes back to its own connection."""

import asyncio
import threading
from collections.abc import Callable

from realtime_server.engine.worker import EngineWorker
from realtime_server.messages import Command, Detect, Output, ResetDetector
from realtime_server.turns.worker import DetectorWorker

Receiver = Callable[[Output], None]


class Bridge:
    """Made on the loop; `deliver` is what the two workers call, from their threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._receivers: dict[str, Receiver] = {}
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, Output]] = []
        self._engine: EngineWorker | None = None
        self._detector: DetectorWorker | None = None

    def attach(self, engine: EngineWorker, detector: DetectorWorker) -> None:
        self._engine, self._detector = engine, detector

    def deliver(self, session_id: str, output: Output) -> None:
        with self._lock:
            self._waiting.append((session_id, output))
            first = len(self._waiting) == 1
        # One wake-up carries all that has come since the last one.
        if first:
            self._loop.call_soon_threadsafe(self._route)

    def _route(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        for session_id, output in batch:
            receiver = self._receivers.get(session_id)
            if receiver is not None:
                receiver(output)

    def open(self, session_id: str, receiver: Receiver) -> None:
        self._receivers[session_id] = receiver

    def submit(self, session_id: str, command: Command) -> None:
        assert self._engine is not None and self._detector is not None
        if isinstance(command, Detect | ResetDetector):
            self._detector.submit(session_id, command)
        else:
            self._engine.submit(session_id, command)

    def hold(self, session_id: str, held: bool) -> None:
        assert self._engine is not None
        self._engine.hold(session_id, held)

    def close(self, session_id: str) -> None:
        assert self._engine is not None and self._detector is not None
        del self._receivers[session_id]
        self._engine.end(session_id)
        self._detector.submit(session_id, None)
