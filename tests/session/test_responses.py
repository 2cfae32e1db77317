"""Responses as a client meets them: when one may begin, what the engine is asked, how each ends, what it used."""

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from realtime_server.session.quota import Quota
from tests.helpers import TEXT_ITEM, TOOL, Talk, text_session, types


def test_usage_counts_what_was_read_and_made() -> None:
    talk = text_session(output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    response_id = talk.last(m.Respond).response_id
    talk.engine(m.Prompted(response_id, 10, 4), m.TextDelta(response_id, "Hel"), m.TextDelta(response_id, "lo", tokens=2))
    usage = talk.say("response.cancel")[-1]["response"]["usage"]
    assert usage == {
        "total_tokens": 13, "input_tokens": 10, "output_tokens": 3,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 4,
                                "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 0, "image_tokens": 0}},
        "output_token_details": {"text_tokens": 3, "audio_tokens": 0},
    }  # fmt: skip


def test_spoken_usage_counts_by_duration() -> None:
    talk = Talk()
    assert talk.speak_a_turn()[0]["audio_start_ms"] == 12 * 32 - 300
    usage = talk.answer("Hello.", frames=10)[-1]["response"]["usage"]
    heard_s = len(talk.last(m.Respond).context.items[0].parts[0].samples) / 24_000
    assert usage["input_token_details"]["audio_tokens"] == round(heard_s * 10)
    assert usage["output_token_details"]["audio_tokens"] == 16


@pytest.mark.parametrize(("reason", "status"), [("completed", "completed"), ("max_output_tokens", "incomplete")])
def test_endings(reason: Any, status: str) -> None:
    talk = Talk()
    talk.speak_a_turn()
    talk.answer(finish=False)
    events = talk.engine(m.ResponseFinished(talk.last(m.Respond).response_id, reason))
    response = events[-1]["response"]
    assert (response["status"], response["output"][0]["status"]) == (status, status)


def test_failure() -> None:
    talk = Talk()
    talk.speak_a_turn()
    events = talk.engine(m.ResponseFailed(talk.last(m.Respond).response_id, "server_error", "It broke."))
    response = events[-1]["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"] == {"type": "server_error", "code": "server_error", "message": "It broke."}
    assert response["usage"]["total_tokens"] == 0


@pytest.mark.parametrize("named", [{}, {"response_id": "resp_1"}])
def test_a_cancellation_of_nothing_names_what_was_sent(named: dict[str, str]) -> None:
    (error,) = text_session().say("response.cancel", **named)
    assert error["error"]["code"] == "response_cancel_not_active"
    assert error["error"]["param"] == next(iter(named), None)


def test_an_answer_to_nothing_is_the_conversations() -> None:
    created, *_ = text_session().say("response.create")
    assert created["response"]["conversation_id"] is not None


def test_out_of_band_runs_beside_and_leaves_nothing() -> None:
    talk = Talk()
    talk.speak_a_turn()
    override = {"conversation": "none", "metadata": {"k": "v"}, "input": [], "output_modalities": ["text"]}
    created = talk.say("response.create", response=override)[0]["response"]
    assert (created["conversation_id"], created["metadata"]) == (None, {"k": "v"})
    beside = talk.last(m.Respond)
    assert beside.context.items == ()
    events = talk.engine(m.TextDelta(beside.response_id, "x"), m.ResponseFinished(beside.response_id, "completed"))
    assert not [t for t in types(events) if t.startswith("conversation.")]


def test_one_response_at_a_time() -> None:
    talk = Talk()
    talk.speak_a_turn()
    (event,) = talk.say("response.create")
    assert event["error"]["code"] == "conversation_already_has_active_response"


def test_the_voice_locks_with_the_first_sound() -> None:
    talk = Talk()
    talk.speak_a_turn()
    talk.answer()
    update = {"type": "realtime", "audio": {"output": {"voice": "ash"}}}
    assert talk.say("session.update", session=update)[0]["error"]["code"] == "cannot_update_voice"
    update["audio"]["output"]["voice"] = "alloy"  # type: ignore[index]
    assert types(talk.say("session.update", session=update)) == ["session.updated"]


@pytest.mark.parametrize(("override", "locked"), [
    ({}, True), ({"output_modalities": ["text"]}, False), ({"conversation": "none"}, False),
])  # fmt: skip
def test_only_an_answer_that_is_heard_in_the_conversation_keeps_its_voice(override: dict[str, Any], locked: bool) -> None:
    talk = Talk()
    talk.speak_a_turn()
    talk.answer()
    event = talk.say("response.create", response={"audio": {"output": {"voice": "ash"}}, **override})[0]
    assert (event["type"], event.get("error", {}).get("code")) == (
        ("error", "cannot_update_voice") if locked else ("response.created", None)
    )


@pytest.mark.parametrize(("wire", "inner"), [
    ("auto", m.Truncation()), ("disabled", m.Truncation(allowed=False)),
    ({"type": "retention_ratio", "retention_ratio": 0.8}, m.Truncation(retention=0.8)),
    ({"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 900}}, m.Truncation(True, 0.5, 900)),
])  # fmt: skip
def test_truncation_and_speed_reach_the_engine(wire: Any, inner: m.Truncation) -> None:
    talk = text_session(truncation=wire, audio={"output": {"speed": 1.25}})
    talk.speak_a_turn()
    assert talk.last(m.Respond).context.truncation == inner
    assert talk.last(m.Respond).speed == 1.25


def no_lists(schema: dict[str, Any]) -> m.SchemaFault | None:
    return m.SchemaFault("properties.x.type", "No lists.") if "array" in str(schema) else None


ABLE: dict[str, Any] = {"abilities": m.Abilities(frozenset({"voice_mine"})), "judge": no_lists}


def test_a_schema_that_cannot_be_honoured_costs_its_function_alone() -> None:
    talk = Talk(**ABLE)
    bad = {"type": "function", "name": "f", "parameters": {"properties": {"x": {"type": "array"}}}}
    (event,) = talk.say("session.update", session={"type": "realtime", "instructions": "changed", "tools": [TOOL, bad]})
    assert [tool["name"] for tool in event["session"]["tools"]] == ["get_weather", "f"]
    talk.say("response.create")
    (respond,) = [command for command in talk.commands if isinstance(command, m.Respond)]
    assert [tool.name for tool in respond.context.tools] == ["get_weather"]
    (event,) = talk.say("session.update", session={"type": "realtime", "tool_choice": {"type": "function", "name": "f"}})
    assert event["error"]["param"] == "session.tools[1].parameters.properties.x.type"


def test_a_schema_that_cannot_be_honoured_is_refused_with_its_path_where_tools_are_strict() -> None:
    talk = Talk(Limits(strict_tools=True), **ABLE)
    bad = {"type": "function", "name": "f", "parameters": {"properties": {"x": {"type": "array"}}}}
    update = {"type": "realtime", "instructions": "changed", "tools": [TOOL, bad]}
    (event,) = talk.say("session.update", session=update)
    assert (event["error"]["code"], event["error"]["param"]) == (
        "invalid_function_parameters", "session.tools[1].parameters.properties.x.type",
    )  # fmt: skip
    talk.say("conversation.item.create", item=TEXT_ITEM)
    (event,) = talk.say("response.create", response={"tools": [bad]})
    assert event["error"]["param"] == "response.tools[0].parameters.properties.x.type"
    talk.say("response.create")
    assert talk.last(m.Respond).context.instructions != "changed"


@pytest.mark.parametrize(("event", "param"), [
    ({"type": "session.update", "session": {"type": "realtime", "tool_choice": {"type": "function", "name": "gone"}}}, "session.tool_choice"),
    ({"type": "response.create", "response": {"tool_choice": {"type": "function", "name": "gone"}}}, "response.tool_choice"),
])  # fmt: skip
def test_a_choice_must_name_a_tool(event: dict[str, Any], param: str) -> None:
    talk = text_session(tools=[TOOL])
    (error,) = talk.say(event.pop("type"), **event)
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", param)


def test_a_named_function_reaches_the_engine() -> None:
    talk = text_session(tools=[TOOL], tool_choice={"type": "function", "name": "get_weather"})
    talk.say("response.create")
    assert talk.last(m.Respond).tool_choice == m.NamedFunction("get_weather")


def test_voices_with_an_id_must_exist_and_names_need_not() -> None:
    talk = Talk(**ABLE)

    def update(voice: Any) -> dict[str, Any]:
        return talk.say("session.update", session={"type": "realtime", "audio": {"output": {"voice": voice}}})[0]

    assert update({"id": "voice_gone"})["error"]["param"] == "session.audio.output.voice.id"
    assert update({"id": "voice_mine"})["session"]["audio"]["output"]["voice"] == {"id": "voice_mine"}
    assert update("of another model")["type"] == "session.updated"
    (error,) = talk.say("response.create", response={"audio": {"output": {"voice": {"id": "voice_gone"}}}})
    assert error["error"]["param"] == "response.audio.output.voice.id"


def test_a_spent_quota_fails_the_response_and_comes_back() -> None:
    talk = Talk(quota=Quota(requests_per_minute=2, tokens_per_minute=1000))
    for _ in range(2):
        talk.say("response.create")
        talk.answer()
    events = talk.say("response.create")
    assert types(events) == ["response.created", "rate_limits.updated", "response.done"]
    assert events[1]["rate_limits"][0]["remaining"] == 0
    failed = events[2]["response"]
    assert (failed["status"], failed["status_details"]["error"]["code"]) == ("failed", "rate_limit_exceeded")
    talk.now = 31.0
    assert types(talk.say("response.create")) == ["response.created", "rate_limits.updated"]


def test_tokens_are_reserved_and_then_settled() -> None:
    talk = Talk(quota=Quota(requests_per_minute=60, tokens_per_minute=6000))
    talk.say("session.update", session={"type": "realtime", "max_output_tokens": 1000})

    def tokens_left() -> int:
        (limits,) = [e["rate_limits"] for e in talk.say("response.create") if e["type"] == "rate_limits.updated"]
        return int(limits[1]["remaining"])

    assert tokens_left() == 5000
    used = talk.answer()[-1]["response"]["usage"]["total_tokens"]
    assert tokens_left() == 6000 - used - 1000


# --- what is being made -----------------------------------------------------------------------------------------------


def speaking(words: int, frames: int, **more: Any) -> tuple[Talk, str]:
    """An answer of so many words (each with its comma) and frames of 80 ms, one word a frame; it is not finished."""
    talk = Talk(**more)
    talk.speak_a_turn()
    rid = talk.last(m.Respond).response_id
    for n in range(max(words, frames)):
        if n < words:
            talk.engine(m.TextDelta(rid, f"w{n}, "))
        if n < frames:
            talk.engine(m.AudioDelta(rid, np.full(1920, n, np.int16), min(4 * (n + 1), 4 * words)))
    return talk, next(e["item_id"] for e in talk.events if e["type"] == "response.content_part.added")


def test_what_is_being_made_can_be_asked_for() -> None:
    talk, item_id = speaking(words=3, frames=2)
    item = talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]
    assert (item["status"], item["content"][0]["transcript"]) == ("in_progress", "w0, w1, w2, ")
    assert len(base64.b64decode(item["content"][0]["audio"])) == 2 * 2 * 1920
    added = [e["item"] for e in talk.events if e["type"] in ("response.output_item.added", "conversation.item.added")]
    assert [i["content"] for i in added if i["id"] == item_id] == [[], []]


LATE = st.lists(st.sampled_from(["text", "audio", "finish", "fail", "out of tokens"]), max_size=4)


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000), LATE, st.booleans())
def test_of_what_is_truncated_nothing_more_is_sent_or_kept(
    words: int, frames: int, ms: int, late: list[str], told_twice: bool
) -> None:
    talk, item_id = speaking(words, frames)
    rid = talk.last(m.Respond).response_id
    events = talk.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
    assert types(events) == [
        "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.done", "conversation.item.truncated",
    ]  # fmt: skip
    assert events[5]["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert talk.last(m.Cancel).response_id == rid
    outputs: dict[str, m.Output] = {"text": m.TextDelta(rid, "more"), "audio": m.AudioDelta(rid, np.ones(1920, np.int16), 99),
               "finish": m.ResponseFinished(rid, "completed"), "fail": m.ResponseFailed(rid, "server_error", "no"),
               "out of tokens": m.ResponseFinished(rid, "max_output_tokens")}  # fmt: skip
    assert talk.engine(*[outputs[name] for name in late]) == []
    if told_twice:
        assert talk.say("response.cancel") == []
        assert talk.say("response.cancel")[0]["error"]["code"] == "response_cancel_not_active"
    item = talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]
    assert item["status"] == "incomplete"
    whole = min(words, min(ms // 80, frames))
    expected = "".join(f"w{n}, " for n in range(whole))
    assert item["content"][0]["transcript"] in (expected, expected.rstrip())
    assert len(base64.b64decode(item["content"][0].get("audio", ""))) == 2 * min(24 * ms, 1920 * frames)
    assert types(talk.say("response.create"))[0] == "response.created"


def test_a_truncation_that_cannot_be_ends_nothing() -> None:
    talk, item_id = speaking(words=1, frames=0)
    place = {"item_id": item_id, "content_index": 0}
    assert talk.say("conversation.item.truncate", **place, audio_end_ms=0)[0]["error"]["code"] == "unsupported_content_type"
    talk.engine(m.AudioDelta(talk.last(m.Respond).response_id, np.ones(1920, np.int16), 4))
    assert talk.say("conversation.item.truncate", **place, audio_end_ms=5000)[0]["error"]["code"] == "invalid_value"
    assert types(talk.answer())[-1] == "response.done"


def test_a_truncation_of_what_is_done_ends_nothing_that_runs() -> None:
    talk, item_id = speaking(words=1, frames=1)
    talk.engine(m.CallStarted(talk.last(m.Respond).response_id, "f"))
    assert types(talk.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)) == [
        "conversation.item.truncated"
    ]
    assert "response.done" in types(talk.say("response.cancel"))


def test_a_running_item_that_the_client_replaced_closes_as_itself() -> None:
    talk, item_id = speaking(words=1, frames=1)
    talk.say("conversation.item.delete", item_id=item_id)
    talk.say("conversation.item.create", item={"id": item_id, **TEXT_ITEM})
    done = next(e for e in talk.answer() if e["type"] == "conversation.item.done")
    assert (done["previous_item_id"], done["item"]["role"]) == (None, "assistant")
    assert talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]["role"] == "user"


def test_old_audio_that_is_let_go_does_not_end_an_answer() -> None:
    talk, _ = speaking(words=1, frames=2, limits=Limits(kept_audio_s=1))
    sound = base64.b64encode(bytes(96_000)).decode()
    talk.say(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": sound}]},
    )
    assert types(talk.answer())[-1] == "response.done"


def test_a_full_conversation_still_answers() -> None:
    talk = Talk(Limits(items=2))
    for name in ("a", "b"):
        talk.say("conversation.item.create", item={"id": name, **TEXT_ITEM})
    assert talk.say("conversation.item.create", item=TEXT_ITEM)[0]["error"]["code"] == "conversation_too_long"
    deleted = [e["item_id"] for e in [*talk.speak_a_turn(), *talk.answer()] if e["type"] == "conversation.item.deleted"]
    assert deleted == ["a", "b"]
    kinds = types(talk.events)
    assert kinds[-1] == "response.done"
    committed = next(e for e in talk.events if e["type"] == "input_audio_buffer.committed")
    assert committed["previous_item_id"] == "b"


def test_answers_beside_the_conversation_keep_no_turn_from_being_answered() -> None:
    talk = Talk(Limits(parallel_responses=2))
    beside = {"conversation": "none", "output_modalities": ["text"]}
    assert [talk.say("response.create", response=beside)[0]["type"] for _ in range(3)] == ["response.created"] * 2 + ["error"]
    assert "response.created" in types(talk.speak_a_turn())


def test_what_a_turns_answer_may_not_have_is_told_and_ends_nothing() -> None:
    """A client secret's session was not judged by the model."""
    talk = Talk(initial={"type": "realtime", "audio": {"output": {"voice": {"id": "voice_gone"}}}})
    events = talk.speak_a_turn()
    assert (events[-1]["type"], events[-1]["error"]["param"]) == ("error", "response.audio.output.voice.id")
    assert types(talk.hear(*[0.9] * 4))[0] == "input_audio_buffer.speech_started"


def test_tokens_that_run_out_in_a_call_leave_it_incomplete() -> None:
    talk = text_session(tools=[TOOL], max_output_tokens=5)
    talk.say("response.create")
    rid = talk.last(m.Respond).response_id
    talk.engine(m.TextDelta(rid, "One moment."), m.CallStarted(rid, "get_weather"), m.CallArgumentsDelta(rid, '{"ci', 2))
    response = talk.engine(m.ResponseFinished(rid, "max_output_tokens"))[-1]["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert [(i["type"], i["status"]) for i in response["output"]] == [("message", "completed"), ("function_call", "incomplete")]
    assert response["output"][1]["arguments"] == '{"ci'


def test_who_hangs_up_gives_back_what_was_not_used() -> None:
    quota = Quota(100, 10_000)
    talk = Talk(quota=quota)
    talk.say("response.create")
    talk.engine(m.Prompted(talk.last(m.Respond).response_id, 30, 0))
    assert quota.allowances(0.0)[1].remaining < 10_000 - 4000
    talk.session.end(0.0)
    assert quota.allowances(0.0)[1].remaining == 10_000 - 30
