"""Who may come in, and how the others are sent away: over real sockets, with a tiny model."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin, Subprotocol

from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.session.limits import Limits
from realtime_server.settings import Keys, Settings
from realtime_server.transport.admission import foreign_page
from realtime_server.transport.secrets import ClientSecret
from tests.conftest import tiny_wren
from tests.engine.families.wren.test_script import SCRIPT
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live, live
from tests.transport.test_http import get, post


@pytest.fixture(scope="module")
def model() -> WrenModel:
    return tiny_wren(SCRIPT)


@pytest.fixture(scope="module")
def open_server(model: WrenModel) -> Iterator[Live]:
    with live(Settings(sessions=2, limits=Limits(append_bytes=20_000_000)), model) as server:
        yield server


@pytest.fixture(scope="module")
def locked_server(model: WrenModel) -> Iterator[Live]:
    with live(Settings(keys=Keys.of(["sk-right", "sk-also-right"])), model) as server:
        yield server


def receive(socket: Connection, beta: bool = False) -> dict[str, Any]:
    """The next event; the SDK's own types have accepted it strictly, but for those of the beta, which it has no types for."""
    text = socket.recv(timeout=WAIT_S)
    if not beta:
        SDK_EVENT.validate_json(text, strict=True)
    return dict(json.loads(text))


def receive_until(socket: Connection, kind: str) -> dict[str, Any]:
    while (event := receive(socket))["type"] != kind:
        pass
    return event


def refused(url: str, **options: Any) -> tuple[str, int, str]:
    """(error code, close code, close reason)."""
    with connect(url, **options) as socket:
        event = receive(socket)
        assert event["type"] == "error"
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=WAIT_S)
        assert socket.close_code is not None
        return event["error"]["code"], socket.close_code, socket.close_reason or ""


def test_no_key_is_needed_on_this_machine(open_server: Live) -> None:
    with connect(open_server.ws) as socket:
        assert receive(socket)["type"] == "session.created"
        assert socket.subprotocol is None


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer sk-right"}, {"Authorization": "bearer sk-also-right"}, {"api-key": "sk-right"},
])  # fmt: skip
def test_a_key_opens(locked_server: Live, headers: dict[str, str]) -> None:
    with connect(locked_server.ws, additional_headers=headers) as socket:
        assert receive(socket)["type"] == "session.created"


def test_a_browser_sends_its_key_as_a_subprotocol(locked_server: Live) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.sk-right")]
    with connect(locked_server.ws, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        assert receive(socket)["type"] == "session.created"


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer sk-wrong"}, {"Authorization": "Bearer "}, {"api-key": "sk-righ"}]
)
def test_a_wrong_key_is_told_and_closed(locked_server: Live, headers: dict[str, str]) -> None:
    expected = ("invalid_api_key", 3000, "invalid_request_error.invalid_api_key")
    assert refused(locked_server.ws, additional_headers=headers) == expected


def test_a_foreign_page_stays_outside(open_server: Live) -> None:
    assert refused(open_server.ws, origin="https://evil.example")[0] == "invalid_origin"
    with connect(open_server.ws, origin=Origin(f"http://localhost:{open_server.port}")) as socket:
        assert receive(socket)["type"] == "session.created"


@pytest.mark.parametrize(("headers", "foreign"), [
    ({"host": "localhost:8000"}, False), ({"host": "127.0.0.1:8000", "origin": "http://localhost:3000"}, False),
    ({"host": "[::1]:8000"}, False), ({"host": "evil.example"}, True), ({"host": "localhost", "origin": "null"}, True),
    ({"host": "localhost:8000", "origin": "https://localhost.evil.example"}, True), ({}, True),
    ({"host": "[::1"}, True), ({"host": "localhost", "origin": "http://["}, True), ({"host": "\xff"}, True),
])  # fmt: skip
def test_names_that_only_pretend_to_be_this_machine(headers: dict[str, str], foreign: bool) -> None:
    assert foreign_page(headers) is foreign


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/realtime?model=nightingale", "model_not_found"), ("/v1/realtime?call_id=rtc_1", "call_id_not_found"),
        ("/v1/real", "unknown_url"), ("/", "unknown_url"),
    ],
)  # fmt: skip
def test_what_is_asked_for_must_exist(open_server: Live, path: str, code: str) -> None:
    assert refused(open_server.ws.replace("/v1/realtime", path))[:2] == (code, 4000)


@pytest.mark.parametrize("path", ["/openai/realtime?deployment=ours&api-version=2025-08-28", "/openai/v1/realtime?model=ours",
                                  "/voice-live/realtime?model=gpt-4o&api-version=2026-07-15"])  # fmt: skip
def test_a_deployment_has_the_name_that_its_owner_gave_it(open_server: Live, path: str) -> None:
    with connect(open_server.ws.replace("/v1/realtime", path)) as socket:
        assert json.loads(socket.recv(timeout=WAIT_S))["session"]["model"] in ("ours", "gpt-4o")


def test_some_subprotocol_is_chosen_but_never_the_key(open_server: Live) -> None:
    offered = [Subprotocol("openai-insecure-api-key.sk-x"), Subprotocol("openai-agents-sdk.0.20.0")]
    with connect(open_server.ws, subprotocols=offered) as socket:
        assert socket.subprotocol == offered[1]
    with connect(open_server.ws, subprotocols=offered[:1]) as socket:
        assert socket.subprotocol is None


@pytest.mark.parametrize("name", ["tiny", "gpt-realtime", "gpt-realtime-2.1", "gpt-4o-realtime-preview"])
def test_hosted_names_are_aliases(open_server: Live, name: str) -> None:
    with connect(f"{open_server.ws}?model={name}") as socket:
        assert receive(socket)["session"]["model"] == name


@pytest.mark.parametrize(
    "path", ["/v1//realtime", "/v1/realtime/", "/v1/realtime/?model=tiny", "/openai/v1/realtime?model=tiny"]
)
def test_other_paths(open_server: Live, path: str) -> None:
    with connect(open_server.ws.replace("/v1/realtime", path)) as socket:
        assert receive(socket)["session"]["object"] == "realtime.session"


@pytest.mark.parametrize(("path", "options"), [
    ("/v1/realtime?model=gpt-4o-realtime-preview", {"additional_headers": {"OpenAI-Beta": "realtime=v1"}}),
    ("/v1/realtime", {"subprotocols": [Subprotocol("realtime"), Subprotocol("openai-beta.realtime-v1")]}),
    ("/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-4o-realtime-preview", {}),
    ("/voice-live/realtime?api-version=2026-07-15&model=gpt-4o-realtime-preview", {"additional_headers": {"api-key": "any"}}),
])  # fmt: skip
def test_the_beta_is_chosen_at_the_upgrade(open_server: Live, path: str, options: dict[str, Any]) -> None:
    with connect(open_server.ws.replace("/v1/realtime", path), **options) as socket:
        session = receive(socket, beta=True)["session"]
        assert session["modalities"] == ["audio", "text"]
        assert "audio" not in session
        socket.send('{"type": "session.update", "session": {"voice": "ash", "input_audio_format": "g711_ulaw"}}')
        session = receive(socket, beta=True)["session"]
        assert (session["voice"], session["input_audio_format"]) == ("ash", "g711_ulaw")


def test_the_beta_can_be_refused(model: WrenModel) -> None:
    with live(Settings(refuse_beta=True), model) as server:
        expected = ("beta_api_shape_disabled", 4000, "invalid_request_error.beta_api_shape_disabled")
        assert refused(server.ws, additional_headers={"OpenAI-Beta": "realtime=v1"}) == expected


@pytest.mark.parametrize("asked", ["", "&model=gpt-realtime", "&model=gpt-4o-mini-transcribe", "&model=tiny"])
def test_a_transcription_session(open_server: Live, asked: str) -> None:
    """Some clients cannot leave the model out."""
    with connect(f"{open_server.ws}?intent=transcription{asked}") as socket:
        assert receive(socket)["session"]["type"] == "transcription"


def test_more_sessions_than_fit_are_refused(open_server: Live) -> None:
    with connect(open_server.ws) as one, connect(open_server.ws) as two:
        receive(one)
        receive(two)
        assert refused(open_server.ws)[0] == "rate_limit_exceeded"
        assert receive_after(one)["type"] == "error"


def receive_after(socket: Connection) -> dict[str, Any]:
    socket.send("{}")
    return receive(socket)


@pytest.mark.parametrize(
    "message", ["", "{", "[1]", '{"type": 7}', '{"type": "session.update", "session": 3}', b"\xff\xfe", "\u0000"]
)
def test_nothing_malformed_ends_the_session(open_server: Live, message: str | bytes) -> None:
    with connect(open_server.ws) as socket:
        receive(socket)
        socket.send(message)
        assert receive(socket)["type"] == "error"
        socket.send('{"type": "input_audio_buffer.clear"}')
        assert receive(socket)["type"] == "input_audio_buffer.cleared"


def test_a_frame_of_15_mib_of_audio_fits(open_server: Live) -> None:
    with connect(open_server.ws, max_size=None) as socket:
        receive(socket)
        socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": "A" * (20 * 1024 * 1024)}))
        socket.send('{"type": "input_audio_buffer.clear"}')
        assert receive(socket)["type"] == "input_audio_buffer.cleared"


def test_a_larger_frame_closes_that_connection_only(open_server: Live) -> None:
    with connect(open_server.ws) as other, connect(open_server.ws, max_size=None) as socket:
        receive(other)
        receive(socket)
        with pytest.raises(ConnectionClosed):
            socket.send("x" * (22 * 1024 * 1024))
            socket.recv(timeout=WAIT_S)
        assert socket.close_code == 1009
        assert receive_after(other)["type"] == "error"


# --- keys, secrets, models --------------------------------------------------------------------------------------------


def secret(server: Live, **session: Any) -> str:
    body = {"session": {"type": "realtime", **session}}
    return str(post(f"{server.http}/v1/realtime/client_secrets", body, Authorization="Bearer sk-right")[1]["value"])


def test_a_client_secret_opens_its_own_session_again_and_again(locked_server: Live) -> None:
    value = secret(locked_server, instructions="Be brief.", model="gpt-realtime")
    browser = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{value}")]
    ways: list[dict[str, Any]] = [{"additional_headers": {"Authorization": f"Bearer {value}"}}, {"subprotocols": browser}]
    for way in ways:
        with connect(locked_server.ws, **way) as socket:
            session = receive(socket)["session"]
            assert (session["instructions"], session["model"]) == ("Be brief.", "gpt-realtime")


def test_a_transcription_secret_opens_a_transcription_session(locked_server: Live) -> None:
    value = secret(locked_server, type="transcription")
    with connect(f"{locked_server.ws}?model=gpt-realtime", additional_headers={"Authorization": f"Bearer {value}"}) as socket:
        assert receive(socket)["session"]["type"] == "transcription"


@pytest.mark.parametrize("asked", ["gpt-realtime", "nonsense"])
def test_a_transcription_secret_may_name_any_model(locked_server: Live, asked: str) -> None:
    value = secret(locked_server, type="transcription", model=asked)
    with connect(locked_server.ws, additional_headers={"Authorization": f"Bearer {value}"}) as socket:
        assert receive(socket)["session"]["type"] == "transcription"


def test_a_beta_secret_brings_its_temperature_along(locked_server: Live) -> None:
    url, key = f"{locked_server.http}/v1/realtime/sessions", {"Authorization": "Bearer sk-right"}
    value = post(url, {"temperature": 0.9, "instructions": "Be brief."}, **key)[1]["client_secret"]["value"]
    with connect(
        locked_server.ws, additional_headers={"Authorization": f"Bearer {value}", "OpenAI-Beta": "realtime=v1"}
    ) as socket:
        session = receive(socket, beta=True)["session"]
        assert (session["temperature"], session["instructions"]) == (0.9, "Be brief.")


def test_our_own_fault_is_told_and_closed(open_server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_server.app.state.registry, "serve", None)
    assert refused(open_server.ws) == ("internal_error", 1011, "server_error.internal_error")


def test_an_expired_secret_is_told_so(locked_server: Live) -> None:
    registry = locked_server.app.state.registry
    value = registry.secrets.make(ClientSecret(0, None, expires=time.monotonic() - 1), now=time.monotonic())
    with connect(locked_server.ws, additional_headers={"Authorization": f"Bearer {value}"}) as socket:
        error = receive(socket)["error"]
        assert (error["code"], error["message"]) == ("invalid_api_key", "Ephemeral token expired.")


def test_sessions_are_counted_by_key(model: WrenModel) -> None:
    with live(Settings(keys=Keys.of(["sk-one", "sk-two"]), sessions_per_key=1), model) as server:
        one, two = ({"Authorization": f"Bearer sk-{name}"} for name in ("one", "two"))
        with connect(server.ws, additional_headers=one) as first, connect(server.ws, additional_headers=two) as second:
            assert receive(first)["type"] == receive(second)["type"] == "session.created"
            assert refused(server.ws, additional_headers=one)[:2] == ("rate_limit_exceeded", 1013)


def test_a_key_shares_its_quota_over_its_sessions(model: WrenModel) -> None:
    settings = Settings(keys=Keys.of(["sk-one", "sk-two"]), limits=Limits(requests_per_minute=1))
    with live(settings, model) as server:
        outcomes = []
        for key in ("sk-one", "sk-one", "sk-two"):
            with connect(server.ws, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
                socket.send(json.dumps({"type": "response.create", "response": {"max_output_tokens": 1}}))
                outcomes.append(receive_until(socket, "response.done")["response"]["status"])
        assert outcomes == ["incomplete", "failed", "incomplete"]


def test_the_model_is_chosen_by_name() -> None:
    with live(Settings(), tiny_wren(SCRIPT, "first"), tiny_wren(SCRIPT, "second")) as server:
        names = json.loads(get(f"{server.http}/v1/models")[1])["data"]
        assert [entry["id"] for entry in names] == ["first", "second"]
        for asked in ("second", "gpt-realtime"):
            with connect(f"{server.ws}?model={asked}") as socket:
                assert receive(socket)["session"]["model"] == asked
                socket.send(json.dumps({"type": "response.create", "response": {"max_output_tokens": 1}}))
                assert receive_until(socket, "response.done")["response"]["status"] == "incomplete"
        assert refused(f"{server.ws}?model=third")[0] == "model_not_found"


def test_compression_is_offered(open_server: Live) -> None:
    with connect(open_server.ws, compression="deflate") as socket:
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
        assert receive(socket)["type"] == "session.created"
