"""Each shell is shown all that happens while it is there, and what one breaks or delays costs itself alone."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.transport.call import Call
from realtime_server.transport.shells import INTERNAL_ERROR, ShellLost
from tests.helpers import TEXT_ITEM
from tests.transport.doubles import (
    RecordingEngine,
    RecordingShell,
    in_a_call,
    join,
    settled,
)

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


@pytest.mark.parametrize("turns", range(12))
def test_who_comes_as_the_last_one_leaves_is_served_or_sent_home(turns: int) -> None:
    """However many turns of the loop later; nobody waits for what never comes."""

    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        first.gone.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        second = join(call, group)
        await settled()
        if second.goodbye is None:
            second.say("input_audio_buffer.clear")
            assert second.kinds == ["input_audio_buffer.cleared"]
            assert not engine.ended
            second.gone.set()
        assert second.goodbye in (None, (1000, ""))

    in_a_call(scenario)


def test_who_comes_while_all_are_sent_home_is_sent_home_with_the_same_words() -> None:
    async def scenario(call: Call, first: RecordingShell, engine: RecordingEngine, group: asyncio.TaskGroup) -> None:
        first.say_goodbye = lambda code, reason: None  # type: ignore[method-assign]
        call.say_goodbye(1001, "server_error.server_shutting_down")
        second = join(call, group)
        await settled()
        assert second.goodbye == (1001, "server_error.server_shutting_down")
        first.gone.set()

    in_a_call(scenario)
