"""JSON text becomes plain values, or an error, at a cost that its sender does not choose."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.protocol import parsing
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.parsing import DEEPEST, MOST_KEYS, MOST_VALUES, parse

TEXTS = st.text(st.characters() | st.sampled_from('\\"u[],{}\ud83d\ude00'), max_size=20)
VALUES = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS,
                      lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))  # fmt: skip


def refused(text: str | bytes) -> str | None:
    with pytest.raises(ClientError) as caught:
        parse(text)
    return caught.value.code


def well_formed(value: Any) -> Any:
    """Half pairs as U+FFFD, whole ones joined."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {well_formed(key): well_formed(inner) for key, inner in value.items()}
    return [well_formed(inner) for inner in value] if isinstance(value, list) else value


@given(VALUES)
def test_what_was_written_is_read(value: Any) -> None:
    assert parse(json.dumps(value)) == well_formed(value)


@given(VALUES)
def test_values_are_counted_as_they_are_parsed(value: Any) -> None:
    """Commas and brackets outside of strings: the bound never mistakes text for structure."""
    commas, brackets = 0, 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            commas, brackets = commas + max(0, len(one) - 1), brackets + 1
            waiting += one.values() if isinstance(one, dict) else one
    text = json.dumps(value).encode("ascii")
    assert not parsing.structure_exceeds(text, commas + brackets)
    assert commas + brackets == 0 or parsing.structure_exceeds(text, commas + brackets - 1)


@pytest.mark.parametrize(
    "text", ["", "{", "nul", '{"a": NaN}', '{"a": 1e999}', '"\\x"', b'"\xff"', '"\ud83d\\', "[" * 2000, "1 2"]
)
def test_what_is_no_json_is_said(text: str | bytes) -> None:
    assert refused(text) == "invalid_event"


@pytest.mark.parametrize(("sent", "read"), [
    ('"a\\ud83db"', "a\ufffdb"), ('"\\uDE00"', "\ufffd"), ('"\\ud83d\\ude00"', "\U0001f600"), ('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600"),
    ('"\\\\ud83d\\ud83d"', "\\ud83d\ufffd"),
])  # fmt: skip
def test_half_a_pair_is_one_unknown_character(sent: str, read: str) -> None:
    assert parse(sent) == read


@pytest.mark.parametrize(
    ("element", "count"), [("[]", MOST_VALUES), ("{}", MOST_VALUES), ("1", MOST_VALUES + 1), ('""', 5 * MOST_VALUES)]
)
def test_more_values_than_fit_are_refused(element: str, count: int) -> None:
    assert refused('{"a": [' + ",".join([element] * count) + "]}") == "event_too_large"


def test_a_long_text_is_one_value() -> None:
    text = ',[{"\\' * MOST_VALUES
    assert parse(json.dumps({"audio": text})) == {"audio": text}


def test_depth_and_width_have_bounds() -> None:
    assert parse("[" * DEEPEST + "]" * DEEPEST)
    assert refused("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)) == "invalid_value"
    wide = {str(n): n for n in range(MOST_KEYS)}
    assert parse(json.dumps([wide])) == [wide]
    assert refused(json.dumps([wide | {"more": 1}])) == "object_above_max_properties"
