"""The commands as a user runs them: a server process, a question from file to file, a polite end."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime_server.cli import main
from tests.conftest import RECORDINGS
from tests.live import WAIT_S
from tests.transport.test_http import get


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server process and its port."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "realtime_server.cli", "serve", "--model", "wren", "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    lines = []
    # uvicorn listens right after the model is ready; the first connection may still be a moment too early.
    for line in server.stderr:
        lines.append(line)
        if "= ready" in line:
            break
    else:
        raise AssertionError("".join(lines))
    yield server, port
    server.kill()
    server.wait()
    server.stderr.close()


def when_up(port: int) -> None:
    for _ in range(1000):
        try:
            assert get(f"http://127.0.0.1:{port}/health")[0] == 200
            return
        except urllib.error.URLError:
            continue
    raise AssertionError("the server does not listen")


def test_ask_from_file_to_file_then_stop(process: tuple[subprocess.Popen[str], int], tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    server, port = process
    when_up(port)
    answer = tmp_path / "answer.wav"
    assert (
        main(
            [
                "talk",
                "--url",
                f"http://127.0.0.1:{port}",
                "--in",
                str(RECORDINGS / "three-plus-four.flac"),
                "--out",
                str(answer),
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert re.search("you: +what is three plus four\n", printed)
    assert "server: Three plus four is seven." in printed
    samples, rate = soundfile.read(answer)
    assert rate == 24_000
    assert len(samples) > rate / 2
    with connect(f"ws://127.0.0.1:{port}/v1/realtime") as socket:
        assert json.loads(socket.recv(timeout=WAIT_S))["type"] == "session.created"
        os.kill(server.pid, signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=WAIT_S)
        assert socket.close_code == 1001
    assert server.wait(WAIT_S) == 0


def test_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    heads, *rows = capsys.readouterr().out.splitlines()
    assert heads.split() == ["name", "parameters", "size", "where"]
    assert any(row.split()[:5] == ["wren", "19.4", "M", "40.2", "MB"] for row in rows)


@pytest.mark.parametrize("verb", ["serve", "talk"])
def test_every_flag_tells_its_default(verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    flags = re.findall(r" (--[a-z-]+)(?= (?:[A-Z{]|refuse))", text.partition("options:")[2])
    assert len(flags) >= 6
    told = re.split(r" --[a-z-]+(?= (?:[A-Z{]|refuse))", text.partition("options:")[2])[1:]
    assert not [flag for flag, words in zip(flags, told, strict=True) if not re.search(r"\(default: .+\)", words)]
    assert "sk-secret" not in text


@pytest.mark.parametrize(("arguments", "message"), [
    (["serve", "--host", "0.0.0.0"], "api-key-file"),
    (["serve", "--model", "nightingale"], "no model 'nightingale'"),
    (["serve", "--api-key-file", "/nowhere"], "No such file"),
    (["serve", "--port", "99999"], "--port 99999"),
    (["serve", "--sessions", "0"], "--sessions 0"),
    (["serve", "--ping-interval", "-1"], "--ping-interval -1"),
    (["serve", "--tls-certificate", "/nowhere", "--tls-key", "/nowhere"], "--tls-certificate /nowhere: No such file"),
])  # fmt: skip
def test_what_cannot_be_served_is_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"--port {port}" in capsys.readouterr().err


def test_an_environment_that_holds_no_key_is_no_open_door(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REALTIME_SERVER_API_KEYS", " , ")
    assert main(["serve"]) == 2
    assert "REALTIME_SERVER_API_KEYS holds no key." in capsys.readouterr().err
