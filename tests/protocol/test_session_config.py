"""A partial update changes what it names, all of it or nothing."""

from typing import Any

import pytest

from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import FunctionTool, RealtimeSession, merge, updated

SESSION = RealtimeSession(id="sess_1", model="wren", expires_at=1)


def update(patch: dict[str, Any], session: RealtimeSession = SESSION) -> RealtimeSession:
    result = updated(session, {"type": "realtime", **patch})
    assert isinstance(result, RealtimeSession)
    return result


def test_only_what_is_named_changes() -> None:
    changed = update({"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}}})
    detection = changed.audio.input.turn_detection
    assert detection is not None
    assert detection.type == "server_vad"
    assert (detection.threshold, detection.silence_duration_ms, detection.prefix_padding_ms) == (0.7, 200, 300)
    assert changed.audio.output == SESSION.audio.output
    again = update({"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 900}}}}, changed)
    assert again.audio.input.turn_detection == detection.model_copy(update={"silence_duration_ms": 900})


def test_another_kind_of_turn_detection_replaces_the_first() -> None:
    detection = update({"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}).audio.input.turn_detection
    assert detection is not None
    assert detection.model_dump() == {
        "type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True,
    }  # fmt: skip


def test_null_leaves_what_has_no_null() -> None:
    before = update({"audio": {"output": {"voice": "ash", "speed": 1.2}, "input": {"format": {"type": "audio/pcmu"}}}})
    for patch in (
        {"audio": None}, {"audio": {"input": None, "output": None}},
        {"audio": {"input": {"format": None}, "output": {"voice": None, "format": None, "speed": None}}},
    ):  # fmt: skip
        assert updated(before, {"type": "realtime", **patch}) == before


def test_a_function_may_have_no_parameters() -> None:
    (tool,) = update({"tools": [{"type": "function", "name": "f", "parameters": None}]}).tools
    assert isinstance(tool, FunctionTool)
    assert tool.parameters == {"type": "object", "properties": {}}


def test_null_clears() -> None:
    changed = update({"audio": {"input": {"turn_detection": None}}, "tracing": None, "instructions": ""})
    assert changed.audio.input.turn_detection is None
    assert changed.instructions == ""


@pytest.mark.parametrize(
    ("patch", "code", "param"),
    [
        ({"voice": "ash"}, "unknown_parameter", "session.voice"),
        ({"audio": {"output": {"speed": 2}}}, "decimal_above_max_value", "session.audio.output.speed"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "invalid_value", "session.audio.input.format.type"),
        ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
        ({"instructions": "new", "max_output_tokens": 0}, "integer_below_min_value", "session.max_output_tokens"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
    ],
)
def test_a_bad_field_refuses_the_whole_update(patch: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(ClientError) as caught:
        update(patch)
    assert caught.value.code == code
    assert caught.value.param is not None
    assert caught.value.param.startswith(param)


def test_the_type_is_required() -> None:
    with pytest.raises(ClientError) as caught:
        updated(SESSION, {})
    assert (caught.value.code, caught.value.param) == ("missing_required_parameter", "session.type")


def test_the_model_stays() -> None:
    assert update({"model": "another"}).model == "wren"


def test_merge_leaves_its_arguments_alone() -> None:
    current = {"a": {"b": 1, "c": 2}}
    assert merge(current, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}
    assert current == {"a": {"b": 1, "c": 2}}


def test_more_tools_than_fit_are_refused() -> None:
    tools = [{"type": "function", "name": f"f{n}", "parameters": {}} for n in range(129)]
    assert len(updated(SESSION, {"type": "realtime", "tools": tools[:128]}).tools) == 128  # type: ignore[union-attr]
    with pytest.raises(ClientError) as raised:
        updated(SESSION, {"type": "realtime", "tools": tools})
    assert raised.value.param == "session.tools"


def test_what_is_never_shown_is_kept() -> None:
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://example.com", "authorization": "secret"}
    changed = update({"instructions": "Be brief."}, update({"tools": [tool]}))
    assert changed.tools[0].authorization == "secret"  # type: ignore[union-attr]
    assert "secret" not in changed.model_dump_json()
