"""A second form of the engine client: everything crosses as bytes, both ways, as it would to another process."""

import pickle
from collections.abc import Callable
from typing import Any

from realtime_server.engine.contract import EngineClient
from realtime_server.messages import DetectorCommand, EngineCommand, Output


class PickledEngine:
    """In front of another one. `crossed` has the types of what went down, and of what came back."""

    def __init__(self, inner: EngineClient) -> None:
        self._inner = inner
        self.crossed: set[type[Any]] = set()

    @property
    def alive(self) -> bool:
        return self._inner.alive

    def _cross(self, message: Any) -> Any:
        self.crossed.add(type(message))
        return pickle.loads(pickle.dumps(message))

    def open(self, session_id: str, deliver: Callable[[Output], None]) -> None:
        self._inner.open(session_id, lambda output: deliver(self._cross(output)))

    def submit(self, session_id: str, command: EngineCommand | DetectorCommand) -> None:
        self._inner.submit(session_id, self._cross(command))

    def hold(self, session_id: str, held: bool) -> None:
        self._inner.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._inner.end(session_id)
