"""The terminal client: whom it calls, and what it says when nobody answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.cli import main
from realtime_server.session.limits import Limits
from realtime_server.settings import Keys, Settings
from realtime_server.talking import socket_address
from tests.conftest import RECORDINGS, tiny_wren
from tests.engine.families.wren.test_script import SCRIPT
from tests.live import live

QUESTION = str(RECORDINGS / "your-name.flac")
schemes = st.sampled_from([("http", "ws"), ("https", "wss"), ("ws", "ws"), ("wss", "wss")])
hosts = st.sampled_from(["127.0.0.1", "localhost:8000", "[::1]:8000", "voice.example.com"])


@given(schemes, hosts, st.sampled_from(["", "/", "/v1", "/v1/", "/v1/realtime", "/v1/realtime/"]))
def test_every_address_of_a_server_leads_to_its_socket(scheme: tuple[str, str], host: str, path: str) -> None:
    assert socket_address(f"{scheme[0]}://{host}{path}") == f"{scheme[1]}://{host}/v1/realtime"


@given(
    schemes,
    hosts,
    st.sampled_from(["/openai/v1", "/voice-live", "/openai/realtime"]),
    st.sampled_from(["model=wren", "api-version=2025-10-01"]),
)
def test_a_path_and_a_query_are_kept(scheme: tuple[str, str], host: str, path: str, query: str) -> None:
    whole = path if path.endswith("/realtime") else f"{path}/realtime"
    assert socket_address(f"{scheme[0]}://{host}{path}?{query}") == f"{scheme[1]}://{host}{whole}?{query}"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "localhost", "ftp://127.0.0.1", "http://", "http://[::1", "ws://127.0.0.1:99999"]
)
def test_what_is_no_address_is_said_in_a_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["talk", "--url", url, "--in", QUESTION]) == 2
    assert one_line(capsys).startswith(f"realtime-server talk: --url {url}: ")


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_refused_connection_is_a_line(scheme: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        # It is bound and does not listen.
        assert main(["talk", "--url", f"{scheme}://127.0.0.1:{port}", "--in", QUESTION]) == 1
    assert one_line(capsys).startswith(f"realtime-server talk: no server answers at ws://127.0.0.1:{port}/v1/realtime: ")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
def test_a_server_of_another_kind_is_a_line(answer: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(answer) as port:
        assert main(["talk", "--url", f"http://127.0.0.1:{port}", "--in", QUESTION]) == 1
    assert "realtime-server talk: " in one_line(capsys)


def test_a_wrong_key_is_told_by_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    with live(Settings(keys=Keys.of(["sk-right"])), tiny_wren(SCRIPT)) as server:
        assert main(["talk", "--url", server.http, "--api-key", "sk-wrong", "--in", QUESTION]) == 1
    assert "Traceback" not in (told := capsys.readouterr().err)
    assert "invalid_api_key" in told


def test_an_answer_that_fails_is_told_and_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, limits = tmp_path / "answer.wav", Limits(requests_per_minute=1)
    with live(Settings(limits=limits), tiny_wren(SCRIPT)) as server:
        ask = ["talk", "--url", server.http, "--in", QUESTION, "--out", str(answer)]
        assert main(ask) == 0
        answer.unlink()
        assert main(ask) == 1
    assert "rate_limit_exceeded" in capsys.readouterr().err
    assert not answer.exists()


def test_an_answer_with_no_place_is_said_before_anything_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["talk", "--in", QUESTION, "--out", str(tmp_path / "nowhere" / "answer.wav")]) == 2
    assert "--out" in one_line(capsys)


def test_a_file_that_is_no_sound_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("/nowhere.wav", __file__):
        assert main(["talk", "--in", name]) == 2
        assert f"--in {name}" in one_line(capsys)


def test_an_answer_of_a_live_server_becomes_a_file(tmp_path: Path) -> None:
    answer = tmp_path / "answer.wav"
    with live(Settings(), tiny_wren(SCRIPT)) as server:
        assert main(["talk", "--url", server.http, "--in", QUESTION, "--out", str(answer)]) == 0
    assert answer.stat().st_size > 44


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """The port of a server that says this to whoever comes, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()
