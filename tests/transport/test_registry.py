"""Who is let in, and who is told, when the engine's threads have failed; what is done once sessions have ended, or shall end."""

import asyncio
import json
import queue
import sys
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from realtime_server import messages as m
from realtime_server.settings import Settings
from realtime_server.transport import memory, registry
from realtime_server.transport.engines.local import LocalEngine
from tests.conftest import tiny_wren
from tests.engine.families.wren.test_script import SCRIPT
from tests.live import WAIT_S, Live, live
from tests.transport.doubles import (
    Setup,
)
from tests.transport.test_http import get


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(Settings(), tiny_wren(SCRIPT)) as server:
        yield server


def test_nobody_is_let_in_to_what_has_failed(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(f"{server.http}/health")[0] == 200
    monkeypatch.setattr(LocalEngine, "alive", False)
    status, body = get(f"{server.http}/health")
    assert (status, json.loads(body)["status"]) == (503, "failed")
    with connect(server.ws) as client:
        error = json.loads(client.recv(timeout=WAIT_S))["error"]
        assert (error["type"], error["code"]) == ("server_error", "engine_failed")
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=WAIT_S)
        assert client.close_code == 1011
    monkeypatch.undo()
    assert get(f"{server.http}/health")[0] == 200


def test_who_is_in_is_told_when_it_fails(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(server.ws) as client:
        assert json.loads(client.recv(timeout=WAIT_S))["type"] == "session.created"
        monkeypatch.setattr(LocalEngine, "alive", False)
        error = json.loads(client.recv(timeout=WAIT_S))["error"]
        assert (error["type"], error["code"]) == ("server_error", "internal_error")
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=WAIT_S)
        assert client.close_code == 1011


def test_memory_is_given_back_once_sessions_have_ended(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TIDY_AFTER_S", 0.0)
    given: queue.SimpleQueue[bool] = queue.SimpleQueue()
    give_back = memory.give_back
    monkeypatch.setattr(memory, "give_back", lambda: given.put(give_back()))
    for _ in range(2):
        with connect(server.ws) as client:
            client.recv(timeout=WAIT_S)
        assert given.get(timeout=WAIT_S) is (sys.platform == "linux")


def test_draining_lets_the_answer_finish() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            response_id = await setup.start_an_answer()
            draining = group.create_task(setup.registry.drain())
            setup.engine.deliver(m.TextDelta(response_id, "Bye."))
            await setup.socket.until("response.output_audio_transcript.delta")
            assert setup.registry.draining
            assert not draining.done()
            setup.engine.deliver(m.ResponseFinished(response_id, "completed"))
        assert [e["type"] for e in setup.socket.sent][-1] == "response.done"
        assert setup.socket.closed == (1001, "server_error.server_shutting_down")

    asyncio.run(scenario())
