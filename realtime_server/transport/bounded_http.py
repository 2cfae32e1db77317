"""HTTP under ASGI: uvicorn's own, with a bound on how long a stranger may take to say what he wants, and on what he says.

uvicorn waits without end for the rest of a request, and a header that is too long for a WebSocket ends without an answer.
What is used of uvicorn's class is not documented by it: `tests/transport/test_bounded_http.py` holds it to that.
"""

import asyncio
import sys

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from realtime_server.protocol.errors import error_object

REQUEST_S = 10.0
"""From a request's first byte, or the connection's beginning, to the request's last byte."""
HEADERS = 100
HEADER_BYTES = 8000
"""One header's; `websockets` takes 128 of 8192 bytes."""
LINGER_S = 1.0
"""What a client still sends is thrown away for so long: hanging up on it would take the answer from it."""
_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


class BoundedHttp(H11Protocol):
    request_s = REQUEST_S
    _deadline: asyncio.TimerHandle | None = None
    _upgraded = False
    _answered = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        super().data_received(data)
        if self._upgraded or self._answered or self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._end()
        elif self._deadline is None:
            self._begin()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """A request that `websockets` would not take is answered here: it would only hang up."""
        self._upgraded = True
        lengths = [len(name) + len(value) for name, value in self.headers]
        if len(lengths) > HEADERS or max([len(event.target), *lengths]) > HEADER_BYTES:
            self._answer(431, "The request's headers are too large.")
        elif not all(value.isascii() for name, value in self.headers if name.startswith(b"sec-websocket-")):
            self._answer(400, "The WebSocket's headers are not ASCII.")
        else:
            super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """h11 says in its error whether it was the headers' size."""
        self._answer(getattr(sys.exception(), "error_status_hint", 400), msg)

    def _begin(self) -> None:
        self._deadline = self.loop.call_later(self.request_s, self._too_slow)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._answer(408, f"The request was not complete after {self.request_s:g} seconds.")
        else:
            # Nothing was asked; or the application waits for the body, and hears that the client is gone.
            self.transport.close()

    def _answer(self, status: int, message: str) -> None:
        status = status if status in _REASONS else 400
        body = orjson.dumps({"error": error_object("invalid_request_error", None, message)})
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self.transport.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
        self._answered = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
        self.loop.call_later(LINGER_S, self.transport.close)
