"""The beta dialect: what goes in comes out, and never both names for one thing."""

from typing import Any

import orjson
import pytest
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from pydantic import TypeAdapter

from realtime_server import messages as m
from realtime_server.protocol import beta
from realtime_server.protocol.beta import Beta
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

    def __init__(self, **options: Any) -> None:
        self.dialect = Beta()
        super().__init__(**options)

    def beta(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        return self.sent({"type": kind, **fields})

    def sent(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            self.session.receive(self.dialect.decode(orjson.dumps(data)), self.now)
        except ClientError as error:
            self.session.refuse(error)
        return self.translated(self.drain())

    def translated(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        result = []
        for event in events:
            data = self.dialect.translate(event)
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
    assert {k: event["session"][k] for k in flat} == flat


def test_a_text_turn_with_flat_overrides() -> None:
    talk = BetaTalk()
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Earlier."}]}
    (created,) = talk.beta("conversation.item.create", item=item)
    assert created["item"]["content"][0]["type"] == "text"
    talk.beta("response.create", response={"modalities": ["text"], "temperature": 1.0, "max_output_tokens": 9})
    request = talk.last(m.Respond)
    assert (request.audio, request.max_output_tokens) == (False, 9)


def test_a_transcription_tells_its_words_as_they_come_and_a_conversation_does_not() -> None:
    delta = {"type": "conversation.item.input_audio_transcription.delta", "event_id": "event_1", "item_id": "i", "delta": "so"}
    for kind in ("transcription", "realtime"):
        dialect = Beta()
        (created,) = Talk(transcription=kind == "transcription").events
        assert dialect.translate(created) is not None
        assert (dialect.translate(delta) is not None) is (kind == "transcription")


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
    assert BetaTalk().sent(data)[-1]["type"] == "error"


@pytest.mark.parametrize(("session", "param"), [
    ({"input_audio_format": ["pcm16"]}, "session.input_audio_format"),
    ({"turn_detection": {"type": "server_vad", "threshold": 2}}, "session.turn_detection.threshold"),
    ({"input_audio_transcription": {"language": 5}}, "session.input_audio_transcription.language"),
    ({"voice": {"name": "x"}}, "session.voice.id"), ({"speed": 9}, "session.speed"), ({"modalities": ["text", "x"]}, "session.modalities[1]"),
    ({"max_response_output_tokens": 0}, "session.max_response_output_tokens"), ({"temperature": 0.5}, "session.temperature"),
    ({"audio": {}}, "session.audio"), ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
])  # fmt: skip
def test_a_mistake_is_told_by_the_clients_own_path(session: dict[str, Any], param: str) -> None:
    (event,) = BetaTalk().beta("session.update", session=session)
    assert event["error"]["param"] == param
    assert param in event["error"]["message"] or "modalities" in param
    assert "session.audio." not in event["error"]["message"]


@pytest.mark.parametrize("name", ["max_output_tokens", "max_response_output_tokens"])
def test_a_responses_limit_has_two_names(name: str) -> None:
    (event,) = BetaTalk().beta("response.create", response={name: 0})
    assert event["error"]["param"] == f"response.{name}"


def test_the_clients_temperature_is_shown_again() -> None:
    talk = BetaTalk()
    assert talk.beta("session.update", session={"temperature": 0.7})[0]["session"]["temperature"] == 0.7
    assert talk.beta("session.update", session={"temperature": 1.1, "speed": 9})[0]["type"] == "error"
    assert talk.beta("session.update", session={"instructions": "x"})[0]["session"]["temperature"] == 0.7
    created = talk.beta("response.create", response={"temperature": 1.2})[0]
    done = talk.translated(talk.answer())[-1]
    assert (created["response"]["temperature"], done["response"]["temperature"]) == (1.2, 1.2)
    assert talk.beta("response.create", response={"temperature": 0.9, "max_output_tokens": 0})[0]["type"] == "error"
    assert talk.beta("response.create")[0]["response"]["temperature"] == 0.7


def test_the_clients_temperature_reaches_the_model_where_it_was_set() -> None:
    talk = BetaTalk()

    def asked(**response: Any) -> m.Sampling | None:
        talk.beta("response.create", response=response)
        sampling: m.Sampling | None = talk.last(m.Respond).sampling
        talk.translated(talk.answer())
        return sampling

    assert asked() is None
    assert asked(temperature=1.2) == m.Sampling(1.2)
    assert asked(temperature=0.8) is None
    assert asked() is None
    talk.beta("session.update", session={"temperature": 0.7})
    talk.beta("session.update", session={"temperature": 1.1, "speed": 9})
    talk.beta("session.update", session={"instructions": "x"})
    assert asked() == m.Sampling(0.7)
    assert asked(temperature=0.9) == m.Sampling(0.9)
    assert asked() == m.Sampling(0.7)
