"""The WebSocket under ASGI: uvicorn's own, with a bound on all that one client can make of it.

uvicorn reads 256 kB at once and works them off before anyone else has a turn, answers every ping however many answers wait
already, closes a client that answers no ping though its data keeps coming, and waits without end for a client that takes
nothing. What is used of uvicorn's class is not documented by it: `tests/transport/test_bounded_websocket.py` holds it to that.
"""

import asyncio
import codecs
from asyncio import TimerHandle
from typing import ClassVar

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from realtime_server.transport.connection import NO_CLOSE_FRAME

PIECE_BYTES = 4096
"""Worked off at once: some 700 of the smallest frames, a few milliseconds."""
COMPRESSED_BYTES = 64 * 1024
"""The largest message that is compressed, where the client asked for compression."""
COLLECTED_BYTES = 256 * 1024 * 1024
"""Of messages that have begun and not ended, on all connections together: a frame of 20 kB may inflate to 20 MB."""
SILENT = "vanished: it sent nothing and answered no ping"
UNREAD = "dropped: it does not read"


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """What the application is told at the end is why: a disconnect without a close frame has the reason in words."""

    unread_timeout = 60.0
    """Seconds in which a client that has more to read than its socket holds must take some of it, however little."""

    _heard_at = 0.0
    _pong = b""
    _feeding: asyncio.Handle | None = None
    _watching: TimerHandle | None = None
    _ending = False
    _collected = 0
    all_collected: ClassVar[int] = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._unfed = bytearray()
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unfed.clear()
        self._let_go()
        # It still has the last frame, and all of this refers to itself: collected late, if it is large and new things are few.
        self.conn.parser.close()
        if self._watching is not None:
            self._watching.cancel()
        self._tell("")
        super().connection_lost(exc)

    def _tell(self, reason: str) -> None:
        """The first that is told is what the application hears."""
        self.queue.put_nowait({"type": "websocket.disconnect", "code": NO_CLOSE_FRAME, "reason": reason})

    # --- in: a piece at a time ----------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        self._unfed += data
        if self._feeding is None and not self.read_paused:
            self._feed()

    def _feed(self) -> None:
        """One piece; others have their turn before the next, which waits while the application has not read this one."""
        self._feeding = None
        piece = bytes(self._unfed[:PIECE_BYTES])
        del self._unfed[:PIECE_BYTES]
        super().data_received(piece)
        self._feed_on()

    def _feed_on(self) -> None:
        if self.transport.is_closing():
            self._unfed.clear()
        elif not self.read_paused and self._feeding is None:
            if self._unfed:
                self.transport.pause_reading()
                self._feeding = self.loop.call_soon(self._feed)
            else:
                self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()
        self._feed_on()
        return message

    def handle_parser_exception(self) -> None:
        assert self.conn.close_sent is not None
        self._tell(f"sent away: {self.conn.close_sent.code} {self.conn.close_sent.reason}")
        super().handle_parser_exception()

    # --- in: messages that have begun ---------------------------------------------------------------------------------

    def handle_text(self, event: Frame) -> None:
        if self._collects(event):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if self._collects(event):
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        if self._collects(event):
            super().handle_cont(event)

    def _collects(self, event: Frame) -> bool:
        """Whoever has been sent away is not listened to, whatever he still sends."""
        if self.close_sent or self.conn.close_sent is not None:
            self._let_go()
            return False
        self._collected += len(event.data)
        BoundedWebSocket.all_collected += len(event.data)
        if self.all_collected > COLLECTED_BYTES and not event.fin:
            self._refuse(CloseCode.MESSAGE_TOO_BIG, "too much has begun and not ended")
            return False
        return True

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                codecs.utf_8_decode(b"".join(self.frames), "strict", True)
            except UnicodeDecodeError:
                self._refuse(CloseCode.INVALID_DATA, "the text is not UTF-8")
                return
        super().send_receive_event_to_app()
        self._let_go()

    def _refuse(self, code: CloseCode, reason: str) -> None:
        self._let_go()
        self.conn.send_close(code, reason)
        self.handle_parser_exception()

    def _let_go(self) -> None:
        """Of the message that has begun, if any."""
        self.frames = []
        BoundedWebSocket.all_collected -= self._collected
        self._collected = 0

    # --- pings --------------------------------------------------------------------------------------------------------

    def handle_ping(self) -> None:
        """While the client takes nothing only its newest ping is to be answered: "an endpoint MAY elect to send a Pong frame
        for only the most recently processed Ping frame" (RFC 6455, 5.5.3)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self._pong = b"".join(self.conn.data_to_send()[-1:]) or self._pong

    def keepalive_timeout(self) -> None:
        """A client from which anything came since is alive. It may also be that its answer is not read, or that the ping
        waits behind what it has not taken yet: whether it takes that is watched below."""
        unknown = self.read_paused or self._unfed or not self.writable.is_set()
        if self._heard_at >= self.ping_sent_at or unknown:
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
        else:
            self._tell(SILENT)
            super().keepalive_timeout()

    # --- out: a client that takes nothing -----------------------------------------------------------------------------

    async def send(self, message: ASGISendEvent) -> None:
        """A large message goes as it is, as RFC 7692 (section 6) allows: zlib would hold everybody for 40 ms a megabyte."""
        await self.writable.wait()
        extensions = self.conn.extensions
        if message["type"] == "websocket.send" and len(message.get("text") or "") > COMPRESSED_BYTES:
            self.conn.extensions = []
        try:
            # With room to write it does not wait, so nothing else sees the connection without its extensions.
            await super().send(message)
        finally:
            self.conn.extensions = extensions
        if message["type"] == "websocket.close":
            self._let_go()
        self._feed_on()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._pong and not self.transport.is_closing():
            self.transport.write(self._pong)
        self._pong = b""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The application is done; a close frame that is never taken must not keep the connection."""
        super().on_task_complete(task)
        self._ending = True
        if not self.disconnected:
            self._watch()

    def _watch(self) -> None:
        """Progress is counted, not messages: whoever takes a large one slowly does read."""
        if self._watching is not None:
            self._watching.cancel()
        patience = self.close_timeout if self._ending else self.unread_timeout
        self._watching = self.loop.call_later(patience, self._look, self.transport.get_write_buffer_size())

    def _look(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if 0 < left < before:
            self._watch()
        elif self._ending or not self.writable.is_set():
            self._tell(UNREAD)
            self.transport.abort()
