"""The Agents SDK in TypeScript, unmodified, on a WebSocket. Events that do not fit its schemas it drops silently: so we count."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conformance.clients import NodeLines, deltas, node, out_of_band, run, said
from tests.conformance.conftest import Secure, chunks, recording
from tests.conformance.test_openai_sdk import WITHOUT_NODE
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S

pytestmark = WITHOUT_NODE


class Talk:
    def __init__(self, process: NodeLines) -> None:
        self._process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            async with asyncio.timeout(WAIT_S):
                line = dict(json.loads(await self._process.receive()))
            assert line["kind"] != "error", line
            self.lines.append(line)
            if line["kind"] == "raw" and "event_id" in line["event"]:
                SDK_EVENT.validate_json(json.dumps(line["event"]), strict=True)
                assert line["event"]["type"] != "error", line
            if wanted(line):
                return line

    async def until_raw(self, kind: str) -> dict[str, Any]:
        return dict((await self.until(lambda line: line["kind"] == "raw" and line["event"]["type"] == kind))["event"])

    async def message(self, text: str) -> None:
        await self._process.send({"message": text})

    async def send(self, **command: Any) -> None:
        await self._process.send(command)

    async def speak(self, name: str) -> None:
        for chunk in chunks(recording(name)):
            await self._process.send({"audio": base64.b64encode(chunk).decode()})

    def events(self) -> list[dict[str, Any]]:
        return [line["event"] for line in self.lines if line["kind"] == "raw"]

    def raw(self) -> list[str]:
        return [event["type"] for event in self.events()]


@asynccontextmanager
async def session(secure: Secure, turns: str = "vad") -> AsyncIterator[Talk]:
    url = f"wss://localhost:{secure.live.port}/v1/realtime?model=gpt-realtime"
    async with node(secure, "agents.mjs", url, turns) as process:
        talk = Talk(process)
        await talk.until(lambda line: line["kind"] == "connected")
        yield talk


def test_a_spoken_turn(secure: Secure) -> None:
    async def scenario() -> None:
        async with session(secure) as talk:
            await talk.speak("your-name")
            assert said(await talk.until_raw("response.done")) == "My name is Robin."
            assert sum(line["bytes"] for line in talk.lines if line["kind"] == "audio") > 48_000
            if not any(line.get("roles") == ["user", "assistant"] for line in talk.lines):
                await talk.until(lambda line: line.get("roles") == ["user", "assistant"])

    run(scenario())


def test_push_to_talk(secure: Secure) -> None:
    async def scenario() -> None:
        async with session(secure, "push-to-talk") as talk:
            pcm = recording("your-name", 0.3)
            await talk.send(audio=base64.b64encode(pcm).decode())
            await talk.send(event={"type": "input_audio_buffer.commit"})
            await talk.send(event={"type": "response.create"})
            assert said(await talk.until_raw("response.done")) == "My name is Robin."
            assert "input_audio_buffer.speech_started" not in talk.raw()

    run(scenario())


def test_out_of_band(secure: Secure) -> None:
    async def scenario() -> None:
        async with session(secure) as talk:
            override = out_of_band("What is your name?", "names")
            await talk.send(event={"type": "response.create", "response": override})
            done = (await talk.until_raw("response.done"))["response"]
            assert (done["conversation_id"], done["metadata"]) == (None, {"topic": "names"})
            assert not [kind for kind in talk.raw() if kind.startswith("conversation.item")]

    run(scenario())


def test_a_function_round_trip(secure: Secure) -> None:
    """The SDK runs the function itself, returns its result and asks for the answer."""

    async def scenario() -> None:
        async with session(secure) as talk:
            await talk.message("What is the weather in Paris?")
            assert (await talk.until(lambda line: line["kind"] == "tool"))["city"] == "Paris"
            while "sunny" not in said(await talk.until_raw("response.done")):
                pass

    run(scenario())


def test_an_interruption(secure: Secure) -> None:
    async def scenario() -> None:
        async with session(secure) as talk:
            await talk.message("count to twelve")
            await talk.until(lambda line: line["kind"] == "audio")
            await talk.speak("capital-of-japan")
            await talk.until(lambda line: line["kind"] == "audio_interrupted")
            while said(await talk.until_raw("response.done")) != "The capital of Japan is Tokyo.":
                pass
            assert "conversation.item.truncated" in talk.raw()

    run(scenario())


@pytest.mark.parametrize("door", ["session", "transport"])
def test_interrupt_in_the_middle_of_an_answer(secure: Secure, door: str) -> None:
    """The session's `interrupt` cancels and truncates; its transport's truncates only, as it does when it hears a barge-in."""

    async def scenario() -> None:
        async with session(secure) as talk:
            await talk.message("count to twelve")
            await talk.until(lambda line: line["kind"] == "audio")
            await talk.send(interrupt=door)
            truncated = await talk.until_raw("conversation.item.truncated")
            at = len(talk.events())
            (kept,) = (await talk.until_raw("conversation.item.retrieved"))["item"]["content"]
            assert len(base64.b64decode(kept.get("audio", ""))) == 48 * truncated["audio_end_ms"]
            await talk.message("What is the capital of Japan?")
            while said(await talk.until_raw("response.done")) != "The capital of Japan is Tokyo.":
                pass
            cut, _ = (event["response"] for event in talk.events() if event["type"] == "response.done")
            assert cut["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
            assert not deltas(talk.events()[at:], truncated["item_id"])

    run(scenario())
