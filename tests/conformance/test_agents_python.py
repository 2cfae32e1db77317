"""The Agents SDK in Python, unmodified: it validates every event itself, and so do we, strictly."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents import function_tool, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession
from agents.realtime.model_inputs import RealtimeModelSendRawMessage

from tests.conformance.clients import deltas, out_of_band, run, said
from tests.conformance.conftest import chunks, recording
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

set_tracing_disabled(True)


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return json.dumps({"condition": "sunny", "temperature": 20})


class Talk:
    """A session of the Agents SDK whose events are kept; its own errors are ours."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.raw: list[dict[str, Any]] = []
        self.events: list[Any] = []

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(WAIT_S):
            async for event in self.session:
                assert event.type != "error", event
                self.events.append(event)
                if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                    SDK_EVENT.validate_json(json.dumps(event.data.data), strict=True)
                    assert event.data.data["type"] != "error", event.data.data
                    self.raw.append(event.data.data)
                if wanted(event):
                    return event
        raise AssertionError("the session ended")

    async def until_raw(self, kind: str) -> dict[str, Any]:
        event = await self.until(
            lambda e: e.type == "raw_model_event" and e.data.type == "raw_server_event" and e.data.data["type"] == kind
        )
        return dict(event.data.data)

    async def speak(self, name: str) -> None:
        for chunk in chunks(recording(name)):
            await self.session.send_audio(chunk)


@asynccontextmanager
async def session(server: Live, settings: Any = None, **agent: Any) -> AsyncIterator[Talk]:
    runner = RealtimeRunner(RealtimeAgent(name="assistant", **agent))
    config: Any = {"url": f"{server.ws}?model=gpt-realtime", "api_key": "sk-test"}
    if settings is not None:
        config["initial_model_settings"] = settings
    async with await runner.run(model_config=config) as running:
        yield Talk(running)


async def send(talk: Talk, kind: str, **fields: Any) -> None:
    """What the SDK has no method for, through its own door for such events."""
    message: Any = {"type": kind, "other_data": fields}
    await talk.session.model.send_event(RealtimeModelSendRawMessage(message=message))


def test_a_spoken_turn(server: Live) -> None:
    async def scenario() -> None:
        async with session(server, instructions="Your name is Robin.") as talk:
            await talk.speak("your-name")
            assert said(await talk.until_raw("response.done")) == "My name is Robin."
            assert "audio_end" in [event.type for event in talk.events]
            assert sum(len(event.audio.data) for event in talk.events if event.type == "audio") > 24_000

    run(scenario())


def test_a_text_turn(server: Live) -> None:
    async def scenario() -> None:
        async with session(server) as talk:
            await talk.session.send_message("What is the capital of Japan?")
            assert said(await talk.until_raw("response.done")) == "The capital of Japan is Tokyo."

    run(scenario())


def test_push_to_talk(server: Live) -> None:
    async def scenario() -> None:
        async with session(server, {"turn_detection": None}, instructions="Your name is Robin.") as talk:
            await talk.session.send_audio(recording("your-name", 0.3), commit=True)
            await send(talk, "response.create")
            assert said(await talk.until_raw("response.done")) == "My name is Robin."

    run(scenario())


def test_out_of_band(server: Live) -> None:
    async def scenario() -> None:
        async with session(server) as talk:
            override = out_of_band("What is your name?", "names")
            await send(talk, "response.create", response=override)
            done = (await talk.until_raw("response.done"))["response"]
            assert (done["conversation_id"], done["metadata"]) == (None, {"topic": "names"})
            assert not [event for event in talk.raw if event["type"].startswith("conversation.item")]

    run(scenario())


def test_a_function_round_trip(server: Live) -> None:
    """The SDK runs the function itself, returns its result and asks for the answer."""

    async def scenario() -> None:
        async with session(server, tools=[get_weather]) as talk:
            await talk.session.send_message("What is the weather in Paris?")
            started = await talk.until(lambda event: event.type == "tool_end")
            assert (started.tool.name, json.loads(started.arguments)) == ("get_weather", {"city": "Paris"})
            while "sunny" not in said(await talk.until_raw("response.done")):
                pass

    run(scenario())


def test_an_interruption(server: Live) -> None:
    """It truncates what it did not play, and retrieves the item: both must be answered."""

    async def scenario() -> None:
        async with session(server) as talk:
            await talk.session.send_message("count to twelve")
            await talk.until(lambda event: event.type == "audio")
            await talk.speak("capital-of-japan")
            await talk.until(lambda event: event.type == "audio_interrupted")
            while said(await talk.until_raw("response.done")) != "The capital of Japan is Tokyo.":
                pass
            kinds = [event["type"] for event in talk.raw]
            assert "conversation.item.truncated" in kinds
            assert "conversation.item.retrieved" in kinds

    run(scenario())


# The SDK leaves the cancelling to a server whose session says that it interrupts by itself; to any other it cancels second.
@pytest.mark.parametrize("settings", [None, {"turn_detection": None}], ids=["no-cancel", "cancels-second"])
def test_interrupt_in_the_middle_of_an_answer(server: Live, settings: Any) -> None:
    """It truncates first, so the item still runs: nothing more of it is wanted, nor of its response."""

    async def scenario() -> None:
        async with session(server, settings) as talk:
            await talk.session.send_message("count to twelve")
            await talk.until(lambda event: event.type == "audio")
            await talk.session.interrupt()
            truncated = await talk.until_raw("conversation.item.truncated")
            at = len(talk.raw)
            (kept,) = (await talk.until_raw("conversation.item.retrieved"))["item"]["content"]
            assert len(base64.b64decode(kept.get("audio", ""))) == 48 * truncated["audio_end_ms"]
            await talk.session.send_message("What is the capital of Japan?")
            while said(await talk.until_raw("response.done")) != "The capital of Japan is Tokyo.":
                pass
            cut, _ = (event["response"] for event in talk.raw if event["type"] == "response.done")
            assert cut["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
            assert not deltas(talk.raw[at:], truncated["item_id"])

    run(scenario())


@pytest.mark.parametrize("question", ["capital-of-france", "three-plus-four"])
def test_the_history_holds_both_sides(server: Live, question: str) -> None:
    async def scenario() -> None:
        async with session(server) as talk:
            await talk.speak(question)
            await talk.until_raw("response.done")
            update = [event for event in talk.events if event.type == "history_updated"][-1]
            assert [item.role for item in update.history] == ["user", "assistant"]

    run(scenario())
