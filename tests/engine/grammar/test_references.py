"""A reference is followed to its end, within its schema, or it is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.engine.grammar.references import pointer, resolved, steps

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
