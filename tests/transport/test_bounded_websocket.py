"""What one client can make of its socket, over real ones: a raw client that breaks the rules, and uvicorn's class as we use it."""

import inspect
import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.sync.client import connect

from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.settings import Settings
from realtime_server.transport import bounded_websocket
from realtime_server.transport.bounded_websocket import PIECE_BYTES, BoundedWebSocket
from tests.conftest import tiny_wren
from tests.engine.families.wren.test_script import SCRIPT
from tests.live import WAIT_S, Live, live

HANDSHAKE = (
    "GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
CLEAR = {"type": "input_audio_buffer.clear"}


def frame(event: dict[str, Any]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(event).encode()).serialize(mask=True)


class RawClient:
    """Sends bytes, and answers no ping."""

    def __init__(self, port: int, buffer_bytes: int | None = None, extra: str = "") -> None:
        self._socket = socket.socket()
        if buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(f"{HANDSHAKE}{extra}\r\n".encode())
        self._stream = self._socket.makefile("rb")
        while self._stream.readline() != b"\r\n":
            pass

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def frame(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next one, of a server that does not mask."""
        first, length = self._stream.read(2)
        if length >= 126:
            (length,) = struct.unpack("!H" if length == 126 else "!Q", self._stream.read(2 if length == 126 else 8))
        self.compressed = bool(first & 0x40)
        return first & 0x0F, self._stream.read(length)

    def until(self, opcode: Opcode, contains: bytes = b"") -> bytes:
        while (got := self.frame())[0] != opcode or contains not in got[1]:
            pass
        return got[1]

    def some(self) -> bytes:
        """What has arrived, however little; without frames."""
        return self._stream.read1(50_000)

    def ended(self) -> bool:
        """Reads all that is left; True once the server has cut the connection."""
        try:
            while self._stream.read(65536):
                pass
        except ConnectionError:
            pass
        return True

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()


@pytest.fixture(scope="module")
def model() -> WrenModel:
    return tiny_wren(SCRIPT)


@pytest.fixture(scope="module")
def server(model: WrenModel) -> Iterator[Live]:
    with live(Settings(), model) as server:
        yield server


@pytest.fixture(scope="module")
def impatient(model: WrenModel) -> Iterator[Live]:
    with live(Settings(ping_interval_s=0.05, ping_timeout_s=0.2), model) as server:
        yield server


@pytest.mark.parametrize("name", [
    "connection_made", "connection_lost", "data_received", "receive", "send", "handle_ping", "handle_parser_exception",
    "handle_text", "handle_bytes", "handle_cont", "send_receive_event_to_app", "keepalive_timeout", "schedule_ping", "pause_writing", "resume_writing", "on_task_complete",
])  # fmt: skip
def test_uvicorn_has_the_methods_that_are_replaced(name: str) -> None:
    ours, theirs = getattr(BoundedWebSocket, name), getattr(WebSocketsSansIOProtocol, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


def test_uvicorn_has_the_state_that_is_read() -> None:
    source = inspect.getsource(WebSocketsSansIOProtocol)
    for name in ("queue", "writable", "conn", "transport", "loop", "read_paused", "pong_timer", "pending_ping_payload",
                 "ping_sent_at", "close_timeout", "disconnected", "frames", "curr_msg_data_type", "close_sent"):  # fmt: skip
        assert f"self.{name}" in source
    assert inspect.isgenerator(ServerProtocol().parser)


def test_who_sends_is_alive_though_it_answers_no_ping(impatient: Live) -> None:
    with RawClient(impatient.port) as client:
        for _ in range(12):
            client.until(Opcode.PING)
            client.send(frame(CLEAR))
        assert json.loads(client.until(Opcode.TEXT, b"cleared"))["type"] == "input_audio_buffer.cleared"


def test_who_neither_sends_nor_answers_is_gone(impatient: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with RawClient(impatient.port) as client:
        assert client.until(Opcode.CLOSE) == struct.pack("!H", 1011) + b"keepalive ping timeout"
        assert client.ended()
    assert until_logged(caplog, "vanished: it sent nothing and answered no ping")


def test_who_answers_pings_may_be_silent(impatient: Live) -> None:
    with RawClient(impatient.port) as client:
        for _ in range(12):
            client.send(Frame(Opcode.PONG, client.until(Opcode.PING)).serialize(mask=True))
        client.send(frame(CLEAR))
        client.until(Opcode.TEXT, b"cleared")


def until_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    waiting = threading.Event()
    return any(text in caplog.text or waiting.wait(0.01) for _ in range(WAIT_S * 100))


def test_a_connection_that_is_cut_has_vanished(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with RawClient(server.port):
        pass
    assert until_logged(caplog, "vanished: its network connection is gone")


def test_a_client_that_closes_says_why(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with connect(server.ws) as client:
        client.close(4001, "had enough")
    assert until_logged(caplog, "closed by the client with 4001 'had enough'")


def test_a_frame_that_breaks_the_protocol_is_no_word_of_the_clients(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with RawClient(server.port) as client:
        client.send(b"\x8f\x80\0\0\0\0")
        assert client.until(Opcode.CLOSE)[:2] == struct.pack("!H", 1002)
    assert until_logged(caplog, "sent away: 1002")


def test_much_in_one_segment_is_worked_off_in_order(server: Live) -> None:
    """More than a piece of the smallest events, cut anywhere by the pieces, behind an event of many pieces."""
    long = {"type": "no such event", "event_id": "first", "padding": "x" * 10 * PIECE_BYTES}
    count = 5 * PIECE_BYTES // len(frame(CLEAR))
    with RawClient(server.port) as client:
        client.send(frame(long) + frame(CLEAR) * count + frame({"type": "no such event", "event_id": "last"}))
        events = [json.loads(client.until(Opcode.TEXT)) for _ in range(count + 3)]
    assert [e["type"] for e in events] == ["session.created", "error", *["input_audio_buffer.cleared"] * count, "error"]
    assert [e["error"]["event_id"] for e in events if e["type"] == "error"] == ["first", "last"]


def test_pings_are_answered_in_any_number(server: Live) -> None:
    with RawClient(server.port) as client:
        pings = [Frame(Opcode.PING, str(n).encode()).serialize(mask=True) for n in range(1000)]
        client.send(b"".join(pings))
        assert [client.until(Opcode.PONG) for _ in pings] == [str(n).encode() for n in range(1000)]


def test_pings_of_a_client_that_reads_nothing_are_not_collected(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest is answered once it reads again; what waits meanwhile does not grow with their number."""
    most = 0
    handle_ping = BoundedWebSocket.handle_ping

    def measured(protocol: BoundedWebSocket) -> None:
        nonlocal most
        handle_ping(protocol)
        most = max(most, protocol.transport.get_write_buffer_size())

    monkeypatch.setattr(BoundedWebSocket, "handle_ping", measured)
    ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True)
    with RawClient(server.port, buffer_bytes=4096) as client:
        for _ in range(50):
            client.send(ping * 2000)
        client.send(Frame(Opcode.PING, b"newest").serialize(mask=True))
        client.send(frame(CLEAR))
        client.until(Opcode.TEXT, b"cleared")
        client.send(Frame(Opcode.PING, b"after").serialize(mask=True))
        client.until(Opcode.PONG, b"after")
    assert most < 256 * 1024


def begun(size: int, opcode: Opcode = Opcode.TEXT) -> bytes:
    return Frame(opcode, b"x" * size, fin=False).serialize(mask=True)


def test_what_has_begun_and_never_ends_is_bounded_for_all_together(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_websocket, "COLLECTED_BYTES", 50_000)
    with RawClient(server.port) as first, RawClient(server.port) as second:
        first.send(begun(30_000))
        first.send(Frame(Opcode.PING, b"so far").serialize(mask=True))
        first.until(Opcode.PONG)
        second.send(begun(30_000))
        assert second.until(Opcode.CLOSE)[:2] == struct.pack("!H", 1009)
        # The first may end what it began.
        first.send(Frame(Opcode.CONT, b"x").serialize(mask=True))
        assert b"invalid_event" in first.until(Opcode.TEXT, b"error")
    assert BoundedWebSocket.all_collected == 0


def test_text_that_is_no_utf8_is_no_fault_of_ours(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    with RawClient(server.port) as client:
        client.send(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        assert client.until(Opcode.CLOSE)[:2] == struct.pack("!H", 1007)
    assert "Traceback" not in caplog.text


def test_who_takes_nothing_is_cut_off(server: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(BoundedWebSocket, "unread_timeout", 0.1)
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 5_000_000}]}
    with RawClient(server.port, buffer_bytes=4096) as client:
        client.send(frame({"type": "conversation.item.create", "item": item}))
        assert until_logged(caplog, "dropped: it does not read")
        assert client.ended()


def test_who_takes_little_by_little_is_kept(impatient: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress counts: a large message takes many times the patience, and a ping that waits behind it cannot be answered."""
    monkeypatch.setattr(BoundedWebSocket, "unread_timeout", 1.0)
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 8_000_000}]}
    waiting = threading.Event()
    with RawClient(impatient.port, buffer_bytes=65536) as client:
        client.send(frame({"type": "conversation.item.create", "item": item}))
        taken = b""
        while b"item.done" not in taken:
            more = client.some()
            assert more, "cut off"
            taken = taken[-100:] + more
            waiting.wait(0.002)


def test_only_small_messages_are_compressed(server: Live) -> None:
    """The first reserved bit says which are (RFC 7692, 6)."""
    item = {"id": "long", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 100_000}]}
    with RawClient(server.port, extra="Sec-WebSocket-Extensions: permessage-deflate\r\n") as client:
        client.send(frame({"type": "conversation.item.create", "item": item}) + frame(CLEAR))
        rows = [(client.frame(), client.compressed) for _ in range(4)]
    assert [compressed for _, compressed in rows] == [True, False, False, True]
    assert json.loads(rows[2][0][1])["item"]["id"] == "long"
