"""The session as a client meets it: answers, orders, errors. Each event is checked against the SDK's types."""

import base64
from typing import Any

import numpy as np
import pytest

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from tests.helpers import TEXT_ITEM, TOOL, Talk, silence, text_session, types

# --- turns and answers (their orders are in test_sequences) -----------------------------------------------------------


def test_connect() -> None:
    talk = Talk()
    assert types(talk.events) == ["session.created"]
    session = talk.events[0]["session"]
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200
    assert {
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "prompt": None,
    }.items() <= session.items()


def test_push_to_talk() -> None:
    talk = text_session(audio={"input": {"turn_detection": None}})
    assert talk.say("input_audio_buffer.append", audio=silence(150)) == []
    assert types(talk.say("input_audio_buffer.commit")) == [
        "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
    ]  # fmt: skip
    assert types(talk.say("response.create")) == ["response.created", "rate_limits.updated"]
    commands = [type(c) for c in talk.commands if not isinstance(c, m.Detect | m.ResetDetector)]
    assert commands == [m.Listen, m.Hear, m.Commit, m.Respond]


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
@pytest.mark.parametrize(("transcription", "keywords"), [
    (None, ()), ({"model": "gpt-live-transcribe", "keywords": ["Zoë", "flat white"]}, ("Zoë", "flat white")),
    ({"model": "whisper-1", "prompt": "Zoë, flat white,"}, ("Zoë", "flat white")),
    ({"model": "gpt-4o-transcribe", "prompt": "expect words of coffee shops"}, ()),
])  # fmt: skip
def test_the_engine_is_told_what_is_likely_to_be_said(
    kind: str, transcription: dict[str, Any] | None, keywords: tuple[str, ...]
) -> None:
    talk = Talk(transcription=kind == "transcription")
    talk.say(
        "session.update", session={"type": kind, "audio": {"input": {"turn_detection": None, "transcription": transcription}}}
    )
    talk.say("input_audio_buffer.append", audio=silence(150))
    assert talk.last(m.Listen).context.keywords == keywords


def test_function_call_and_its_result() -> None:
    talk = text_session(tools=[TOOL])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    response_id = talk.last(m.Respond).response_id
    events = talk.engine(
        m.CallStarted(response_id, "get_weather"), m.CallArgumentsDelta(response_id, '{"city": '),
        m.CallArgumentsDelta(response_id, '"Rome"}'), m.CallDone(response_id),
        m.ResponseFinished(response_id, "completed"),
    )  # fmt: skip
    assert types(events) == [
        "response.output_item.added", "conversation.item.added", "response.function_call_arguments.delta",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "conversation.item.done",
        "response.output_item.done", "response.done",
    ]  # fmt: skip
    assert (events[0]["item"]["arguments"], events[0]["item"]["status"]) == ("", "in_progress")
    done = events[4]
    assert (done["name"], done["arguments"]) == ("get_weather", '{"city": "Rome"}')
    output = {"type": "function_call_output", "call_id": done["call_id"], "output": "sunny"}
    assert types(talk.say("conversation.item.create", item=output)) == ["conversation.item.added", "conversation.item.done"]
    talk.say("response.create")
    kinds = [type(item) for item in talk.last(m.Respond).context.items]
    assert kinds == [m.Message, m.FunctionCall, m.FunctionResult]


def test_interruption() -> None:
    talk = Talk()
    talk.speak_a_turn()
    talk.answer("Hello there, friend.", frames=3, finish=False)
    events = talk.hear(*[0.9] * 4)
    assert isinstance(talk.last(m.Cancel), m.Cancel)
    assert talk.answer("Too late.") == []
    item_id = events[1]["item_id"]
    assert types(talk.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=80)) == [
        "conversation.item.truncated"
    ]
    talk.hear(*[0.0] * 8)
    heard = [part for item in talk.last(m.Respond).context.items for part in item.parts if isinstance(part, m.Text)]
    assert heard == [m.Text("Hello")]


def test_a_turn_is_answered_even_if_an_answer_was_asked_for_meanwhile() -> None:
    talk = Talk()
    talk.hear(*[0.0] * 12, *[0.9] * 4)
    first = talk.say("response.create")[0]["response"]["id"]
    events = talk.hear(*[0.9] * 4, *[0.0] * 8)
    done, created = (e["response"] for e in events if e["type"] in ("response.done", "response.created"))
    assert (done["id"], done["status_details"]["reason"]) == (first, "turn_detected")
    assert created["id"] != first


def test_without_interrupt_response_the_answer_goes_on() -> None:
    talk = text_session(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
    talk.speak_a_turn()
    talk.answer(finish=False)
    assert types(talk.hear(*[0.9] * 4)) == ["input_audio_buffer.speech_started"]
    assert types(talk.answer())[-1] == "response.done"


def test_without_create_response_the_turn_ends_with_its_item() -> None:
    talk = text_session(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
    assert types(talk.speak_a_turn())[-1] == "conversation.item.done"


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("response.cancel", {}, "response_cancel_not_active"),
        ("input_audio_buffer.commit", {}, "input_audio_buffer_commit_empty"),
        ("conversation.item.delete", {"item_id": "x"}, "item_delete_invalid_item_id"),
        ("conversation.item.retrieve", {"item_id": "x"}, "item_retrieve_invalid_item_id"),
        ("conversation.item.truncate", {"item_id": "x", "content_index": 0, "audio_end_ms": 0}, "item_truncate_invalid_item_id"),
        ("conversation.item.create", {"item": {"type": "function_call_output", "call_id": "x", "output": ""}}, "invalid_tool_call_id"),
        ("input_audio_buffer.append", {"audio": ""}, "invalid_value"),
        ("input_audio_buffer.append", {"audio": "!!"}, "invalid_value"),
        ("conversation.item.create", {"item": {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AA=="}]}}, "invalid_value"),
        ("session.update", {"session": {}}, "missing_required_parameter"),
    ],
)  # fmt: skip
def test_errors_name_the_event_and_change_nothing(kind: str, fields: dict[str, Any], code: str) -> None:
    talk = Talk()
    (event,) = talk.say(kind, event_id="mine", **fields)
    assert event["error"]["code"] == code
    assert event["error"]["event_id"] == "mine"
    assert "response.created" in types(talk.speak_a_turn())


def test_the_same_id_twice() -> None:
    talk = Talk()
    talk.say("conversation.item.create", item={"id": "one", **TEXT_ITEM})
    (event,) = talk.say("conversation.item.create", item={"id": "one", **TEXT_ITEM})
    assert event["error"]["code"] == "item_create_duplicate_item_id"


def test_too_much_waiting_audio_is_refused() -> None:
    talk = Talk(Limits(buffer_s=1))
    talk.say("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    assert talk.say("input_audio_buffer.append", audio=silence(900)) == []
    assert talk.say("input_audio_buffer.append", audio=silence(200))[0]["error"]["code"] == "input_audio_buffer_full"


# --- audio ------------------------------------------------------------------------------------------------------------


def test_the_engine_hears_exactly_the_turn() -> None:
    """Padding included, no sample twice or missing, whatever the sizes of the appended chunks."""
    talk = Talk()
    sound = (np.arange(36 * 768) % 20_000).astype(np.int16)
    for chunk in np.split(sound, [1000, 1001, 9000, 20_000]):
        talk.say("input_audio_buffer.append", audio=base64.b64encode(chunk.tobytes()).decode())
    for n in range(36):
        talk.engine(m.SpeechProbability(talk.resets, 768, 0.9 if 12 <= n < 28 else 0.0))
    heard = np.concatenate([c.samples for c in talk.commands if isinstance(c, m.Hear)])
    start, end = 12 * 768 - 7200, 35 * 768
    assert len(heard) == end - start
    assert np.array_equal(heard, sound[start:end])
    item_id = talk.last(m.Commit).item_id
    retrieved = talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]["audio"]
    assert len(base64.b64decode(retrieved)) == 2 * len(heard)


def test_g711_in_and_out() -> None:
    talk = text_session(audio={"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}})
    talk.say("input_audio_buffer.append", audio=base64.b64encode(bytes([0xFF] * 8000)).decode())
    sent = sum(len(c.samples) for c in talk.commands if isinstance(c, m.Detect))
    assert 24_000 - 240 < sent <= 24_000
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    events = talk.answer("Hello.", frames=10)
    data = b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta")
    assert len(data) == 6400


def test_clear_forgets_the_turn() -> None:
    talk = Talk()
    talk.hear(*[0.9] * 10)
    assert types(talk.say("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert isinstance(talk.last(m.Forget), m.Forget)
    # Frames that the detector judged before it was reset belong to no turn.
    assert talk.engine(*[m.SpeechProbability(talk.resets - 1, 768, 0.0)] * 20) == []


def test_transcription_follows_the_client_wish() -> None:
    for wanted in (True, False):
        talk = text_session(audio={"input": {"transcription": {"model": "whisper-1"} if wanted else None}})
        talk.speak_a_turn()
        item_id = talk.last(m.Commit).item_id
        events = talk.engine(m.TranscriptDelta(item_id, "hi", -0.1), m.TranscriptDone(item_id, "hi", 1))
        prefix = "conversation.item.input_audio_transcription."
        assert types(events) == ([prefix + "delta", prefix + "completed"] if wanted else [])
        item = talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]
        assert item["content"][0]["transcript"] == ("hi" if wanted else None)


def test_only_a_transcription_is_told_as_it_is_said() -> None:
    wanted = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    for transcription, update, live in ((True, wanted, True), (True, {}, False), (False, wanted, False)):
        talk = Talk(transcription=transcription)
        talk.say("session.update", session={"type": "transcription" if transcription else "realtime", **update})
        talk.hear(*[0.9] * 10)
        assert talk.last(m.Listen).live is live
    talk = Talk(transcription=True)
    talk.say("session.update", session={"type": "transcription", **wanted})
    talk.hear(*[0.9] * 10)
    item_id = talk.last(m.Listen).item_id
    early = talk.engine(m.TranscriptDelta(item_id, "good", -0.1))
    assert [(e["type"], e["item_id"]) for e in early] == [("conversation.item.input_audio_transcription.delta", item_id)]
    talk.hear(*[0.0] * 24)
    late = talk.engine(m.TranscriptDelta(item_id, " day", -0.1), m.TranscriptDone(item_id, "good day", 2))
    assert [e.get("delta", e.get("transcript")) for e in late] == [" day", "good day"]
    assert talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]["transcript"] == "good day"


def test_logprobs_when_the_client_asks() -> None:
    talk = text_session(audio={"input": {"transcription": {"model": "x"}}}, include=["item.input_audio_transcription.logprobs"])
    talk.speak_a_turn()
    item_id = talk.last(m.Commit).item_id
    events = talk.engine(
        m.TranscriptDelta(item_id, "hi", -0.1), m.TranscriptDelta(item_id, " you", -0.2), m.TranscriptDone(item_id, "hi you", 2)
    )
    assert [len(e["logprobs"]) for e in events] == [1, 1, 2]
    assert events[-1]["logprobs"][1] == {"token": " you", "logprob": -0.2, "bytes": list(b" you")}


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_session_of_seconds_says_so() -> None:
    (event,) = Talk(Limits(session_s=90)).wait_until(90)
    assert "90 seconds" in event["error"]["message"]


def test_the_session_expires() -> None:
    talk = Talk()
    assert talk.session.next_deadline() == 3600
    (event,) = talk.wait_until(3600)
    assert event["error"]["code"] == "session_expired"
    assert event["error"]["message"] == "Your session hit the maximum duration of 60 minutes."
    assert talk.last(m.Disconnect).code == 1001


def test_idle_timeout_speaks_once() -> None:
    talk = text_session(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    talk.speak_a_turn()
    talk.now = 10.0
    talk.answer(frames=10)
    assert talk.session.next_deadline() == pytest.approx(10 + 0.8 + 5)
    events = talk.wait_until(16)
    assert types(events) == [
        "input_audio_buffer.timeout_triggered", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done", "response.created", "rate_limits.updated",
    ]  # fmt: skip
    talk.answer()
    assert talk.session.next_deadline() == 3600


def test_a_turn_begun_by_hand_is_handed_to_the_detector() -> None:
    talk = text_session(audio={"input": {"turn_detection": None}})
    talk.say("input_audio_buffer.append", audio=silence(500))
    talk.say("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}})
    (started,) = talk.hear(*[0.9] * 4)
    assert started["audio_start_ms"] == 500
    order = [c for c in talk.commands if isinstance(c, m.Listen | m.Forget)]
    assert [type(c) for c in order] == [m.Listen, m.Forget, m.Listen]
    assert {c.item_id for c in order} == {started["item_id"]}
    assert "response.created" in types(talk.hear(*[0.0] * 8))


# --- what the session keeps -------------------------------------------------------------------------------------------


def test_tracing_stays_as_it_was_begun() -> None:
    talk = Talk()
    for tracing in (None, "auto", "auto"):
        assert types(talk.say("session.update", session={"type": "realtime", "tracing": tracing})) == ["session.updated"]
    (error,) = talk.say("session.update", session={"type": "realtime", "tracing": {"workflow_name": "x"}})
    assert error["error"]["param"] == "session.tracing"


def test_a_client_secret_brings_its_session() -> None:
    talk = Talk(initial={"type": "realtime", "instructions": "Be brief.", "output_modalities": ["text"]})
    session = talk.events[0]["session"]
    assert (session["instructions"], session["output_modalities"], session["model"]) == ("Be brief.", ["text"], "wren")


# --- semantic_vad -----------------------------------------------------------------------------------------------------


def semantic(eagerness: str) -> Talk:
    talk = Talk(abilities=m.Abilities(scores_turn_end=True))
    detection = {"type": "semantic_vad", "eagerness": eagerness}
    talk.say("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}})
    talk.hear(*[0.0] * 12, *[0.9] * 16, *[0.0] * 10)
    return talk


@pytest.mark.parametrize(
    ("eagerness", "score", "ends"), [("high", 0.4, True), ("auto", 0.4, False), ("auto", 0.6, True), ("low", 0.6, False)]
)
def test_the_models_score_ends_the_turn(eagerness: str, score: float, ends: bool) -> None:
    talk = semantic(eagerness)
    assert "input_audio_buffer.speech_stopped" not in types(talk.events)
    heard = sum(len(c.samples) for c in talk.commands if isinstance(c, m.Hear))
    events = talk.engine(m.TurnEnd(talk.last(m.Listen).item_id, heard, score))
    assert ("input_audio_buffer.speech_stopped" in types(events)) is ends
    assert ("response.created" in types(events)) is ends


@pytest.mark.parametrize(("eagerness", "wait_s"), [("high", 2), ("auto", 4), ("medium", 4), ("low", 8)])
def test_an_unfinished_thought_is_waited_for(eagerness: str, wait_s: int) -> None:
    talk = semantic(eagerness)
    frames = round(wait_s * 24_000 / 768) - 10
    assert types(talk.hear(*[0.0] * (frames - 1))) == []
    assert types(talk.hear(0.0, 0.0))[0] == "input_audio_buffer.speech_stopped"


def test_a_score_of_another_turn_is_nothing() -> None:
    talk = semantic("high")
    assert talk.engine(m.TurnEnd("item_of_before", 10**6, 1.0)) == []


def test_what_breaks_under_a_session_is_told_and_ends_it() -> None:
    talk = Talk()
    events = talk.engine(m.SessionFailed("The speech detector failed."))
    assert [(e["type"], e["error"]["type"], e["error"]["code"]) for e in events] == [
        ("error", "server_error", "internal_error")
    ]
    assert talk.commands[-1] == m.Disconnect(1011, "server_error.internal_error")
