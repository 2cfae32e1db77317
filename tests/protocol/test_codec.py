"""Every event round-trips, and what is no event says why."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.protocol import codec
from realtime_server.protocol.errors import ClientError
from tests.helpers import TEXT_ITEM

CLIENT_EVENTS = [
    {"type": "session.update", "session": {"type": "realtime"}},
    {"type": "input_audio_buffer.append", "audio": "AAAA"},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "output_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": TEXT_ITEM, "previous_item_id": "root"},
    {"type": "conversation.item.retrieve", "item_id": "a"},
    {"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 10},
    {"type": "conversation.item.delete", "item_id": "a"},
    {
        "type": "response.create",
        "response": {"metadata": {"a": "b"}, "input": [TEXT_ITEM, {"type": "item_reference", "id": "x"}]},
    },
    {"type": "response.cancel", "response_id": "resp_1"},
]


@pytest.mark.parametrize("data", CLIENT_EVENTS, ids=lambda data: data["type"])
def test_every_client_event_round_trips(data: dict[str, object]) -> None:
    event = codec.decode(orjson.dumps(data | {"event_id": "mine"}))
    assert event.event_id == "mine"
    assert codec.decode(codec.encode_client_event(event)) == event


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ("{", "invalid_event", None),
        ("[]", "invalid_event", None),
        ('{"event_id": "e"}', "invalid_event", "type"),
        ('{"type": "bogus"}', "invalid_value", "type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.commit", "x": 1}', "unknown_parameter", "x"),
        ('{"type": "response.create", "response": {"voice": "ash"}}', "unknown_parameter", "response.voice"),
        ('{"type": "response.create", "response": {"tool_choice": "maybe"}}', "invalid_value", "response.tool_choice"),
        (
            '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text"}]}}',
            "missing_required_parameter",
            "item.content[0].text",
        ),
        (
            '{"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "%s", "output": ""}}'
            % ("x" * 39),
            "string_above_max_length",
            "item.call_id",
        ),
    ],
)
def test_malformed_events_name_the_field(data: str, code: str, param: str | None) -> None:
    with pytest.raises(ClientError) as caught:
        codec.decode(data)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_the_clients_event_id_comes_back_with_the_error() -> None:
    with pytest.raises(ClientError) as caught:
        codec.decode('{"type": "response.cancel", "event_id": "mine", "bad": 1}')
    assert caught.value.event_id == "mine"


def test_only_audio_and_images_are_long() -> None:
    long = "A" * codec.PLAIN_BYTES
    assert codec.decode(orjson.dumps({"type": "input_audio_buffer.append", "audio": long}))
    for event in (
        {"type": "session.update", "session": {"instructions": long}},
        {"type": "response.cancel", "response_id": long},
        {"x": long},
    ):
        with pytest.raises(ClientError) as caught:
            codec.decode(orjson.dumps(event | {"event_id": "mine"}))
        assert (caught.value.code, caught.value.event_id) == ("event_too_large", "mine")


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)))  # fmt: skip
def test_no_json_breaks_the_parser(data: object) -> None:
    for event in (data, {"type": "session.update", "session": data}, {"type": "response.create", "response": data},
                  {"type": "conversation.item.create", "item": data}):  # fmt: skip
        try:
            codec.decode(orjson.dumps(event))
        except ClientError as error:
            assert error.message
