"""Strangers: what they half say, say too largely or not at all ends in seconds, and with an answer where there was a question."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from realtime_server.settings import Settings
from realtime_server.transport.bounded_http import HEADER_BYTES, HEADERS, BoundedHttp
from tests.engine.test_worker import Echo
from tests.live import WAIT_S, Live, live

UPGRADE = (
    "GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
POST = "POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Impatient(BoundedHttp):
    request_s = 0.05


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(Settings(), Echo(), http=BoundedHttp) as running:
        yield running


@pytest.fixture(scope="module")
def impatient() -> Iterator[Live]:
    with live(Settings(), Echo(), http=Impatient) as running:
        yield running


def answer(server: Live, *sent: str) -> str:
    """All that comes until the server hangs up (or, behind an upgrade, the head of its answer)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as client:
        for text in sent:
            client.sendall(text.encode("latin-1"))
        got = b""
        while not got.startswith(b"HTTP/1.1 101") and (piece := client.recv(65536)):
            got += piece
    return got.decode("latin-1")


def error(text: str) -> dict[str, Any]:
    return dict(json.loads(text.partition("\r\n\r\n")[2])["error"])


@pytest.mark.parametrize("sent", ["GET /hea", "GET /health HTTP/1.1\r\nHost: x\r\n", 
                                  UPGRADE])  # fmt: skip
def test_half_a_request_is_answered_and_closed(impatient: Live, sent: str) -> None:
    assert "HTTP/1.1 408" in answer(impatient, sent)


@pytest.mark.parametrize("sent", ["", POST + "Content-Length: 100\r\n\r\n{"])
def test_silence_and_half_a_body_are_closed(impatient: Live, sent: str) -> None:
    assert answer(impatient, sent) == ""


def test_what_is_complete_takes_the_time_it_needs(impatient: Live) -> None:
    assert "HTTP/1.1 101" in answer(impatient, UPGRADE + "\r\n")
    assert '"ek_' in answer(impatient, POST + "Content-Length: 2\r\nConnection: close\r\n\r\n{}")


@pytest.mark.parametrize("header", ["X: " + "a" * HEADER_BYTES, "X: a\r\n" * HEADERS + "X: a", "X: " + "a" * 2_000_000])
def test_large_headers_get_an_answer(server: Live, header: str) -> None:
    text = answer(server, f"{UPGRADE}{header}\r\n\r\n")
    assert text.startswith("HTTP/1.1 431")
    assert error(text)["type"] == "invalid_request_error"


def test_a_header_without_end_gets_an_answer(server: Live) -> None:
    assert answer(server, "GET /health HTTP/1.1\r\nX: ", "a" * 1_000_000).startswith("HTTP/1.1 431")


@pytest.mark.parametrize("sent", ["\x00\x01\r\n\r\n", UPGRADE.replace("realtime ", "realtime?model=\xff ") + "\r\n",
                                  UPGRADE + "Sec-WebSocket-Protocol: openai-insecure-api-key.\xff\r\n\r\n"])  # fmt: skip
def test_what_is_no_http_is_said(server: Live, sent: str) -> None:
    text = answer(server, sent)
    assert text.startswith("HTTP/1.1 400")
    assert error(text)["message"]


@pytest.mark.parametrize(
    "header", ["Host: [::1", "Host: \xff\xfe", "Origin: http://[", "Authorization: Bearer \xff", "api-key: \xc3\xbc"]
)
def test_odd_headers_are_refused_or_ignored(server: Live, header: str) -> None:
    sent = UPGRADE if not header.startswith("Host") else UPGRADE.replace("Host: 127.0.0.1", header)
    assert answer(server, sent + ("" if header.startswith("Host") else header + "\r\n") + "\r\n").startswith("HTTP/1.1 101")
