"""A definition that needs itself fits nothing; one that may do without is kept."""

from typing import Any

import pytest

from realtime_server.engine.grammar.recursion import circular, ended

SELF: dict[str, Any] = {"$ref": "#/$defs/0"}


@pytest.mark.parametrize(
    ("definition", "ends"),
    [
        ({"type": "object", "properties": {"next": SELF}, "required": ["next"]}, False),
        ({"type": "object", "properties": {"next": SELF}}, True),
        ({"type": "object", "properties": {"next": {"anyOf": [SELF, {"type": "null"}]}}, "required": ["next"]}, True),
        ({"type": "array", "items": SELF}, True),
        ({"type": "array", "items": SELF, "minItems": 1}, False),
        ({"type": "array", "prefixItems": [True, SELF], "minItems": 2}, False),
        ({"type": ["array", "null"], "items": SELF, "minItems": 1}, True),
        ({"allOf": [SELF, {"type": "string"}]}, False),
        ({"anyOf": [SELF, SELF]}, False),
    ],
)
def test_what_needs_itself_fits_nothing(definition: dict[str, Any], ends: bool) -> None:
    assert ended({"$defs": {"0": definition}})["$defs"]["0"] == (definition if ends else False)


def test_those_that_need_each_other_fit_nothing_either() -> None:
    def needs(name: str) -> dict[str, Any]:
        return {"type": "object", "properties": {"x": {"$ref": f"#/$defs/{name}"}}, "required": ["x"]}

    made = ended({"$defs": {"0": needs("1"), "1": needs("2"), "2": needs("0"), "3": needs("4"), "4": {"type": "null"}}})
    assert [one is not False for one in made["$defs"].values()] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("definitions", "is_circular"),
    [
        ({"0": {"anyOf": [SELF, {"type": "null"}]}}, True),
        ({"0": {"allOf": [{"anyOf": [{"$ref": "#/$defs/1"}]}]}, "1": SELF}, True),
        ({"0": {"anyOf": [{"type": "array", "items": SELF}, {"$ref": "#/$defs/1"}]}, "1": {"properties": {"x": SELF}}}, False),
        ({"0": True}, False),
    ],
)
def test_what_is_explained_by_itself_is_found(definitions: dict[str, Any], is_circular: bool) -> None:
    assert (circular(definitions) is not None) is is_circular
