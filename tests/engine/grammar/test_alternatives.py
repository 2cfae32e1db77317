"""Alternatives exclude each other only where no value fits two of them."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server.engine.grammar.alternatives import MOST, exclusive
from tests.engine.grammar.strategies import FIXED, NUMBERS, objects, tagged


def same(schema: Any) -> Any:
    return schema


SIMPLE = st.one_of(FIXED, NUMBERS, st.sampled_from([True, False, {"type": ["null", "string"]}, {"type": "array"}]))
BRANCHES = st.lists(st.one_of(SIMPLE, objects(SIMPLE), st.builds(tagged, st.sampled_from("abc"))), max_size=4)
VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    2.0,
    2.5,
    50,
    "",
    "small",
    "日",
    [1],
    {},
    {"a": 1},
    *({"kind": tag} for tag in [*"abc", 2, "small", None]),
]


@given(BRANCHES)
def test_no_value_fits_two_that_exclude_each_other(branches: list[Any]) -> None:
    if exclusive(branches, same):
        for a, b in combinations(map(Draft202012Validator, branches), 2):
            assert not any(a.is_valid(value) and b.is_valid(value) for value in VALUES)


@pytest.mark.parametrize(
    "branches",
    [
        [{"type": "string"}, {"type": "integer"}, {"type": ["null", "array"]}],
        [{"const": "a"}, {"enum": ["b", 1]}, {"const": None}],
        [tagged("a"), tagged("b"), {"type": "null"}],
        [tagged("a", x={"type": "null"}), tagged("b")],
        [{"type": "object", "properties": {"kind": {"const": tag, "default": tag}}} for tag in "ab"],
    ],
)
def test_types_values_and_tags_tell_them_apart(branches: list[Any]) -> None:
    assert exclusive(branches, same)


@pytest.mark.parametrize(
    "branches",
    [
        [{"type": "integer"}, {"type": "number"}],
        [{"properties": {"kind": {"const": tag}}, "required": ["kind"]} for tag in "ab"],
        [{"type": "object", "properties": {"kind": {"const": tag}}} for tag in "ab"],
        [{}, {"type": "null"}],
        [{"const": n} for n in range(MOST + 1)],
    ],
)
def test_what_may_overlap_is_not_said_to_exclude(branches: list[Any]) -> None:
    assert not exclusive(branches, same)
