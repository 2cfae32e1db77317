"""The beta dialect: what goes in comes out, and never both names for one thing."""

from typing import Any

import orjson
import pytest
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from pydantic import TypeAdapter

from realtime_server import messages as m
from realtime_server.protocol import beta
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import RealtimeSession, updated
from tests.helpers import Talk

SDK: TypeAdapter[Any] = TypeAdapter(BetaServerEvent)
GA_ONLY = (
    '"output_text"',
    '"output_audio"',
    "response.output_text",
    "response.output_audio",
    "output_modalities",
    "conversation.item.added",
    "conversation.item.done",
)
SESSION = RealtimeSession(id="sess_1", model="wren", expires_at=1)


class BetaTalk(Talk):
    """A Talk whose events pass the door in the beta's words, both ways."""

    model = "gpt-4o-realtime-preview"

    def beta(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        event = beta.decode(orjson.dumps({"type": kind, **fields}))
        self.session.receive(event, self.now)
        return self.translated(self.drain())

    @staticmethod
    def translated(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        result = []
        for event in events:
            data = beta.translate(event)
            if data is not None:
                text = orjson.dumps(data).decode()
                assert not [name for name in GA_ONLY if name in text], text
                SDK.validate_json(text)
                result.append(data)
        return result


def test_a_spoken_turn_in_the_betas_words() -> None:
    talk = BetaTalk()
    created = talk.translated(talk.events)[0]["session"]
    assert {"voice": "alloy", "input_audio_format": "pcm16", "max_response_output_tokens": "inf"}.items() <= created.items()
    events = talk.translated(talk.speak_a_turn() + talk.answer("Hello.", frames=1))
    assert [e["type"] for e in events] == [
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.created", "response.created", "rate_limits.updated", "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added", "response.audio_transcript.delta", "response.audio_transcript.delta",
        "response.audio.delta", "response.audio.done", "response.audio_transcript.done", "response.content_part.done",
        "response.output_item.done", "response.done",
    ]  # fmt: skip
    assert events[-1]["response"]["output"][0]["content"][0]["type"] == "audio"
    assert events[-1]["response"]["modalities"] == ["audio", "text"]


def test_a_flat_session_update() -> None:
    talk = BetaTalk()
    flat = {
        "modalities": ["text"], "instructions": "Be brief.", "voice": "ash", "input_audio_format": "g711_alaw",
        "turn_detection": None, "temperature": 0.7, "max_response_output_tokens": 100, "tool_choice": "auto",
    }  # fmt: skip
    (event,) = talk.beta("session.update", session=flat)
    assert event["type"] == "session.updated"
    assert {k: event["session"][k] for k in flat if k != "temperature"} == {k: v for k, v in flat.items() if k != "temperature"}


def test_a_text_turn_with_flat_overrides() -> None:
    talk = BetaTalk()
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Earlier."}]}
    (created,) = talk.beta("conversation.item.create", item=item)
    assert created["item"]["content"][0]["type"] == "text"
    talk.beta("response.create", response={"modalities": ["text"], "temperature": 1.0, "max_output_tokens": 9})
    request = talk.last(m.Respond)
    assert (request.audio, request.max_output_tokens) == (False, 9)


def test_there_and_back() -> None:
    whole = SESSION.model_dump(mode="json")
    flat = beta.beta_session(whole)
    again = updated(
        SESSION,
        beta.ga_session({k: v for k, v in flat.items() if k not in ("id", "object", "model", "expires_at")}, "realtime"),
    )
    assert again == SESSION


@pytest.mark.parametrize("data", [{"type": "session.update", "session": {"input_audio_format": "mp3"}}, {"type": "nonsense"},
                                  {"type": "session.update", "session": {"nonsense": 1}}, {"x": 1}])  # fmt: skip
def test_mistakes_are_told(data: dict[str, Any]) -> None:
    talk = Talk()
    try:
        talk.session.receive(beta.decode(orjson.dumps(data)), talk.now)
    except ClientError as error:
        talk.session.refuse(error)
    assert talk.drain()[-1]["type"] == "error"
