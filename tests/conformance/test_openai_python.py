"""What only the official SDK for Python has a method for: transcription, client secrets, Azure's addresses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI
from openai.types.realtime import RealtimeSessionCreateResponse

from tests.conformance.clients import PythonAsync, run, said
from tests.conformance.conftest import recording
from tests.conformance.test_openai_sdk import Talk
from tests.live import WAIT_S, Live

DICTATION: dict[str, Any] = {
    "type": "transcription",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}, "turn_detection": None}},
}


@asynccontextmanager
async def opened(server: Live, key: str = "sk-test", **address: Any) -> AsyncIterator[Talk]:
    async with AsyncOpenAI(api_key=key, base_url=f"{server.http}/v1") as sdk, sdk.realtime.connect(**address) as connection:
        yield Talk(PythonAsync(connection))


def test_a_transcription_session(server: Live) -> None:
    """Deltas only append: together they are what is completed."""

    async def scenario() -> None:
        async with opened(server, extra_query={"intent": "transcription"}) as talk:
            assert (await talk.next())["session"]["type"] == "transcription"
            await talk.send("session.update", session=DICTATION)
            await talk.until("session.updated")
            await talk.stream(recording("capital-of-france", 0.3))
            await talk.send("input_audio_buffer.commit")
            done = await talk.until("conversation.item.input_audio_transcription.completed")
            assert done["transcript"] == "what is the capital of france"
            deltas = [e["delta"] for e in talk.events if e["type"].endswith("transcription.delta")]
            assert "".join(deltas).strip() == done["transcript"]
            assert not [kind for kind in talk.kinds() if kind.startswith("response.")]

    run(scenario())


def test_a_client_secret(server: Live) -> None:
    """A browser's key, made with the real one: it brings its session along."""

    async def scenario() -> None:
        async with AsyncOpenAI(api_key="sk-test", base_url=f"{server.http}/v1") as sdk:
            secret = await sdk.realtime.client_secrets.create(
                session={"type": "realtime", "instructions": "Your name is Robin."},
                expires_after={"anchor": "created_at", "seconds": 60},
            )
        assert isinstance(secret.session, RealtimeSessionCreateResponse)
        async with opened(server, secret.value, model="gpt-realtime") as talk:
            assert (await talk.next())["session"]["instructions"] == "Your name is Robin."
            await talk.write("What is your name?")
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "My name is Robin."

    run(scenario())


@pytest.mark.parametrize(
    ("version", "kind"), [("2025-08-28", "response.output_audio.delta"), ("2024-10-01-preview", "response.audio.delta")]
)
def test_azures_addresses(server: Live, version: str, kind: str) -> None:
    """`/openai/realtime` with a deployment and the key in `api-key`; a preview's version speaks the beta."""

    async def scenario() -> None:
        sockets = server.ws.removesuffix("/v1/realtime") + "/openai"
        azure = AsyncAzureOpenAI(api_key="sk-test", azure_endpoint=server.http, api_version=version, websocket_base_url=sockets)
        async with azure as sdk, sdk.realtime.connect(model="gpt-realtime") as connection:
            asked: Any = {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "What is two plus two?"}],
            }
            await connection.conversation.item.create(item=asked)
            await connection.response.create()
            kinds = []
            async with asyncio.timeout(WAIT_S):
                while "response.done" not in kinds:
                    kinds.append((await connection.recv()).type)
            assert kind in kinds
            assert "error" not in kinds

    run(scenario())
