"""Health, models, the page."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from realtime_server.settings import Keys, Settings
from tests.engine.test_worker import Echo
from tests.live import Live, live


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(Settings(keys=Keys.of(["sk-right"])), Echo()) as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_needs_no_key(server: Live) -> None:
    status, body = get(server.http + "/health")
    assert status == 200
    assert json.loads(body) == {"status": "ok", "model": "echo", "sessions": 0}


def test_models_need_one(server: Live) -> None:
    assert get(server.http + "/v1/models")[0] == 401
    status, body = get(server.http + "/v1/models", Authorization="Bearer sk-right")
    assert status == 200
    assert [entry["id"] for entry in json.loads(body)["data"]] == ["echo"]


@pytest.mark.parametrize(("path", "text"), [("/", "<!doctype html>"), ("/playground.js", "/v1/realtime"),
                                            ("/microphone.js", "AudioWorkletProcessor"), ("/style.css", "body")])  # fmt: skip
def test_the_page_is_served(server: Live, path: str, text: str) -> None:
    status, body = get(server.http + path)
    assert status == 200
    assert text in body


@pytest.mark.parametrize("path", ["/secrets", "/..%2fsettings.py", "/http.py"])
def test_nothing_else_is(server: Live, path: str) -> None:
    assert get(server.http + path)[0] == 404
