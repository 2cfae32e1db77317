"""The SDKs' beta clients, unmodified: what programs of 2024 run on. Every frame is validated strictly against the beta's types."""

import json
from typing import Any

import pytest

from tests.conformance.clients import BETA_EVENT, connect, run, said
from tests.conformance.conftest import Secure
from tests.conformance.test_openai_sdk import ORDER, WITHOUT_NODE, Talk
from tests.live import Live

FLAT = {
    "modalities": ["text", "audio"], "instructions": "You work at a coffee house.", "voice": "alloy", "temperature": 0.8,
    "input_audio_format": "pcm16", "output_audio_format": "pcm16", "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500},
    "tools": [ORDER], "tool_choice": "auto", "max_response_output_tokens": 4096,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["python-beta", pytest.param("node-beta", marks=WITHOUT_NODE)])
def test_orders_are_taken(server: Live, secure: Secure, kind: str) -> None:
    """Configured flat, spoken to, a function called and its result told, in the beta's names alone."""

    async def scenario() -> None:
        async with connect(kind, server, secure) as connection:
            talk = Talk(connection, BETA_EVENT)
            assert (await talk.next())["type"] == "session.created"
            await talk.send("session.update", session=FLAT)
            told: dict[str, Any] = (await talk.until("session.updated"))["session"]
            # These three come back completed, or in another order.
            same = FLAT.keys() - {"modalities", "turn_detection", "input_audio_transcription"}
            assert {key: told[key] for key in same} == {key: FLAT[key] for key in same}
            (call,) = (await talk.ask("large-latte"))["response"]["output"]
            assert json.loads(call["arguments"]) == {"coffeeDrink": "latte", "size": "large"}
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"status": "ok"}'}
            await talk.send("conversation.item.create", item=output)
            await talk.send("response.create")
            assert said(await talk.until("response.done")) == "Your latte is on its way."
            assert {"conversation.item.created", "response.audio.delta", "response.audio_transcript.delta"} <= set(talk.kinds())
            assert not {"conversation.item.added", "conversation.item.done", "response.output_audio.delta"} & set(talk.kinds())

    run(scenario())
