"""The engine and the detector as threads of this process: commands go down, each output comes back to its own call."""

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from realtime_server.engine.worker import EngineWorker
from realtime_server.messages import Detect, DetectorCommand, EngineCommand, Output, ResetDetector, SessionFailed
from realtime_server.protocol.errors import OUR_FAULT
from realtime_server.turns.worker import DetectorWorker

log = logging.getLogger(__name__)
Receiver = Callable[[Output], None]
OUTPUTS_AT_ONCE = 32
"""Handed over before the loop turns to its sockets and timers again: a few milliseconds."""
LOOK_EVERY_S = 1.0
ENGINE_FAILED = "The speech model has failed."


class LocalEngine:
    """Made on the loop; `deliver` is what the two workers call, from their threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._receivers: dict[str, Receiver] = {}
        self._lock = threading.Lock()
        # Of each session that has any, in the order of their turns.
        self._waiting: OrderedDict[str, deque[Output]] = OrderedDict()
        self._routing = False
        self._engine: EngineWorker | None = None
        self._detector: DetectorWorker | None = None
        self._looks = 0
        """In a row that found a thread not alive."""
        self._looking: asyncio.TimerHandle | None = None

    def attach(self, engine: EngineWorker, detector: DetectorWorker) -> None:
        self._engine, self._detector = engine, detector

    @property
    def alive(self) -> bool:
        """Do both threads do their work?"""
        assert self._engine is not None and self._detector is not None
        return self._engine.alive and self._detector.alive

    def watch(self) -> None:
        """From now on (both threads have been started) every session is told when one of them has failed."""
        self._looks = 0 if self.alive else self._looks + 1
        # Once may be a thread that the whole process kept waiting, and that goes on now.
        if self._receivers and self._looks > 1:
            log.error("! the engine or the detector has failed: %d sessions are told", len(self._receivers))
            for session_id in list(self._receivers):
                self._receive(session_id, SessionFailed(ENGINE_FAILED))
                self._receivers.pop(session_id, None)
        self._looking = self._loop.call_later(LOOK_EVERY_S, self.watch)

    def stop_watching(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def deliver(self, session_id: str, output: Output) -> None:
        """From any thread."""
        with self._lock:
            self._waiting.setdefault(session_id, deque()).append(output)
            first, self._routing = not self._routing, True
        # One wake-up carries all that has come since the last one.
        if first:
            self._loop.call_soon_threadsafe(self._route)

    def _route(self) -> None:
        """One output of each session in turn: who has thousands waiting delays nobody else, and no session's order changes."""
        for _ in range(OUTPUTS_AT_ONCE):
            with self._lock:
                if not self._waiting:
                    self._routing = False
                    return
                session_id, outputs = self._waiting.popitem(last=False)
                output = outputs.popleft()
                if outputs:
                    self._waiting[session_id] = outputs
            self._receive(session_id, output)
        self._loop.call_soon(self._route)

    def _receive(self, session_id: str, output: Output) -> None:
        """A receiver that breaks costs its own call and nothing else: it is told, and gets no more."""
        receiver = self._receivers.get(session_id)
        if receiver is None:
            return
        try:
            receiver(output)
        except Exception:
            log.exception("! %s: %s broke its receiver", session_id, type(output).__name__)
            if not isinstance(output, SessionFailed):
                self._receive(session_id, SessionFailed(OUR_FAULT))
            self._receivers.pop(session_id, None)

    def open(self, session_id: str, receiver: Receiver) -> None:
        self._receivers[session_id] = receiver

    def submit(self, session_id: str, command: EngineCommand | DetectorCommand) -> None:
        assert self._engine is not None and self._detector is not None
        if isinstance(command, Detect | ResetDetector):
            self._detector.submit(session_id, command)
        else:
            self._engine.submit(session_id, command)

    def hold(self, session_id: str, held: bool) -> None:
        assert self._engine is not None
        self._engine.hold(session_id, held)

    def end(self, session_id: str) -> None:
        assert self._engine is not None and self._detector is not None
        self._receivers.pop(session_id, None)
        with self._lock:
            self._waiting.pop(session_id, None)
        self._engine.end(session_id)
        self._detector.submit(session_id, None)
