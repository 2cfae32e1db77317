"""Each shell is shown all that happens while it is there; what one breaks or delays costs itself alone; what fails is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol.errors import ClientError
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import INTERNAL_ERROR, Call, ShellLost
from realtime_server.transport.connection import Gone
from tests.helpers import TEXT_ITEM
from tests.live import WAIT_S
from tests.transport.doubles import (
    CLEAR,
    FAULT,
    Faulty,
    RecordingEngine,
    RecordingShell,
    Setup,
    assert_told,
)


async def settled() -> None:
    """What is ready has run."""
    for _ in range(10):
        await asyncio.sleep(0)


def in_a_call(
    scenario: Callable[[Call, RecordingShell, RecordingEngine, asyncio.TaskGroup], Awaitable[None]], **first: Any
) -> None:
    """The call must be over soon after the scenario."""

    async def run() -> None:
        engine = RecordingEngine()
        call = Call("call", Session(SessionStart("wren", False, 0, asyncio.get_running_loop().time())), engine)
        shell = RecordingShell(call, **first)
        async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
            running = group.create_task(call.run(shell))
            await settled()
            await scenario(call, shell, engine, group)
            await running
        assert engine.ended

    asyncio.run(run())


def join(call: Call, group: asyncio.TaskGroup, **shell: Any) -> RecordingShell:
    second = RecordingShell(call, **shell)
    group.create_task(call.serve(second))
    return second


STEPS = st.tuples(st.sampled_from(["join", "leave", "say", "words", "sound"]), st.integers(0, 3))


@given(st.lists(STEPS, max_size=30))
@settings(max_examples=60)
def test_each_shell_is_shown_all_that_happens_while_it_is_there(steps: list[tuple[str, int]]) -> None:
    """Once each, in order, and nothing from before, `session.created` neither: as on a sideband (protocol 6.4)."""

    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        first.say("conversation.item.create", item=TEXT_ITEM)
        first.say("response.create")
        (respond,) = [command for command in engine.commands if isinstance(command, m.Respond)]
        there: list[tuple[RecordingShell, int]] = []
        for step, pick in steps:
            match step:
                case "join":
                    there.append((join(call, group), len(first.events)))
                    await settled()
                case "leave" if there:
                    shell, came_at = there.pop(pick % len(there))
                    shell.gone.set()
                    await settled()
                    assert shell.events == first.events[came_at:]
                case "say":
                    [first, *(shell for shell, _ in there)][pick % (len(there) + 1)].say("input_audio_buffer.clear")
                case "words":
                    engine.deliver(m.TextDelta(respond.response_id, "word "))
                case "sound":
                    engine.deliver(m.AudioDelta(respond.response_id, np.zeros(2400, np.int16), 5))
        assert len({event["event_id"] for event in first.events}) == len(first.events)
        for shell, came_at in there:
            assert shell.events == first.events[came_at:]
        for shell in (first, *(shell for shell, _ in there)):
            shell.gone.set()

    in_a_call(scenario)


def test_the_call_goes_on_where_the_first_shell_has_left() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        first.say("response.create")
        (respond,) = [command for command in engine.commands if isinstance(command, m.Respond)]
        second = join(call, group)
        await settled()
        first.gone.set()
        await settled()
        engine.deliver(m.ResponseFinished(respond.response_id, "completed"))
        assert second.kinds == ["response.done"]
        assert "response.done" not in first.kinds
        second.gone.set()

    in_a_call(scenario)


@pytest.mark.parametrize(("error", "told"), [(RuntimeError, True), (ShellLost, False)])
def test_a_shell_that_breaks_costs_itself_alone(error: type[Exception], told: bool) -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        second = join(call, group, breaks_at="input_audio_buffer.cleared", error=error)
        await settled()
        first.say("input_audio_buffer.clear")
        await settled()
        assert second.goodbye == ((1011, INTERNAL_ERROR) if told else None)
        assert second.kinds == ["error"] * told
        # It is shown nothing more, and what it still sends is not heard.
        first.say("input_audio_buffer.clear")
        second.say("input_audio_buffer.clear")
        assert first.kinds == ["session.created", "input_audio_buffer.cleared", "input_audio_buffer.cleared"]
        assert second.kinds == ["error"] * told
        second.gone.set()
        await settled()
        assert not engine.ended
        first.gone.set()

    in_a_call(scenario)


def test_a_shell_whose_run_breaks_leaves_the_others() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        async def run() -> None:
            raise RuntimeError("a broken loop")

        second = RecordingShell(call)
        second.run = run  # type: ignore[method-assign]
        await call.serve(second)
        first.say("input_audio_buffer.clear")
        assert first.kinds[-1] == "input_audio_buffer.cleared"
        assert not second.events
        first.gone.set()

    in_a_call(scenario)


def test_generation_waits_for_the_shells_that_play() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        watching, playing = join(call, group, plays=False), join(call, group)
        await settled()
        call.hold(watching, True)
        assert engine.holds == []
        call.hold(first, True)
        call.hold(playing, True)
        assert engine.holds == [True]
        call.hold(first, False)
        assert engine.holds == [True]
        # Who leaves holds nobody up.
        playing.gone.set()
        await settled()
        assert engine.holds == [True, False]
        watching.gone.set()
        first.gone.set()

    in_a_call(scenario)


def test_everyone_is_sent_home() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        second = join(call, group)
        await settled()
        call.session.fail("It broke.")
        engine.deliver(m.Prompted("", 0, 0))
        assert first.goodbye == second.goodbye == (1011, INTERNAL_ERROR)
        assert first.kinds[-1] == second.kinds[-1] == "error"

    in_a_call(scenario)


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


def test_who_comes_when_all_are_sent_home_is_sent_home_too() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        second = join(call, group)
        await settled()
        second.say_goodbye = lambda code, reason: None  # type: ignore[method-assign]
        call.session.engine_output = lambda output, now: 1 / 0  # type: ignore[method-assign, assignment]
        engine.deliver(m.Prompted("", 0, 0))
        late = join(call, group)
        await settled()
        assert late.goodbye == (1011, INTERNAL_ERROR)
        assert late.events == []
        second.gone.set()

    in_a_call(scenario)


# --- faults -----------------------------------------------------------------------------------------------------------


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
