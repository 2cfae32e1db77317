"""A reference is followed to its end, within its schema, or it is refused."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.engine.grammar.references import is_place, pointer, resolved, steps

ROOT: dict[str, Any] = {
    "$defs": {
        "a/b": {"type": "null"}, "~c d": {"$ref": "#/$defs/a~1b"}, "loop": {"$ref": "#/$defs/loop"}, "list": {"anyOf": [{"const": 1}, True]},
        "titled": {"$ref": "#/$defs/a~1b", "title": "T"},
    },
    "required": ["x"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("#", ROOT),
        ("#/$defs/a~1b", {"type": "null"}),
        ("#/$defs/~0c%20d", {"type": "null"}),
        ("#/$defs/list/anyOf/0", {"const": 1}),
        ("#/$defs/list/anyOf/1", True),
    ],
)
def test_a_reference_means_what_it_points_to(where: str, meant: Any) -> None:
    assert resolved(ROOT, {"$ref": where}) == meant


@pytest.mark.parametrize(
    ("where", "malformed"),
    [("#/$defs/loop", False), ("https://example.com/a", False), ("#/$defs/gone", True), ("#/$defs/list/anyOf/7", True), ("#/required", True), ("#/required/0", True)],
)  # fmt: skip
def test_what_leads_nowhere_is_refused(where: str, malformed: bool) -> None:
    with pytest.raises(CannotHonour) as fault:
        resolved(ROOT, {"$ref": where}, ("properties", "a"))
    assert fault.value.path == ("properties", "a", "$ref")
    assert fault.value.malformed is malformed


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4).map(tuple))
def test_a_path_and_its_pointer_are_each_others(path: tuple[str, ...]) -> None:
    assert steps(pointer(path)) == path


def test_steps_are_unescaped() -> None:
    assert steps("#/a~1b/~01/c%25") == ("a/b", "~1", "c%")
    assert steps("#") == ()


PLACES = st.sampled_from(
    [("$defs", "a"), ("definitions", "$ref"), ("properties", "not"), ("anyOf", "0"), ("items",), ("additionalProperties",)]
)


@given(st.lists(PLACES, max_size=5))
def test_what_stands_in_a_place_of_schemas_is_judged_with_the_whole(places: list[tuple[str, ...]]) -> None:
    path = tuple(step for place in places for step in place)
    schema: Any = {"minimum": "no number"}
    for step in reversed(path):
        schema = [schema] if step == "0" else {step: schema}
    assert is_place(path)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.meta.validate(schema)


@pytest.mark.parametrize(
    "path", [("x",), ("$defs",), ("$defs", "a", "default"), ("items", "0"), ("properties", "a", "enum", "0")]
)
def test_elsewhere_anything_may_stand(path: tuple[str, ...]) -> None:
    assert not is_place(path)


@pytest.mark.parametrize("where", ["#/$defs/a", "#/$defs/b/properties/c", "#/definitions/d/$defs/e"])
def test_draft_7_does_not_look_into_what_it_does_not_know(where: str) -> None:
    broken = {"minLength": "a"}
    root = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$defs": {"a": broken, "b": {"properties": {"c": broken}}},
        "definitions": {"d": {"$defs": {"e": broken}}},
    }
    with pytest.raises(CannotHonour, match="no schema"):
        resolved(root, {"$ref": where})
