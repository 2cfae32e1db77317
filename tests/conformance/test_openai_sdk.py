"""The official SDKs, unmodified, against a live server with the embedded model. Every frame is validated strictly."""

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from tests.conformance.clients import NODE, Connection, connect, out_of_band, run, said
from tests.conformance.conftest import Secure, chunks, recording
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

ORDER = {
    "type": "function", "name": "order_drink", "description": "Order a drink.",
    "parameters": {
        "type": "object",
        "properties": {
            "coffeeDrink": {"type": "string", "enum": ["americano", "cappuccino", "espresso", "latte", "mocha", "coffee"]},
            "size": {"type": "string", "enum": ["small", "medium", "large"]},
            "roast": {"type": "string"},
        },
        "required": ["coffeeDrink"],
    },
}  # fmt: skip
WITH_TRANSCRIPTS = {"audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}
PUSH_TO_TALK = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}}
WITHOUT_NODE = pytest.mark.skipif(
    shutil.which("node") is None or not (NODE / "node_modules").is_dir(),
    reason="scripts/test installs the Node packages where there is a Node",
)


class Talk:
    """An SDK connection that validates and keeps what it receives."""

    def __init__(self, connection: Connection, types: TypeAdapter[Any] = SDK_EVENT) -> None:
        self._connection, self._types = connection, types
        self.events: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            raw = await self._connection.receive()
        self._types.validate_json(raw, strict=True)
        event = dict(json.loads(raw))
        assert event["type"] != "error", event
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def send(self, kind: str, **fields: Any) -> None:
        await self._connection.send({"type": kind, **fields})

    async def update(self, **session: Any) -> None:
        await self.send("session.update", session={"type": "realtime", **session})
        await self.until("session.updated")

    async def stream(self, pcm: bytes) -> None:
        for chunk in chunks(pcm):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())

    async def write(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})

    async def ask(self, name: str) -> dict[str, Any]:
        """A spoken question by VAD, to the end of its answer."""
        await self.stream(recording(name))
        return await self.until("response.done")

    def sound(self) -> np.ndarray:
        data = b"".join(base64.b64decode(e["delta"]) for e in self.events if e["type"] == "response.output_audio.delta")
        return np.frombuffer(data, "<i2")

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


Open = Callable[..., Any]


@pytest.fixture(params=["python-async", "python-sync", pytest.param("node-ws", marks=WITHOUT_NODE),
                        pytest.param("node-websocket", marks=WITHOUT_NODE)])  # fmt: skip
def open_talk(request: pytest.FixtureRequest, server: Live, secure: Secure) -> Open:
    @asynccontextmanager
    async def opened(**session: Any) -> AsyncIterator[Talk]:
        async with connect(request.param, server, secure) as connection:
            talk = Talk(connection)
            assert (await talk.next())["type"] == "session.created"
            await talk.update(**session)
            yield talk

    return opened


def test_a_spoken_turn_by_vad(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk(**WITH_TRANSCRIPTS) as talk:
            done = await talk.ask("capital-of-france")
            assert said(done) == "The capital of France is Paris."
            kinds = talk.kinds()
            heard = next(e for e in talk.events if e["type"].endswith("transcription.completed"))
            assert heard["transcript"] == "what is the capital of france"
            assert kinds.count("input_audio_buffer.speech_started") == kinds.count("input_audio_buffer.speech_stopped") == 1
            order = [
                "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
                "response.created", "rate_limits.updated", "response.output_item.added", "response.content_part.added",
                "response.output_audio.delta", "response.output_audio.done", "response.content_part.done",
                "response.output_item.done", "response.done",
            ]  # fmt: skip
            assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
            assert len(talk.sound()) > 24_000
            assert np.abs(talk.sound()).max() > 1000

    run(scenario())


def test_push_to_talk(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk(instructions="Your name is Robin.", **PUSH_TO_TALK) as talk:
            await talk.stream(recording("your-name", 0.3))
            await talk.send("input_audio_buffer.commit")
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "My name is Robin."

    run(scenario())


def test_a_text_turn(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk(output_modalities=["text"]) as talk:
            await talk.write("What is the capital of Japan?")
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "The capital of Japan is Tokyo."
            assert not len(talk.sound())

    run(scenario())


def test_a_function_round_trip(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk(tools=[ORDER]) as talk:
            done = await talk.ask("large-latte")
            (call,) = done["response"]["output"]
            assert call["name"] == "order_drink"
            assert json.loads(call["arguments"]) == {"coffeeDrink": "latte", "size": "large"}
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"status": "ok"}'}
            await talk.send("conversation.item.create", item=output)
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "Your latte is on its way."

    run(scenario())


def test_an_interruption_with_truncation(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk() as talk:
            await talk.write("count to twelve")
            await talk.send("response.create")
            first = await talk.until("response.output_audio.delta")
            await talk.stream(recording("capital-of-japan"))
            cut = (await talk.until("response.done"))["response"]
            assert cut["id"] == first["response_id"]
            assert cut["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            assert [item["status"] for item in cut["output"]] == ["incomplete"]
            kinds = talk.kinds()
            assert kinds.count("response.content_part.added") == kinds.count("response.content_part.done") == 1
            place = {"item_id": first["item_id"], "content_index": 0}
            await talk.send("conversation.item.truncate", **place, audio_end_ms=80)
            assert (await talk.until("conversation.item.truncated")).items() >= {**place, "audio_end_ms": 80}.items()
            await talk.send("conversation.item.retrieve", item_id=first["item_id"])
            (kept,) = (await talk.until("conversation.item.retrieved"))["item"]["content"]
            assert len(base64.b64decode(kept["audio"])) == 2 * 80 * 24
            while (done := await talk.until("response.done"))["response"]["id"] == cut["id"]:
                pass
            assert said(done) == "The capital of Japan is Tokyo."
            after = talk.events[kinds.index("response.done") + 1 :]
            assert not [e for e in after if e.get("response_id") == cut["id"]]

    run(scenario())


def test_out_of_band_beside_an_answer(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk() as talk:
            await talk.write("count to twelve")
            await talk.send("response.create")
            await talk.until("response.output_audio.delta")
            override = out_of_band("What is two plus two?", "sums")
            await talk.send("response.create", response=override)
            done = [(await talk.until("response.done"))["response"] for _ in range(2)]
            beside = next(response for response in done if response["conversation_id"] is None)
            assert beside["metadata"] == {"topic": "sums"}
            assert said({"response": beside}) == "Two plus two is four."
            ids = {item["id"] for item in beside["output"]}
            assert not [e for e in talk.events if e["type"].startswith("conversation.item") and e["item"]["id"] in ids]

    run(scenario())


WEATHER = {
    "type": "function", "name": "get_weather", "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip


def test_a_late_result_is_used(open_talk: Open) -> None:
    """The conversation goes on while the function runs."""

    async def scenario() -> None:
        async with open_talk(tools=[WEATHER]) as talk:
            await talk.write("What is the weather in Paris?")
            await talk.send("response.create")
            (call,) = (await talk.until("response.done"))["response"]["output"]
            await talk.write("thank you")
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "You are welcome."
            output = json.dumps({"condition": "sunny", "temperature": 20})
            item = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
            await talk.send("conversation.item.create", item=item)
            await talk.send("response.create")
            answer = said(await talk.until("response.done"))
            assert "sunny" in answer
            assert "twenty" in answer

    run(scenario())


def test_two_clients_do_not_mix(open_talk: Open) -> None:
    async def scenario() -> None:
        async with open_talk() as one, open_talk() as two:
            answers = await asyncio.gather(one.ask("capital-of-france"), two.ask("three-plus-four"))
            assert [said(answer) for answer in answers] == ["The capital of France is Paris.", "Three plus four is seven."]

    run(scenario())


@pytest.mark.parametrize("open_talk", ["python-async"], indirect=True)
def test_exchanged_audio_exchanges_the_answers(open_talk: Open) -> None:
    """It hears: with the same session and the same words before it, only the sound decides."""

    async def scenario() -> None:
        for order in (("capital-of-france", "capital-of-japan"), ("capital-of-japan", "capital-of-france")):
            async with open_talk() as talk:
                answers = [said(await talk.ask(name)) for name in order]
                cities = {"capital-of-france": "Paris", "capital-of-japan": "Tokyo"}
                assert [cities[name] in answer for name, answer in zip(order, answers, strict=True)] == [True, True]

    run(scenario())
