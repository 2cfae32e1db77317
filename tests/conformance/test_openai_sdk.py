"""The official SDK, unmodified, against a live server with the embedded model. Every frame is validated strictly."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import soundfile
import soxr
from openai import AsyncOpenAI

from realtime_server.settings import Keys, Settings
from tests.conftest import RECORDINGS
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live, live

T = TypeVar("T")
CHUNK_BYTES = 1920
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


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(Settings(keys=Keys.of(["sk-test"]))) as running:
        yield running


def recording(name: str, silence_s: float = 1.0) -> bytes:
    """A question as 24 kHz PCM16, with silence around it."""
    audio, rate = soundfile.read(Path(RECORDINGS) / f"{name}.flac", dtype="float32")
    audio = soxr.resample(audio, rate, 24_000) * (0.4 / np.abs(audio).max())
    padded = np.concatenate([np.zeros(7200), audio, np.zeros(int(24_000 * silence_s))])
    return np.clip(padded * 32767, -32768, 32767).astype("<i2").tobytes()


class Client:
    """An SDK connection that validates and keeps what it receives."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            raw = await self.connection.recv_bytes()
        SDK_EVENT.validate_json(raw, strict=True)
        event = dict(json.loads(raw))
        assert event["type"] != "error", event
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        while (event := await self.next())["type"] != kind:
            pass
        return event

    async def update(self, **session: Any) -> None:
        await self.connection.session.update(session={"type": "realtime", **session})
        await self.until("session.updated")

    async def stream(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), CHUNK_BYTES):
            audio = base64.b64encode(pcm[start : start + CHUNK_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    async def text(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        await self.connection.response.create()

    async def ask(self, name: str) -> dict[str, Any]:
        """A spoken question by VAD, to the end of its answer."""
        await self.stream(recording(name))
        return await self.until("response.done")

    def sound(self) -> np.ndarray:
        data = b"".join(base64.b64decode(e["delta"]) for e in self.events if e["type"] == "response.output_audio.delta")
        return np.frombuffer(data, "<i2")


@asynccontextmanager
async def client(server: Live, **session: Any) -> AsyncIterator[Client]:
    async with (
        AsyncOpenAI(api_key="sk-test", base_url=f"{server.http}/v1") as sdk,
        sdk.realtime.connect(model="gpt-realtime") as connection,
    ):
        talk = Client(connection)
        assert (await talk.next())["type"] == "session.created"
        await talk.update(**session)
        yield talk


def run(scenario: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(scenario)


def said(response: dict[str, Any]) -> str:
    return " ".join(
        part.get("transcript") or part.get("text") or "" for item in response["response"]["output"] for part in item["content"]
    )


WITH_TRANSCRIPTS = {"audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}
PUSH_TO_TALK = {"audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}}


def test_a_spoken_turn_by_vad(server: Live) -> None:
    async def scenario() -> None:
        async with client(server, **WITH_TRANSCRIPTS) as talk:
            done = await talk.ask("capital-of-france")
            assert said(done) == "The capital of France is Paris."
            kinds = [e["type"] for e in talk.events]
            heard = next(e for e in talk.events if e["type"].endswith("transcription.completed"))
            assert heard["transcript"] == "what is the capital of france"
            assert kinds.count("input_audio_buffer.speech_started") == kinds.count("input_audio_buffer.speech_stopped") == 1
            order = [
                "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
                "response.created", "response.output_item.added", "response.content_part.added",
                "response.output_audio.delta", "response.output_audio.done", "response.content_part.done",
                "response.output_item.done", "response.done",
            ]  # fmt: skip
            assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
            assert len(talk.sound()) > 24_000
            assert np.abs(talk.sound()).max() > 1000

    run(scenario())


def test_push_to_talk(server: Live) -> None:
    async def scenario() -> None:
        async with client(server, instructions="Your name is Robin.", **PUSH_TO_TALK) as talk:
            await talk.stream(recording("your-name", 0.3))
            await talk.connection.input_audio_buffer.commit()
            await talk.connection.response.create()
            assert said(await talk.until("response.done")) == "My name is Robin."

    run(scenario())


def test_a_text_turn(server: Live) -> None:
    async def scenario() -> None:
        async with client(server, output_modalities=["text"]) as talk:
            await talk.text("What is the capital of Japan?")
            assert said(await talk.until("response.done")) == "The capital of Japan is Tokyo."
            assert not len(talk.sound())

    run(scenario())


def test_a_function_round_trip(server: Live) -> None:
    async def scenario() -> None:
        async with client(server, tools=[ORDER]) as talk:
            done = await talk.ask("large-latte")
            (call,) = done["response"]["output"]
            assert call["name"] == "order_drink"
            assert json.loads(call["arguments"]) == {"coffeeDrink": "latte", "size": "large"}
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"status": "ok"}'}
            await talk.connection.conversation.item.create(item=output)
            await talk.connection.response.create()
            assert said(await talk.until("response.done")) == "Your latte is on its way."

    run(scenario())


def test_a_barge_in(server: Live) -> None:
    async def scenario() -> None:
        async with client(server) as talk:
            await talk.text("count to twelve")
            first = await talk.until("response.output_audio.delta")
            await talk.stream(recording("capital-of-japan"))
            cut = (await talk.until("response.done"))["response"]
            assert cut["id"] == first["response_id"]
            assert cut["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            assert [item["status"] for item in cut["output"]] == ["incomplete"]
            kinds = [e["type"] for e in talk.events]
            opened, closed = "response.content_part.added", "response.content_part.done"
            assert kinds.count(opened) == kinds.count(closed) == 1
            await talk.connection.conversation.item.truncate(item_id=first["item_id"], content_index=0, audio_end_ms=80)
            await talk.until("conversation.item.truncated")
            while (done := await talk.until("response.done"))["response"]["id"] == cut["id"]:
                pass
            assert said(done) == "The capital of Japan is Tokyo."
            after = talk.events[kinds.index("response.done") + 1 :]
            assert not [e for e in after if e.get("response_id") == cut["id"]]

    run(scenario())


def test_two_clients_do_not_mix(server: Live) -> None:
    async def scenario() -> None:
        async with client(server) as one, client(server) as two:
            answers = await asyncio.gather(one.ask("capital-of-france"), two.ask("three-plus-four"))
            assert [said(answer) for answer in answers] == ["The capital of France is Paris.", "Three plus four is seven."]

    run(scenario())


def test_exchanged_audio_exchanges_the_answers(server: Live) -> None:
    """It hears: with the same session and the same words before it, only the sound decides."""

    async def scenario() -> None:
        for order in (("capital-of-france", "capital-of-japan"), ("capital-of-japan", "capital-of-france")):
            async with client(server) as talk:
                answers = [said(await talk.ask(name)) for name in order]
                cities = {"capital-of-france": "Paris", "capital-of-japan": "Tokyo"}
                assert [cities[name] in answer for name, answer in zip(order, answers, strict=True)] == [True, True]

    run(scenario())
