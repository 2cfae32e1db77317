"""Records and sets, said otherwise, accept no more than they did."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.engine.grammar.rewriting import records, sets

NAMES = st.sampled_from([
    True, {"type": "string"}, {"title": "Name"}, {"enum": ["a", 2, "bb"]}, {"const": "a"}, {"const": "a", "minLength": 3}, {"pattern": "^a"},
    {"minLength": 2.0}, {"minLength": 1, "maxLength": 2}, {"pattern": "a", "maxLength": 3}, {"format": "date"}, {"type": "null"}, False,
    {"type": ["string", "null"]}, {"not": {}},
])  # fmt: skip
INNER = st.sampled_from([
    True, {}, {"type": "boolean"}, {"enum": ["a", "b"]}, {"enum": [1, 2, 1]}, {"enum": [1, True]}, {"enum": [1, 1.0]}, {"enum": ["a", 1]},
    {"enum": ["a", 1], "type": "string"}, {"enum": ["a"], "type": ["string", "null"]}, {"enum": [[], {}]}, {"enum": list("abcde")},
    {"enum": ["a", "b"], "maxLength": 0}, {"type": "boolean", "enum": [True]}, {"type": "integer"},
])  # fmt: skip


@given(NAMES, st.dictionaries(st.text("ab", max_size=3), st.sampled_from([1, "x"])))
def test_records_accept_no_other_names(names: Any, value: dict[str, Any]) -> None:
    try:
        said = records(names, {"type": "integer"}, ())
    except CannotHonour:
        return
    asked = {"type": "object", "propertyNames": names, "additionalProperties": {"type": "integer"}}
    if Draft202012Validator({"type": "object", **said}).is_valid(value):
        Draft202012Validator(asked).validate(value)


@given(
    INNER,
    st.fixed_dictionaries(
        {"uniqueItems": st.just(True)}, optional={"minItems": st.integers(0, 3), "maxItems": st.integers(0, 3)}
    ),
)
def test_sets_have_each_value_once(inner: Any, schema: dict[str, Any]) -> None:
    try:
        said = sets(schema, inner, ())
    except CannotHonour:
        return
    for value in said["enum"]:
        Draft202012Validator({"items": inner, **schema}).validate(value)


def test_a_set_beside_a_tuple_is_none() -> None:
    with pytest.raises(CannotHonour):
        sets({"uniqueItems": True, "prefixItems": [{"type": "null"}]}, {"type": "boolean"}, ())
