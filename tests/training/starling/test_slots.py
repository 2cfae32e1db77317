"""What is said and what stands in the call mean the same, and the argument fits how the parameter is declared."""

import random
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling import slots, toolbox
from realtime_server.training.starling.calls import offered, pair
from realtime_server.training.starling.dialogue import Calls

SEEDS = st.integers(0, 2**32)
ROWS: list[dict[str, Any]] = [
    {"kind": "duration", "unit": "seconds"}, {"kind": "duration", "unit": "minutes"}, {"kind": "duration", "unit": "hours"},
    {"kind": "decimal", "range": [2, 30]}, {"kind": "flag", "yes": ["on"], "no": ["off"]}, {"kind": "several", "values": ["a_b", "c", "d", "e"]},
    {"kind": "meant", "values": {"low": ["quiet", "low"], "high": ["loud"]}},
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']} {row.get('unit', '')}")
@given(seed=SEEDS)
def test_arguments_fit_their_schemas(row: dict[str, Any], seed: int) -> None:
    for schema, draw in slots.slot({"key": "k", "ask": "?", **row}).variants:
        said, value = draw(random.Random(seed))
        assert said
        jsonschema.validate(value, schema)


@given(SEEDS)
def test_half_an_hour_is_as_long_in_every_unit(seed: int) -> None:
    told = {unit: slots.duration(unit)(random.Random(seed)) for unit in ("seconds", "minutes")}
    known = {"half an hour": 1800, "an hour and a half": 5400, "a quarter of an hour": 900, "an hour": 3600, "two hours": 7200}
    for unit, (said, value) in told.items():
        if said in known:
            assert value == known[said] // slots.UNITS[unit]


@given(SEEDS)
def test_a_list_is_said_in_its_order(seed: int) -> None:
    said, value = slots.several(["a_b", "c", "d"])(random.Random(seed))
    assert said.replace(" and ", ", ").split(", ") == [one.replace("_", " ") for one in value]


@given(SEEDS)
def test_two_values_of_a_list_are_one_call(seed: int) -> None:
    rng = random.Random(seed)
    (kind,) = (kind for kind in toolbox.kinds() if "mop_floors" in kind.names)
    (calls,) = (turn for turn in pair([offered(kind, rng)], rng).turns if isinstance(turn, Calls))
    assert len({call.name for call in calls.calls}) == 1


def test_every_kind_can_be_asked_for_in_every_way() -> None:
    for kind in toolbox.kinds():
        keys = {slot.key for slot in kind.slots}
        assert kind.required <= keys
        for ask in (*kind.asks, kind.bare, kind.done):
            assert set(toolbox.keys(ask)) <= keys, (kind.names, ask)
        last = [slot.key for slot in kind.slots if slot.key in kind.required][-1:]
        for ask in kind.asks:
            assert kind.required <= set(toolbox.keys(re.sub(r"\[.*?\]", "", ask))), (kind.names, ask)
        assert not kind.bare or kind.required - set(toolbox.keys(kind.bare)) == set(last), kind.names
