"""The one thread that owns the device: commands in, one step, outputs out."""

import logging
import queue
import threading
from collections.abc import Callable

from realtime_server.engine.contract import Deliver, Model
from realtime_server.messages import Command, Respond, ResponseFailed

log = logging.getLogger(__name__)
Request = Callable[[], None]


class EngineWorker:
    """`submit`, `hold` and `end` from any thread; `deliver` is called on this worker's own thread."""

    def __init__(self, model: Model, deliver: Deliver) -> None:
        self._model, self._deliver = model, deliver
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._inbox.put(None)
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def submit(self, session_id: str, command: Command) -> None:
        self._inbox.put(lambda: self._command(session_id, command))

    def hold(self, session_id: str, held: bool) -> None:
        self._inbox.put(lambda: self._model.hold(session_id, held))

    def end(self, session_id: str) -> None:
        self._inbox.put(lambda: self._model.end(session_id))

    def _command(self, session_id: str, command: Command) -> None:
        try:
            self._model.run(session_id, command)
        # The one boundary of the engine: whatever a command breaks is logged once and told to its session alone.
        except Exception:
            log.exception("! %s: %s failed", session_id, type(command).__name__)
            if isinstance(command, Respond):
                failure = ResponseFailed(command.response_id, "server_error", "The model could not start this response.")
                self._deliver(session_id, failure)

    def _run(self) -> None:
        idle = True
        while True:
            while idle or not self._inbox.empty():
                request = self._inbox.get()
                if request is None:
                    return
                request()
                idle = False
            outputs = self._model.step()
            idle = outputs is None
            for session_id, output in outputs or ():
                self._deliver(session_id, output)
