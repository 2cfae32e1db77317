"""What is said otherwise accepts no more than before, and references mean what they meant."""

from typing import Any

from hypothesis import given
from jsonschema import Draft202012Validator

from realtime_server.engine.grammar import schema
from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.engine.grammar.lowering import Lowering
from tests.engine.grammar.strategies import PARAMETERS


def lowered(**properties: Any) -> Any:
    return Lowering({"type": "object", "properties": properties}).lowered()["properties"]


def test_objects_with_named_properties_take_no_others() -> None:
    made = lowered(
        a={"type": "object", "properties": {"b": {}}}, c={"type": "object"}, d={"properties": {}, "additionalProperties": True}
    )
    assert made["a"]["additionalProperties"] is False
    assert "additionalProperties" not in made["c"]
    assert made["d"]["additionalProperties"] is True


def test_objects_that_are_described_in_two_places_stay_open() -> None:
    both: dict[str, Any] = {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}
    assert "additionalProperties" not in lowered(x=both)["x"]["allOf"][0]


def test_records_are_told_by_their_keys() -> None:
    records = lowered(
        a={"propertyNames": {"enum": ["x", "y"]}, "additionalProperties": {"type": "null"}},
        b={"propertyNames": {"pattern": "^x"}},
        c={"propertyNames": {"maxLength": 3}},
    )
    value = {"$ref": "#/$defs/0"}
    assert records["a"] == {"properties": {"x": value, "y": value}, "additionalProperties": False}
    assert records["b"] == {"patternProperties": {"^x": True}, "additionalProperties": False}
    assert records["c"] == {"patternProperties": {"^[\\s\\S]{0,3}$": True}, "additionalProperties": False}


def test_a_tag_with_a_default_is_written() -> None:
    made = lowered(a={"properties": {"kind": {"const": "cat", "default": "cat"}, "x": {"const": 1}}})
    assert made["a"]["required"] == ["kind"]


def test_short_sets_are_all_their_orders() -> None:
    assert lowered(a={"items": {"enum": ["x", "y"]}, "uniqueItems": True, "minItems": 1})["a"]["enum"] == [
        ["x"],
        ["y"],
        ["x", "y"],
        ["y", "x"],
    ]


def test_definitions_are_those_that_are_used() -> None:
    made = Lowering(
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"properties": {"next": {"$ref": "#/$defs/a~1b"}}}, "c": {"not": {}}}}
    ).lowered()
    assert made["$ref"] == "#/$defs/0"
    assert made["$defs"] == {"0": {"properties": {"next": {"$ref": "#/$defs/0"}}, "additionalProperties": False}}


def test_a_definition_that_fails_takes_along_what_led_to_it() -> None:
    definitions = {
        "node": {"properties": {"leaf": {"$ref": "#/$defs/leaf"}, "bad": {"contains": {}}}, "required": ["bad"]},
        "leaf": {"properties": {"node": {"$ref": "#/$defs/node"}}},
    }
    root = {"properties": {"a": {"$ref": "#/$defs/node"}, "b": {"$ref": "#/$defs/leaf"}}, "$defs": definitions}
    made = Lowering(root).lowered()
    assert made["properties"]["a"] is False
    assert [one["properties"] for one in made["$defs"].values()] == [{"node": False}]


@given(PARAMETERS)
def test_what_is_lowered_is_a_schema_again(parameters: dict[str, Any]) -> None:
    try:
        made = Lowering(parameters).lowered()
    except CannotHonour as fault:
        assert fault.why
        return
    Draft202012Validator.check_schema(made)


VALUES: list[dict[str, Any]] = [{"a": 1}, {"a": 1, "b": 2}, {}, {"kind": "x"}, {"x": {"y": []}}, {"size": 5, "note": "small"}]


@given(PARAMETERS)
def test_what_is_lowered_accepts_no_more(parameters: dict[str, Any]) -> None:
    if schema.fault(parameters) is not None:
        return
    asked, made = Draft202012Validator(parameters), Draft202012Validator(Lowering(parameters).lowered())
    assert all(asked.is_valid(value) for value in VALUES if made.is_valid(value))
