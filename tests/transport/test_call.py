"""What fails is told and ends no more than it must, whichever way it came in; what a shell plays, and what wakes a call."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from realtime_server import messages as m
from realtime_server.protocol.errors import ClientError
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import Call
from realtime_server.transport.connection import Gone
from tests.live import WAIT_S
from tests.transport.doubles import (
    CLEAR,
    FAULT,
    Faulty,
    RecordingEngine,
    RecordingShell,
    Setup,
    assert_told,
    settled,
)


def test_what_a_shell_plays_goes_to_its_player_and_what_it_heard_comes_back() -> None:
    async def run() -> None:
        engine, played = RecordingEngine(), list[m.PlayerCommand]()
        start = SessionStart("wren", False, 0, asyncio.get_running_loop().time(), playback="shell")
        call = Call("call", Session(start), engine, played.append)
        shell = RecordingShell(call)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(call.run(shell))
            await settled()
            shell.say("response.create")
            (respond,) = [command for command in engine.commands if isinstance(command, m.Respond)]
            for output in (
                m.TextDelta(respond.response_id, "Hi."),
                m.AudioDelta(respond.response_id, np.zeros(2400, np.int16), 3),
            ):
                engine.deliver(output)
            engine.deliver(m.ResponseFinished(respond.response_id, "completed"))
            (play,) = played
            assert isinstance(play, m.Play)
            assert "output_audio_buffer.stopped" not in shell.kinds
            call.shell_output(m.Played(play.item_id, len(play.samples)))
            assert shell.kinds[-1] == "output_audio_buffer.stopped"
            call.shell_output(m.UserAudio(np.zeros(4800, np.int16)))
            assert isinstance(engine.commands[-1], m.Detect)
            shell.gone.set()

    asyncio.run(run())


def by_event(setup: Setup, session: Faulty) -> None:
    setup.socket.incoming.put_nowait(CLEAR)


def by_output(setup: Setup, session: Faulty) -> None:
    setup.engine.deliver(FAULT)


def by_deadline(setup: Setup, session: Faulty) -> None:
    """The next drain arms the timer."""
    error, session.error, session.overdue = session.error, None, True
    setup.engine.deliver(FAULT)
    session.error = error


WAYS_IN = (by_event, by_output, by_deadline)
Way = Callable[[Setup, Faulty], None]


@pytest.mark.parametrize("way", WAYS_IN)
def test_their_fault_is_told_on_every_way_in(way: Way) -> None:
    async def scenario() -> None:
        setup = Setup(session=Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            call.session.error = ClientError("Too much.", "conversation_too_long", "item")
            way(setup, call.session)
            error = (await setup.socket.until("error"))["error"]
            setup.socket.incoming.put_nowait(CLEAR)
            await setup.socket.until("input_audio_buffer.cleared")
            setup.socket.incoming.put_nowait(Gone(1000, ""))
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "conversation_too_long", "item")
        assert setup.socket.closed is None

    asyncio.run(scenario())


@pytest.mark.parametrize("way", WAYS_IN)
def test_our_fault_is_told_and_closes_on_every_way_in(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        setup = Setup(session=Faulty)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            group.create_task(setup.run())
            await setup.socket.until("session.created")
            (call,) = setup.registry.calls.values()
            assert isinstance(call.session, Faulty)
            call.session.error = RuntimeError("a secret detail")
            way(setup, call.session)
        assert_told(setup)
        assert setup.engine.ended
        assert not setup.registry.calls

    asyncio.run(scenario())
    assert caplog.text.count("Traceback") == 1
    assert "a secret detail" in caplog.text


def test_the_session_clock_wakes_its_call() -> None:
    async def scenario() -> None:
        setup = Setup()
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            start = SessionStart("wren", False, 0, setup.registry.now() - 3600)
            group.create_task(setup.registry.serve(lambda name: Call(name, Session(start), setup.engine), setup.shell))
            error = await setup.socket.until("error")
        assert error["error"]["code"] == "session_expired"
        assert setup.socket.closed is not None
        assert setup.socket.closed[0] == 1001

    asyncio.run(scenario())
