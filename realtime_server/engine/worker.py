"""The one thread that owns the device: commands in, one step, outputs out. Nothing that a session breaks ends it."""

import logging
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import assert_never

from realtime_server.engine.contexts import Contexts
from realtime_server.engine.contract import Deliver, DeviceLost, Model
from realtime_server.engine.inbox import Inbox, Request
from realtime_server.engine.observing import Observer, observed
from realtime_server.messages import (
    AddItem,
    AddTranscript,
    Cancel,
    Commit,
    EngineCommand,
    Forget,
    Hear,
    Listen,
    Output,
    RemoveItem,
    ReplaceItem,
    Respond,
    ResponseFailed,
    SessionFailed,
    TranscriptFailed,
)

log = logging.getLogger(__name__)
REQUESTS_S = 0.005
"""Worked off between two steps, as they take turns."""
PATIENCE_S = 60.0
"""A step takes milliseconds, on the smallest machine a second; one that takes longer than this hangs."""


class EngineWorker:
    """`submit`, `hold` and `end` from any thread; `deliver` is called on this worker's own thread."""

    def __init__(self, model: Model, deliver: Deliver, observer: Observer | None = None) -> None:
        self._model, self._deliver, self._observer = model, deliver, observer
        self._contexts = Contexts()
        self._inbox = Inbox()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._lost = threading.Event()
        self._busy_since: float | None = None
        self._failed: defaultdict[str, set[str]] = defaultdict(set)
        """Of each session, the responses and turns of which a command has failed."""

    @property
    def alive(self) -> bool:
        """Does it still answer? False for good once the device is lost: who uses it has to look, and to tell the sessions."""
        since = self._busy_since
        hangs = since is not None and time.monotonic() - since > PATIENCE_S
        return self._thread.is_alive() and not hangs and not self._lost.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._inbox.close()
        self._thread.join(PATIENCE_S)

    def submit(self, session_id: str, command: EngineCommand) -> None:
        self._inbox.put(session_id, lambda: self._command(session_id, command))

    def hold(self, session_id: str, held: bool) -> None:
        self._inbox.put(session_id, lambda: self._model.hold(session_id, held))

    def end(self, session_id: str) -> None:
        """What it has asked for and is not begun is for nobody any more."""
        self._inbox.drop(session_id)
        self._inbox.put(session_id, lambda: self._end(session_id))

    # --- on its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        idle = True
        while self._take_requests(idle):
            self._busy_since = time.monotonic()
            outputs = self._step()
            idle = outputs is None
            for session_id, output in outputs or ():
                self._deliver(session_id, output)

    def _take_requests(self, wait: bool) -> bool:
        """For a while, then those who are being answered have their step; False once it is to stop."""
        until = None
        self._busy_since = None
        while (request := self._inbox.get(wait)) is not None:
            now = self._busy_since = time.monotonic()
            until = until or now + REQUESTS_S
            self._take(request)
            wait = False
            if now > until:
                break
        return not self._inbox.closed

    def _take(self, request: Request) -> None:
        try:
            request()
        # Holding or ending a session is nobody's answer: there is no one to tell.
        except Exception:
            log.exception("! the model broke")

    def _command(self, session_id: str, command: EngineCommand) -> None:
        if self._lost.is_set():
            return
        key = _key(command)
        if key is not None and key in self._failed[session_id]:
            return
        try:
            observed(
                self._observer, session_id, "command", type(command).__name__, lambda: self._run_command(session_id, command)
            )
        # The boundary of the engine: whatever a command breaks is logged once and told to its session alone.
        except Exception:
            log.exception("! %s: %s failed", session_id, type(command).__name__)
            if key is not None:
                self._failed[session_id].add(key)
                # What the command left half done must not go on; that it cannot be undone has been told already.
                with suppress(Exception):
                    self._model.run(session_id, Cancel(key) if isinstance(command, Respond | Cancel) else Forget(key))
            self._deliver(session_id, _failure(command))

    def _run_command(self, session_id: str, command: EngineCommand) -> None:
        given = self._contexts.take(session_id, command)
        if given is not None:
            self._model.run(session_id, given)

    def _end(self, session_id: str) -> None:
        self._failed.pop(session_id, None)
        self._contexts.end(session_id)
        if not self._lost.is_set():
            self._model.end(session_id)

    def _step(self) -> list[tuple[str, Output]] | None:
        if self._lost.is_set():
            return None
        try:
            return observed(self._observer, "", "step", "step", self._model.step)
        except DeviceLost:
            log.exception("! the device is lost: no session can go on, and none can begin")
        # A model breaks by sequences. Where it broke as a whole nobody knows of whom, so all that runs fails.
        except Exception:
            log.exception("! the step broke")
            try:
                return self._model.abandon()
            except Exception:
                log.exception("! the model is beyond help")
        self._lost.set()
        return None


def _key(command: EngineCommand) -> str | None:
    """What the command belongs to, a response or a turn; None for those that belong to the session itself."""
    match command:
        case Respond() | Cancel():
            return command.response_id
        case Listen() | Hear() | Commit() | Forget():
            return command.item_id
        case AddItem() | RemoveItem() | ReplaceItem() | AddTranscript():
            return None
        case _:
            assert_never(command)


def _failure(command: EngineCommand) -> Output:
    match command:
        case Respond() | Cancel():
            return ResponseFailed(command.response_id, "server_error", "The model could not start this response.")
        case Listen() | Hear() | Commit() | Forget():
            return TranscriptFailed(command.item_id, "The model failed to hear this turn.")
        case AddItem() | RemoveItem() | ReplaceItem() | AddTranscript():
            return SessionFailed("The model failed.")
        case _:
            assert_never(command)
