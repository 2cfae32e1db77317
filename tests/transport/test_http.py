"""Health, models, the page."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.beta.realtime import SessionCreateResponse, TranscriptionSession
from openai.types.realtime import ClientSecretCreateResponse

from realtime_server.settings import Keys, Settings
from realtime_server.transport.secrets import ClientSecrets
from tests.engine.test_worker import Echo
from tests.live import WAIT_S, Live, live


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


def post(url: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


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


@pytest.mark.parametrize(
    "path", ["/secrets", "/..%2fsettings.py", "/http.py", "/v1/nothing", "/v1/realtime/nothing/", "/v1/realtime"]
)
def test_nothing_else_is(server: Live, path: str) -> None:
    status, body = get(server.http + path)
    error = json.loads(body)["error"]
    assert (status, error["type"], set(error)) == (404, "invalid_request_error", {"type", "code", "message", "param"})
    assert error["message"].startswith("Invalid URL (GET /")


def test_another_method_is_not_allowed(server: Live) -> None:
    status, answer = post(server.http + "/v1/models", {}, **KEY)
    assert (status, answer["error"]["code"]) == (405, "method_not_supported")
    assert post(server.http + "/v1/nothing", {})[1]["error"]["message"] == "Invalid URL (POST /v1/nothing)"


def test_our_own_fault_is_an_error_object_and_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    with live(Settings(), Echo()) as server:
        server.app.state.registry.secrets = None
        status, answer = post(server.http + SECRETS, {})
    assert (status, answer["error"]["type"], answer["error"]["code"]) == (500, "server_error", "internal_error")
    assert capsys.readouterr().err.count("Traceback (most recent call last)") == 1


NO_NAMES: list[Any] = [[], {}, 0.0, False, ""]
SECRETS = "/v1/realtime/client_secrets"
KEY = {"Authorization": "Bearer sk-right"}


@pytest.mark.parametrize("path", [SECRETS, "/v1//realtime/client_secrets", SECRETS + "/", "/openai" + SECRETS])
def test_a_client_secret(server: Live, path: str) -> None:
    session = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"voice": "ash"}}}
    status, body = post(
        server.http + path, {"session": session, "expires_after": {"anchor": "created_at", "seconds": 60}}, **KEY
    )
    assert status == 200
    ClientSecretCreateResponse.model_validate(body, strict=True)
    assert body["value"].startswith("ek_")
    assert 50 < body["expires_at"] - time.time() < 61
    made = body["session"]
    assert (made["object"], made["expires_at"], made["model"]) == ("realtime.session", 0, "echo")
    assert (made["instructions"], made["audio"]["output"]["voice"]) == ("Be brief.", "ash")


def test_a_transcription_secret(server: Live) -> None:
    status, body = post(server.http + SECRETS, {"session": {"type": "transcription"}}, **KEY)
    assert (status, body["session"]["object"]) == (200, "realtime.transcription_session")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"expires_after": {"seconds": 7201}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 9}}, "expires_after.seconds"),
        ({"session": {}}, "session.type"),
        ({"session": {"type": "realtime", "audio": {"output": {"speed": 9}}}}, "session.audio.output.speed"),
        ({"session": {"type": "realtime", "voice": "ash"}}, "session.voice"),
        ({"session": {"type": "realtime", "model": "nightingale"}}, "session.model"),
        ({"session": {"type": "realtime", "audio": {"output": {"voice": {"id": "gone"}}}}}, "session.audio.output.voice.id"),
        ({"colour": 1}, "colour"),
        ({"expires_after": {"seconds": "600"}}, "expires_after.seconds"),
        ({"expires_after": {"seconds": 600.5}}, "expires_after.seconds"),
        ({"session": {"type": ["realtime"]}}, "session.type"),
        ({"session": {"type": "transcription", "model": ["x"]}}, "session.model"),
        ({"session": {"type": "realtime", "model": {"a": 1}}}, "session.model"),
        *[
            ({"session": {"type": kind, "model": model}}, "session.model")
            for kind in ("realtime", "transcription")
            for model in NO_NAMES
        ],
        ({"session": {"type": "realtime", "instructions": "x" * 300_000}}, "session"),
        (b"[" * 5000 + b"]" * 5000, None),
        (b"\xff\xfe", None),
        ([], None),
        (b"{", None),
    ],
)
def test_a_secret_with_a_bad_field_is_refused(server: Live, body: Any, param: str | None) -> None:
    status, answer = post(server.http + SECRETS, body, **KEY)
    assert (status, answer["error"]["param"], answer["error"]["type"]) == (400, param, "invalid_request_error")


def test_a_secret_needs_a_key_and_makes_no_secrets(server: Live) -> None:
    assert post(server.http + SECRETS, {})[0] == 401
    value = post(server.http + SECRETS, {}, **KEY)[1]["value"]
    assert post(server.http + SECRETS, {}, Authorization=f"Bearer {value}")[0] == 401
    assert get(server.http + "/v1/models", Authorization=f"Bearer {value}")[0] == 200


@pytest.mark.parametrize("path", ["/v1/realtime/sessions", "/v1//realtime/sessions/"])
def test_a_beta_session(server: Live, path: str) -> None:
    flat = {
        "model": "gpt-4o-realtime-preview",
        "voice": "ash",
        "modalities": ["text"],
        "temperature": 0.7,
        "input_audio_format": "g711_ulaw",
    }
    status, body = post(server.http + path, flat, **KEY)
    assert status == 200
    SessionCreateResponse.model_validate(body, strict=True)
    assert {name: body[name] for name in flat} == flat
    assert body["client_secret"]["value"].startswith("ek_")
    assert 50 < body["client_secret"]["expires_at"] - time.time() < 61
    status, body = post(
        server.http + path, {"client_secret": {"expires_after": {"anchor": "created_at", "seconds": 600}}}, **KEY
    )
    assert body["client_secret"]["expires_at"] - time.time() > 590


def test_a_beta_transcription_session(server: Live) -> None:
    flat = {
        "input_audio_transcription": {"model": "whisper-1"},
        "modalities": ["text"],
        "client_secret": {"expires_at": {"seconds": 30}},
    }
    status, body = post(server.http + "/v1/realtime/transcription_sessions", flat, **KEY)
    assert status == 200
    TranscriptionSession.model_validate(body, strict=True)
    assert body["object"] == "realtime.transcription_session"
    assert body["input_audio_transcription"]["model"] == "whisper-1"
    assert body["client_secret"]["expires_at"] - time.time() < 31


@pytest.mark.parametrize(("flat", "param"), [
    ({"voice": 5}, "voice"), ({"input_audio_format": "mp3"}, "input_audio_format"), ({"temperature": 3}, "temperature"), ({"colour": 1}, "colour"),
    ({"turn_detection": {"type": "server_vad", "threshold": "x"}}, "turn_detection.threshold"), ({"model": "nightingale"}, "model"), ({"model": []}, "model"),
    ({"client_secret": {"expires_after": {"seconds": 1}}}, "client_secret.expires_after.seconds"), ([], None),
])  # fmt: skip
def test_a_beta_session_with_a_bad_field_is_refused(server: Live, flat: Any, param: str | None) -> None:
    status, answer = post(server.http + "/v1/realtime/sessions", flat, **KEY)
    assert (status, answer["error"]["param"]) == (400, param)
    assert param is None or f"'{param}'" in answer["error"]["message"] or param in ("model", "input_audio_format")


def test_a_key_has_its_share_of_secrets(server: Live) -> None:
    whole, server.app.state.registry.secrets = server.app.state.registry.secrets, ClientSecrets(share=1)
    try:
        assert post(server.http + SECRETS, {}, **KEY)[0] == 200
        status, answer = post(server.http + SECRETS, {}, **KEY)
        assert (status, answer["error"]["code"]) == (429, "rate_limit_exceeded")
    finally:
        server.app.state.registry.secrets = whole


def test_an_enormous_body_is_refused(server: Live) -> None:
    assert post(server.http + SECRETS, b" " * 2_000_000, **KEY)[0] == 413


def test_pages_of_other_origins_may_ask_with_a_key(server: Live) -> None:
    preflight = urllib.request.Request(
        server.http + SECRETS, method="OPTIONS",
        headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "authorization,content-type,x-openai-agents-sdk"},
    )  # fmt: skip
    with urllib.request.urlopen(preflight, timeout=WAIT_S) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        allowed = answer.headers["Access-Control-Allow-Headers"]
        assert all(name in allowed for name in ("authorization", "content-type", "x-openai-agents-sdk"))
    asked = urllib.request.Request(server.http + "/v1/models", headers={"Origin": "https://app.example", **KEY})
    with urllib.request.urlopen(asked, timeout=WAIT_S) as answer:
        assert answer.headers["Access-Control-Expose-Headers"] == "Location"


def test_without_keys_other_origins_stay_outside() -> None:
    with live(Settings(), Echo()) as server:
        assert get(server.http + "/v1/models", Origin="https://evil.example")[0] == 403
        here = urllib.request.Request(server.http + "/v1/models", headers={"Origin": "http://localhost:3000"})
        with urllib.request.urlopen(here, timeout=WAIT_S) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
