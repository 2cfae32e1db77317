"""What a call may be made of, and which calls change the one before."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server.engine.families.wren import schemas
from realtime_server.engine.families.wren.leaves import Arguments
from realtime_server.engine.families.wren.policy.grounds import ArgumentGrounding
from realtime_server.engine.families.wren.policy.slot_filling import Said, Values, refers_back


@given(
    st.sampled_from(["", "please "]),
    st.sampled_from(["make it", "change that to", "turn them"]),
    st.sampled_from(["large", "off"]),
)
def test_changing_it_refers_back(please: str, verb: str, rest: str) -> None:
    assert refers_back(f"{please}{verb} {rest}")
    assert not refers_back(f"{rest} {verb}")
    assert not any(map(refers_back, ("is it raining in paris", "make items large", "turn the kitchen light on")))


words = st.lists(st.sampled_from("large roast dark two sugar".split()), min_size=1, max_size=3).map(" ".join)


@given(words, words, st.floats(-20, 20))
def test_said_is_what_was_written_or_named_or_sounds_alike(text: str, value: str, nats: float) -> None:
    written = set(value.split()) <= set(text.split())
    assert Said(text)("size", [value]) == written
    assert Said(f"{text} size")("size", [value])
    assert Said(text, "", lambda ways: [nats] * len(ways))("size", [value]) == (written or nats > -ArgumentGrounding.misheard)


ORDER: dict[str, list[Any]] = {
    "drink": ["latte", "americano", "house coffee", "coffee"], "size": ["small", "medium", "large", "twelve ounce"],
    "roast": ["light roast", "medium roast", "dark roast"], "shots": ["single shot", "double shot"], "cups": [1, 2, 3],
    "milk": ["milk", "lots of milk", "some cream", "lots of cream"], "sugar": ["lots of sugar", "sugar"],
}  # fmt: skip
PARAMETERS = {"type": "object", "properties": {key: {"enum": values} for key, values in ORDER.items()}, "required": ["drink"]}
SHAPE = schemas.arguments(PARAMETERS)
NUMBERS = {1: "one", 2: "two", 3: "three"}
orders = st.fixed_dictionaries(
    {"drink": st.sampled_from(ORDER["drink"])},
    optional={key: st.sampled_from(values) for key, values in ORDER.items() if key != "drink"},
)


def corrected(newest: str, before: Any, values: dict[str, Any], shape: Arguments = SHAPE) -> dict[str, Any]:
    said = Said(newest, newest, calls={"order": before})
    whole: dict[str, Any] = json.loads(
        shape.as_json(said.corrected("order", shape, {(key,): value for key, value in values.items()}))
    )
    return whole


def spoken(values: dict[str, Any]) -> str:
    return " and ".join(str(NUMBERS.get(value, value)) for value in values.values())


slots = st.sampled_from([(key, value) for key, values in ORDER.items() for value in values])


@given(orders, slots, orders, st.sampled_from(["make it {}", "please change that to {} please", "turn it {}"]))
def test_a_correction_changes_what_it_says_and_nothing_else(
    before: dict[str, Any], slot: tuple[str, Any], mixed_up: dict[str, Any], way: str
) -> None:
    key, value = slot
    newest = way.format(spoken({key: value}))
    # Whatever the model makes of the rest, unless it is something that was said as well ("milk", in "lots of milk").
    rest = {k: v for k, v in mixed_up.items() if not {*spoken({k: v}).split()} & {*newest.split()}}
    assert corrected(newest, before, rest | {key: value}) == before | {key: value}


@given(orders, st.sampled_from(["milk", "sugar"]), st.sampled_from(["without {}", "no {} please", "leave out the {}"]))
def test_what_was_mentioned_and_the_model_left_out_stays_out(before: dict[str, Any], kind: str, way: str) -> None:
    before, rest = before | {kind: f"lots of {kind}"}, {key: value for key, value in before.items() if key != kind}
    assert corrected(way.format(kind), before, rest) == rest


@given(orders, st.sampled_from(["milk", "sugar"]), st.sampled_from(["please do not leave out the {}", "no {} is no latte"]))
def test_what_the_model_writes_of_what_was_said_stays(before: dict[str, Any], kind: str, way: str) -> None:
    wanted = before | {kind: kind}
    assert corrected(way.format(kind), {}, wanted) == corrected(way.format(kind), before, wanted) == wanted


def test_what_is_true_or_false_is_not_left_out() -> None:
    shape = schemas.arguments({"type": "object", "properties": {"sugar": {"type": "boolean"}}})
    assert corrected("a latte without sugar", {"sugar": True}, {"sugar": False}, shape) == {"sugar": False}


@given(orders, orders)
def test_what_was_said_whole_is_a_new_call(before: dict[str, Any], order: dict[str, Any]) -> None:
    assert corrected(f"i want {spoken(order)}", before, order) == order


@given(orders, slots, orders)
def test_what_leaves_to_be_understood_what_was_said_before_changes_it(
    before: dict[str, Any], slot: tuple[str, Any], mixed_up: dict[str, Any]
) -> None:
    key, value = slot
    newest = f"{spoken({key: value})} please"
    rest = {k: v for k, v in mixed_up.items() if not {*spoken({k: v}).split()} & {*newest.split()}}
    kept = next(((k, v) for k, v in before.items() if k != key and not {*spoken({k: v}).split()} & {*newest.split()}), None)
    if kept is not None:
        assert corrected(newest, before, rest | dict([kept, slot])) == before | {key: value}


def test_each_word_stands_for_one_value() -> None:
    before = {"drink": "latte", "size": "twelve ounce", "milk": "some cream"}
    assert corrected("actually medium roast", before, before | {"roast": "medium roast", "size": "medium"}) == before | {
        "roast": "medium roast"
    }
    assert corrected("a medium medium roast latte", before, {"drink": "latte", "roast": "medium roast", "size": "medium"}) == {
        "drink": "latte", "size": "medium", "roast": "medium roast",
    }  # fmt: skip
    assert corrected("add lots of sugar", before, before | {"sugar": "lots of sugar", "milk": "lots of cream"}) == before | {
        "sugar": "lots of sugar"
    }


@given(st.sampled_from(["medium", "twelve ounce", "large"]))
def test_what_stands_for_something_else_does_not_sound_like_it_too(size: str) -> None:
    before: Values = {("drink",): "latte", ("size",): "small"}
    calls = {"order": {"drink": "latte", "size": "small"}}
    said = Said("", "actually medium roast", lambda ways: [0.0 if way == size else -9.0 for way in ways], calls)
    values = before | {("roast",): "medium roast", ("size",): size}
    assert said.corrected("order", SHAPE, values)[("size",)] == ("small" if size == "medium" else size)


def test_what_tells_a_value_from_the_one_before_is_enough() -> None:
    before = {"drink": "latte", "shots": "single shot", "cups": 2}
    assert corrected("make it a double", before, before | {"shots": "double shot"})["shots"] == "double shot"
    assert corrected("make it large", before, {**before, "size": "large", "shots": "double shot"}) == before | {"size": "large"}
    assert corrected("make it three", before, before | {"cups": 3}) == before | {"cups": 3}


def test_what_is_needed_and_was_never_said_is_what_it_was() -> None:
    assert corrected("a dark roast", {"drink": "latte"}, {"drink": "coffee", "roast": "dark roast"}) == {
        "drink": "latte", "roast": "dark roast",
    }  # fmt: skip
    said = Said("my usual is coffee. a dark roast", "a dark roast", calls={"order": {"drink": "latte"}})
    usual: Values = {("drink",): "coffee", ("roast",): "dark roast"}
    assert said.corrected("order", SHAPE, usual) == usual


def test_one_of_several_is_said_without_its_s() -> None:
    said = Said("set a timer for one minute")
    assert said("unit", ["minutes"])
    assert Said("set it to ten minutes")("unit", ["minute"])
    assert not said("unit", ["hours"])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["large", "latte", "dark roast"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ORDER, "x"]), inner, max_size=4),
    max_leaves=8,
)
NESTED = {
    "type": "object",
    "properties": {
        "order": PARAMETERS, "iced": {"type": "boolean"}, "name": {"type": "string", "maxLength": 4},
        "tops": {"type": "array", "items": {"enum": ["large", "ham"]}, "minItems": 1, "maxItems": 2},
    },
}  # fmt: skip


@given(
    anything | st.dictionaries(st.sampled_from(["order", "iced", "name", "tops"]), anything),
    st.sampled_from(["make it large", "large", "without latte and coffee", "no coffee or milk", "remove the order size"]), orders,
)  # fmt: skip
def test_whatever_a_client_wrote_what_follows_fits_the_schema(before: Any, newest: str, order: dict[str, Any]) -> None:
    shape = schemas.arguments(NESTED)
    said = Said("", newest, calls={"f": before})
    values: Values = {("order", key): value for key, value in order.items()} | {("iced",): True}
    Draft202012Validator(NESTED).validate(json.loads(shape.as_json(said.corrected("f", shape, values))))
