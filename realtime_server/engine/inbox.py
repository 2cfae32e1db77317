"""What sessions ask of the engine's thread, one request of each in turn: who asks for thousands delays nobody else."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

Request = Callable[[], None]


class Inbox:
    """`put` and `close` from any thread, `get` from one. The order of each session's own requests stays."""

    def __init__(self) -> None:
        self._requests: OrderedDict[str, deque[Request]] = OrderedDict()
        self._closed = False
        self._changed = threading.Condition()

    def put(self, session_id: str, request: Request) -> None:
        with self._changed:
            self._requests.setdefault(session_id, deque()).append(request)
            self._changed.notify()

    def drop(self, session_id: str) -> None:
        """Of what it has asked for."""
        with self._changed:
            self._requests.pop(session_id, None)

    def close(self) -> None:
        """Nobody waits any more; what is left is not worked off."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def closed(self) -> bool:
        return self._closed

    def get(self, wait: bool) -> Request | None:
        """The next request; None where there is none, and nobody waits for one, or it is closed."""
        with self._changed:
            while wait and not self._requests and not self._closed:
                self._changed.wait()
            if self._closed or not self._requests:
                return None
            session_id, requests = self._requests.popitem(last=False)
            request = requests.popleft()
            if requests:
                self._requests[session_id] = requests
            return request
