"""A fault is told in the protocol's words, with a path into what the client sent, whatever was wrong with it."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.protocol import codec
from realtime_server.protocol.beta import Beta
from realtime_server.protocol.client_events import SessionUpdate
from realtime_server.protocol.errors import ClientError, listed, shown
from realtime_server.protocol.session_config import RealtimeSession, TranscriptionSession, updated

SESSION = RealtimeSession(id="sess_1", model="wren", expires_at=1)
PARTS = [
    {"type": "input_text", "text": "hi"},
    {"type": "input_audio", "audio": "AAAA"},
    {"type": "input_image", "image_url": "data:"},
]
ITEM = {"type": "message", "role": "user", "id": "item_1", "content": PARTS}
TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {}}
MCP = {
    "type": "mcp",
    "server_label": "s",
    "server_url": "u",
    "allowed_callers": ["x"],
    "headers": {"h": "v"},
    "defer_loading": True,
}
AUDIO_OUT = {"format": {"type": "audio/pcm", "rate": 24000}, "voice": {"id": "voice_1"}}
EVENTS: list[dict[str, Any]] = [
    {"type": "session.update", "session": {
        "type": "realtime", "instructions": "x", "output_modalities": ["text"], "tools": [TOOL, MCP], "max_output_tokens": 9,
        "tool_choice": {"type": "function", "name": "f"}, "truncation": {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 5}},
        "tracing": {"workflow_name": "w"}, "prompt": {"id": "p"}, "include": ["item.input_audio_transcription.logprobs"], "parallel_tool_calls": True,
        "reasoning": {"effort": "low"},
        "audio": {"input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "m", "keywords": ["k"], "delay": "low"}, "noise_reduction": {"type": "near_field", "strength": 1},
                            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 200, "idle_timeout_ms": 5000, "create_response": True}},
                  "output": {**AUDIO_OUT, "speed": 1}},
    }},
    {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}}},
    {"type": "input_audio_buffer.append", "audio": "AAAA", "event_id": "e"},
    {"type": "conversation.item.create", "item": ITEM, "previous_item_id": "root"},
    {"type": "conversation.item.create", "item": {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}},
    {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "{}"}},
    {"type": "conversation.item.create", "item": {"type": "mcp_call", "server_label": "s", "name": "n", "arguments": "{}", "error": {"type": "http_error", "code": 5, "message": "m"}}},
    {"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 10},
    {"type": "response.create", "response": {
        "output_modalities": ["audio"], "audio": {"output": AUDIO_OUT}, "tools": [TOOL, MCP], "tool_choice": "auto", "max_output_tokens": "inf",
        "conversation": "none", "metadata": {"a": "b"}, "input": [ITEM, {"type": "item_reference", "id": "x"}],
    }},
]  # fmt: skip
WRONG: list[Any] = [None, True, -1, 0.5, 1e30, 10**9, "", "x" * 600, "audio/mp3", "inf", [], [[]], {}, {"type": "mcp"}, {"type": [1]}, {"type": "function", "function": {}}, [{}], ["x", "y"]]  # fmt: skip
OPAQUE = ("parameters",)
"""What stands in these is the client's own: any JSON."""


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in inside:
        yield (*path, step)
        if step not in OPAQUE:
            yield from places(inner, (*path, step))


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def steps(param: str) -> tuple[str | int, ...]:
    return tuple(int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"\[\d+\]|[^.\[]+", param))


def broken(data: dict[str, Any], path: tuple[str | int, ...], how: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    holder = at(data, path[:-1])
    if how == "remove":
        del holder[path[-1]]
    elif how == "unknown" and isinstance(holder, dict):
        holder["<colour>"] = 1
    else:
        holder[path[-1]] = how
    return data


def told(data: Any) -> ClientError | None:
    """What is wrong with this event, if anything; no other exception ever leaves."""
    try:
        event = codec.decode(json.dumps(data))
        if isinstance(event, SessionUpdate):
            updated(SESSION, event.session)
    except ClientError as error:
        return error
    return None


@pytest.mark.parametrize("event", EVENTS)
def test_the_events_are_right_as_they_are(event: dict[str, Any]) -> None:
    assert told(event) is None


@given(st.data())
def test_one_broken_field_is_named(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(EVENTS))
    sent = broken(
        event, data.draw(st.sampled_from(list(places(event)))), data.draw(st.sampled_from([*WRONG, "remove", "unknown"]))
    )
    error = told(sent)
    if error is None:
        return
    assert error.param is not None, error.message
    *holder, last = steps(error.param)
    found = at(sent, tuple(holder))
    if error.code == "missing_required_parameter" or error.message == "The 'type' field is missing.":
        assert last not in found
    else:
        assert last in found if isinstance(found, dict) else int(last) < len(found)
    quoted = error.message.replace("'<colour>'", "").replace("<colour>", "")
    assert not re.search(r"literal\[|\.str\b|function-|tagged-union|<\w|Input should", quoted.replace("<=", "")), error.message


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["NaN", "\ud83d", "function", "mcp", "message", "realtime", "server_vad", "inf"]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "role", "content", "audio", "tools", "tracing", "prompt", "format", "<x>"]) | st.text(max_size=5), inner, max_size=4,
    ),
)  # fmt: skip


def deep(inner: Any, levels: int) -> Any:
    for _ in range(levels):
        inner = {"a": inner}
    return inner


@given(ANY, st.sampled_from([0, 50, 99, 150, 300]))
def test_no_json_is_met_with_anything_but_an_error(value: Any, levels: int) -> None:
    value = deep(value, levels)
    for sent in (
        value, {"type": value}, {"type": "session.update", "session": value}, {"type": "response.create", "response": value},
        {"type": "session.update", "session": {"type": value}}, {"type": "conversation.item.create", "item": value},
        {"type": "conversation.item.create", "item": {"type": "message", "role": value, "content": value}},
        {"type": "transcription_session.update", "session": value}, {"type": "session.update", "event_id": value, "session": {"type": "realtime", "tools": value}},
        *({"type": "session.update", "session": {"type": "realtime", **patch}} for patch in (
            {"tracing": value}, {"prompt": value}, {"prompt": {"id": "x", "variables": value}}, {"audio": value}, {"voice": value}, {"input_audio_format": value},
            {"tools": [{"type": "function", "name": "x", "parameters": value}]}, {"temperature": value}, {"modalities": value}, {"tool_choice": value},
        )),
    ):  # fmt: skip
        error = told(sent)
        assert error is None or error.message
        try:
            event = Beta().decode(json.dumps(sent))
            if isinstance(event, SessionUpdate):
                kind = TranscriptionSession(id="s", expires_at=1) if event.session.get("type") == "transcription" else SESSION
                codec.encode_client_event(SessionUpdate(session=updated(kind, event.session).model_dump(mode="json")))
        except ClientError as beta_error:
            assert beta_error.message


def code_of(path: str, value: Any) -> tuple[str | None, str]:
    session: Any = value
    for step in reversed(path.split(".")):
        session = {step: session}
    error = told({"type": "session.update", "session": {"type": "realtime", **session}})
    assert error is not None
    assert error.param is not None
    assert error.param.startswith(f"session.{path}")
    return error.code, error.message


VAD = "audio.input.turn_detection"


@pytest.mark.parametrize(("path", "value", "code", "message"), [
    (VAD, {"type": "server_vad", "prefix_padding_ms": 0.5}, "invalid_type", "expected an integer, but got a decimal number instead."),
    (VAD, {"type": "server_vad", "prefix_padding_ms": "300"}, "invalid_type", "expected an integer, but got a string instead."),
    (VAD, {"type": "server_vad", "prefix_padding_ms": -11}, "integer_below_min_value", "Expected a value >= 0, but got -11 instead."),
    (VAD, {"type": "server_vad", "idle_timeout_ms": 30001}, "integer_above_max_value", "integer above maximum value. Expected a value <= 30000, but got 30001"),
    (VAD, {"type": "server_vad", "threshold": 1.5}, "decimal_above_max_value", "Expected a value <= 1, but got 1.5 instead."),
    (VAD, {"type": "server_vad", "create_response": "yes"}, "invalid_type", "expected a boolean, but got a string instead."),
    (VAD, {"type": "vad"}, "invalid_value", "Invalid value: 'vad'. Supported values are: 'server_vad' and 'semantic_vad'."),
    (VAD, 5, "invalid_type", f"Invalid type for 'session.{VAD}': expected an object, but got an integer instead."),
    ("audio.output.speed", 0, "decimal_below_min_value", "decimal below minimum value. Expected a value >= 0.25, but got 0 instead."),
    ("audio.output.voice", 7, "invalid_type", "expected one of a string or an object, but got an integer instead."),
    ("tool_choice", "maybe", "invalid_value", "Invalid value: 'maybe'. Supported values are: 'auto', 'none' and 'required'."),
    ("tools", [{"name": "f"}], "missing_required_parameter", "Missing required parameter: 'session.tools[0].type'."),
    ("tools", [{"type": "function", "name": ""}], "string_below_min_length", "string too short. Expected a string with minimum length 1"),
    ("tools", [TOOL] * 129, "array_above_max_length", "Expected an array with maximum length 128, but got an array with length 129 instead."),
    ("instructions", ["x"], "invalid_type", "Invalid type for 'session.instructions': expected a string, but got an array instead."),
    ("output_modalities", ["audio", "text"], "invalid_value", "Supported combinations are: ['text'] and ['audio']."),
    ("max_output_tokens", 5000, "integer_above_max_value", "Expected a value <= 4096, but got 5000 instead."),
    ("audio.input.format", {"type": "audio/pcm", "rate": 16000}, "invalid_value", "Invalid value: '16000'. Supported values are: 24000."),
])  # fmt: skip
def test_the_hosted_services_codes_and_words(path: str, value: Any, code: str, message: str) -> None:
    found, text = code_of(path, value)
    assert found == code
    assert message in text


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert told({"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 300.0}) is None


def test_too_many_pairs_of_metadata() -> None:
    error = told({"type": "response.create", "response": {"metadata": {str(n): "x" for n in range(17)}}})
    assert error is not None
    assert (error.code, error.param) == ("object_above_max_properties", "response.metadata")


def test_messages_stay_short() -> None:
    error = told({"type": "input_audio_buffer.commit", "k" * 100_000: 1})
    assert error is not None
    assert len(error.message) + len(error.param or "") < 500
    assert len(shown("x" * 100_000)) < 100
    assert shown(10**5000) == "an integer"


def test_lists_read_as_sentences() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == ["'a'", "'a' and 'b'", "'a', 'b' or 'c'"]


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_an_item_has_so_many_parts_and_no_more(role: str) -> None:
    kind = "output_text" if role == "assistant" else "input_text"
    for number, fits in ((256, True), (257, False)):
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": "a"}] * number}
        event = json.dumps({"type": "conversation.item.create", "item": item})
        if fits:
            codec.decode(event)
        else:
            with pytest.raises(ClientError) as caught:
                codec.decode(event)
            assert (caught.value.code, caught.value.param) == ("array_above_max_length", "item.content")
