"""What programs on openai 1.x (1.109.1, its last) do, and no later SDK: `model` in every address, and the beta's own routes.

That version's handshakes and frames are played by a script, for two versions of one package do not go together; the beta's client is
the same code in the SDK of today, and is run.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from openai import OpenAI
from openai.types.beta.realtime import SessionCreateResponse, TranscriptionSession

from tests.conformance.clients import BETA_EVENT, Scripted, dial, said
from tests.conformance.conftest import recording
from tests.live import Live

LISTENING = {"model": "gpt-4o-transcribe"}


class V1(Scripted):
    def dictate(self) -> str:
        """A question by push-to-talk; what was heard."""
        self.append(recording("capital-of-france", 0.3))
        self.send("input_audio_buffer.commit")
        heard = str(self.until("conversation.item.input_audio_transcription.completed")["transcript"])
        assert not [event for event in self.events if event["type"].startswith("response.")]
        return heard


class BetaV1(V1):
    def check(self, text: str | bytes) -> None:
        # Of a transcription session the beta's types ask for a client secret in it, which no socket tells.
        if not json.loads(text)["type"].startswith("transcription_session"):
            BETA_EVENT.validate_json(text, strict=True)


@contextmanager
def v1(server: Live, model: str, key: str = "sk-test") -> Iterator[V1]:
    """`connect(model=…, extra_query={"intent": "transcription"})`: `model` has no default there, and cannot be left out."""
    with dial(server, f"model={model}&intent=transcription", key) as socket:
        yield V1(socket)


@contextmanager
def beta_v1(server: Live, key: str = "sk-test") -> Iterator[BetaV1]:
    with dial(server, "model=gpt-4o-transcribe&intent=transcription", key, **{"OpenAI-Beta": "realtime=v1"}) as socket:
        yield BetaV1(socket)


@contextmanager
def beta_sdk(server: Live, key: str = "sk-test") -> Iterator[OpenAI]:
    """Without an address of its own for sockets it dials wss."""
    with OpenAI(api_key=key, base_url=f"{server.http}/v1", websocket_base_url=f"{server.ws.removesuffix('/realtime')}") as sdk:
        yield sdk


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-realtime"])
def test_transcription_with_a_model_in_the_address(server: Live, model: str) -> None:
    with v1(server, model) as client:
        created = client.receive()
        assert (created["type"], created["session"]["type"]) == ("session.created", "transcription")
        heard = {"transcription": LISTENING, "turn_detection": None}
        client.send("session.update", session={"type": "transcription", "audio": {"input": heard}})
        assert client.until("session.updated")["session"]["type"] == "transcription"
        assert client.dictate() == "what is the capital of france"


def test_the_betas_transcription_with_a_model_in_the_address(server: Live) -> None:
    with beta_v1(server) as client:
        assert client.receive()["type"] == "transcription_session.created"
        client.send("transcription_session.update", session={"input_audio_transcription": LISTENING, "turn_detection": None})
        updated = client.until("transcription_session.updated")["session"]
        assert updated["input_audio_transcription"].items() >= LISTENING.items()
        assert client.dictate() == "what is the capital of france"


def test_a_beta_session_made_over_http(server: Live) -> None:
    """`POST /v1/realtime/sessions`: a flat session, and in it a secret that brings the session along."""
    with beta_sdk(server) as sdk:
        answer = sdk.beta.realtime.sessions.with_raw_response.create(
            model="gpt-4o-realtime-preview", voice="verse", instructions="Your name is Robin.", modalities=["audio", "text"],
            temperature=0.7,
        )  # fmt: skip
    session = SessionCreateResponse.model_validate_json(answer.text, strict=True)
    assert (session.instructions, session.voice, session.temperature) == ("Your name is Robin.", "verse", 0.7)
    with (
        beta_sdk(server, session.client_secret.value) as sdk,
        sdk.beta.realtime.connect(model="gpt-4o-realtime-preview") as talk,
    ):
        created = talk.recv()
        assert created.type == "session.created"
        assert (created.session.instructions, created.session.voice) == ("Your name is Robin.", "verse")
        asked: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "What is your name?"}]}
        talk.conversation.item.create(item=asked)
        talk.response.create()
        while json.loads(raw := talk.recv_bytes())["type"] != "response.done":
            BETA_EVENT.validate_json(raw, strict=True)
        assert said(json.loads(raw)) == "My name is Robin."


def test_a_beta_transcription_session_made_over_http(server: Live) -> None:
    with beta_sdk(server) as sdk:
        asked: Any = {"input_audio_transcription": LISTENING, "turn_detection": None}
        answer = sdk.beta.realtime.transcription_sessions.with_raw_response.create(**asked)
    session = TranscriptionSession.model_validate_json(answer.text, strict=True)
    assert session.input_audio_transcription is not None
    assert session.input_audio_transcription.model == "gpt-4o-transcribe"
    with beta_v1(server, session.client_secret.value) as client:
        assert client.receive()["type"] == "transcription_session.created"
        assert client.dictate() == "what is the capital of france"
