"""What a scripted conversation leaves in the metrics, and what balancers and autoscalers are told while it runs."""

import json
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from realtime_server.settings import Keys, Settings
from tests.conftest import tiny_wren
from tests.engine.families.wren.test_script import SCRIPT
from tests.live import WAIT_S, Live, live
from tests.transport.test_http import get

SETTINGS = Settings(keys=Keys.of(["sk-right"]), sessions=1)
KEY = {"Authorization": "Bearer sk-right"}


@pytest.fixture
def server() -> Iterator[Live]:
    with live(SETTINGS, tiny_wren(SCRIPT)) as server:
        yield server


def scraped(server: Live) -> dict[str, float]:
    """Samples by name, those with labels by their values too."""
    status, text = get(f"{server.http}/metrics", **KEY)
    assert status == 200
    return {
        "/".join([sample.name, *(value for key, value in sorted(sample.labels.items()) if key != "le")]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def until(client: Connection, name: str) -> None:
    while json.loads(client.recv(timeout=WAIT_S))["type"] != name:
        pass


def test_a_conversation_is_counted(server: Live) -> None:
    with connect(server.ws, additional_headers=KEY) as client:
        until(client, "session.created")
        for number in range(2):
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"{number}"}]}
            client.send(json.dumps({"type": "conversation.item.create", "item": item}))
            client.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["audio"]}}))
            until(client, "response.done")
        client.send("no JSON")
        until(client, "error")
        figures = scraped(server)
        assert figures["realtime_sessions"] == figures["realtime_sessions_opened_total"] == 1
        assert figures["realtime_events_total/received/response.create"] == 2
        assert figures["realtime_events_total/sent/response.done"] == figures["realtime_responses_total"] == 2
        assert figures["realtime_events_total/sent/error"] == 1
        assert figures["realtime_first_audio_seconds_count/request"] == 2
        assert figures["realtime_engine_commands_total/Respond"] == 2
        assert figures["realtime_engine_step_seconds_count"] > 0
        assert figures["realtime_turns_total"] == figures["realtime_interruptions_total"] == 0


def test_the_one_too_many_is_foretold_and_counted(server: Live) -> None:
    assert get(f"{server.http}/ready")[0] == 200
    assert json.loads(get(f"{server.http}/v1/realtime/capacity", **KEY)[1]) == {"slots": 1, "used": 0, "free": 1}
    with connect(server.ws, additional_headers=KEY) as client:
        until(client, "session.created")
        assert get(f"{server.http}/ready")[0] == 503
        assert json.loads(get(f"{server.http}/v1/realtime/capacity", **KEY)[1]) == {"slots": 1, "used": 1, "free": 0}
        with connect(server.ws, additional_headers=KEY) as refused, pytest.raises(ConnectionClosed):
            until(refused, "session.created")
    assert scraped(server)["realtime_refusals_total/rate_limit_exceeded"] == 1


@pytest.mark.parametrize("path", ["/metrics", "/v1/realtime/capacity"])
def test_figures_are_for_those_with_a_key(server: Live, path: str) -> None:
    assert get(server.http + path)[0] == 401
    assert get(server.http + path, Authorization="Bearer sk-wrong")[0] == 401


def test_a_server_that_shuts_down_is_not_ready(server: Live) -> None:
    server.app.state.registry.draining = True
    status, body = get(f"{server.http}/ready")
    assert (status, json.loads(body)["reason"]) == (503, "server_shutting_down")


def test_a_keys_own_limit_is_not_the_servers() -> None:
    with live(Settings(sessions=2, sessions_per_key=1), tiny_wren(SCRIPT)) as server, connect(server.ws) as client:
        until(client, "session.created")
        assert get(f"{server.http}/ready")[0] == 200
