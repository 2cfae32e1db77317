"""Shells come and go: each is shown all that happens while it is there, and what one breaks or delays costs itself alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol import codec
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import INTERNAL_ERROR, Call, ShellLost
from tests.helpers import checked
from tests.live import WAIT_S
from tests.transport.test_connection import RecordingEngine

CLEAR = {"type": "input_audio_buffer.clear"}
EMPTY_ITEM = {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}}


class RecordingShell:
    """Keeps what it is shown; raises `error` when it is shown an event of the kind `breaks_at`."""

    def __init__(self, call: Call, plays: bool = True, breaks_at: str = "", error: type[Exception] = RuntimeError) -> None:
        self.call, self.plays, self.breaks_at, self.error = call, plays, breaks_at, error
        self.events: list[dict[str, Any]] = []
        self.goodbye: tuple[int, str] | None = None
        self.gone = asyncio.Event()

    def show(self, event: Any) -> None:
        if event.type == self.breaks_at:
            self.breaks_at = ""
            raise self.error("a shell that breaks")
        self.events.append(checked(event))

    def say_goodbye(self, code: int, reason: str) -> None:
        self.goodbye = (code, reason)
        self.gone.set()

    async def run(self) -> None:
        await self.gone.wait()

    def say(self, event: dict[str, Any]) -> None:
        self.call.receive(self, lambda: codec.decode(orjson.dumps(event)))

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


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


@given(st.lists(st.sampled_from(["first", "second", "engine", "join", "leave"]), max_size=25))
@settings(max_examples=40)
def test_each_shell_is_shown_all_that_happens_while_it_is_there(steps: list[str]) -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        first.say(EMPTY_ITEM)
        first.say({"type": "response.create"})
        (respond,) = [command for command in engine.commands if isinstance(command, m.Respond)]
        second: RecordingShell | None = None
        came_at = 0
        for step in steps:
            if step == "join" and second is None:
                came_at, second = len(first.events), join(call, group)
                await settled()
            elif step == "leave" and second is not None:
                second.gone.set()
                await settled()
                assert second.events == first.events[came_at:]
                second = None
            elif step == "engine":
                engine.deliver(m.TextDelta(respond.response_id, "word "))
            elif step != "second" or second is not None:
                (second if step == "second" and second is not None else first).say(CLEAR)
        if second is not None:
            assert second.events == first.events[came_at:]
            # Also where the first one has left, the call goes on.
            first.gone.set()
            await settled()
            engine.deliver(m.ResponseFinished(respond.response_id, "completed"))
            assert second.kinds[-1] == "response.done"
            second.gone.set()
        first.gone.set()

    in_a_call(scenario)


@pytest.mark.parametrize(("error", "told"), [(RuntimeError, True), (ShellLost, False)])
def test_a_shell_that_breaks_costs_itself_alone(error: type[Exception], told: bool) -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        second = join(call, group, breaks_at="input_audio_buffer.cleared", error=error)
        await settled()
        first.say(CLEAR)
        await settled()
        assert second.goodbye == ((1011, INTERNAL_ERROR) if told else None)
        assert second.kinds == ["error"] * told
        # It is shown nothing more, and what it still sends is not heard.
        first.say(CLEAR)
        second.say(CLEAR)
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
        first.say(CLEAR)
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
            shell.say({"type": "response.create"})
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
