"""What programs on openai 1.x (1.109.1, its last) do, and no later SDK: `model` in every address, and the beta's own routes.

That version's handshakes and frames are played by a script, for two versions of one package do not go together; the beta's client is
the same code in the SDK of today, and is run.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from openai import OpenAI
from openai.types.beta.realtime import RealtimeServerEvent, SessionCreateResponse, TranscriptionSession
from pydantic import TypeAdapter
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.conformance.clients import said
from tests.conformance.conftest import chunks, recording
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

BETA_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
LISTENING = {"model": "gpt-4o-transcribe"}
COMPLETED = "conversation.item.input_audio_transcription.completed"


class V1:
    """A connection whose every event the SDK's own types accept strictly."""

    def __init__(self, socket: Connection, beta: bool) -> None:
        self._socket, self._beta = socket, beta

    def send(self, kind: str, **fields: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **fields}))

    def receive(self) -> dict[str, Any]:
        text = self._socket.recv(timeout=WAIT_S)
        event = dict(json.loads(text))
        assert event["type"] != "error", event
        # A transcription session of the beta has no types that fit what is sent on a socket: they ask for a client secret in it.
        if not event["type"].startswith("transcription_session"):
            (BETA_EVENT if self._beta else SDK_EVENT).validate_json(text, strict=True)
        return event

    def until(self, kind: str) -> dict[str, Any]:
        while (event := self.receive())["type"] != kind:
            assert not event["type"].startswith("response."), event
        return event

    def dictate(self) -> str:
        """A question by push-to-talk; what was heard."""
        for chunk in chunks(recording("capital-of-france", 0.3)):
            self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())
        self.send("input_audio_buffer.commit")
        return str(self.until(COMPLETED)["transcript"])


@contextmanager
def v1(server: Live, model: str, beta: bool = False, key: str = "sk-test") -> Iterator[V1]:
    """`connect(model=…, extra_query={"intent": "transcription"})`: `model` has no default there, and cannot be left out."""
    headers = {"Authorization": f"Bearer {key}", **({"OpenAI-Beta": "realtime=v1"} if beta else {})}
    url = f"{server.ws}?model={model}&intent=transcription"
    with connect(url, additional_headers=headers, user_agent_header="AsyncOpenAI/Python 1.109.1") as socket:
        yield V1(socket, beta)


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
    with v1(server, "gpt-4o-transcribe", beta=True) as client:
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
    with v1(server, "gpt-4o-transcribe", beta=True, key=session.client_secret.value) as client:
        assert client.receive()["type"] == "transcription_session.created"
        assert client.dictate() == "what is the capital of france"
