"""What a call may be made of, and which calls change the one before."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.engine.families.wren import schemas
from realtime_server.engine.families.wren.leaves import Arguments
from realtime_server.engine.families.wren.said import MISHEARD, Said, Values, refers_back, spoken_name


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
    assert Said(text, "", lambda ways: [nats] * len(ways))("size", [value]) == (written or nats > -MISHEARD)


AMOUNT = {"type": "object", "properties": {"amount": {"type": "integer"}}}


@given(
    st.sampled_from(["", "please ", "can you ", "could you please ", "i want to "]), st.sampled_from(["", "the ", "my "]),
    st.sampled_from(["", " please", " with amount thirty"]), st.sampled_from(["water_cactus", "waterTheCactus", "water-a-cactus"]),
)  # fmt: skip
def test_a_function_is_named_by_what_a_turn_begins_with(opening: str, article: str, rest: str, name: str) -> None:
    others = [m.Function("stop", "", AMOUNT), m.Function("water_tree", "", AMOUNT)]
    offered = [*others, m.Function(name, "", AMOUNT)]
    said = f"water {article}cactus{rest}"
    assert spoken_name(f"{opening}{said}", offered) == name
    assert spoken_name(f"{opening}{said}", others) is None
    assert spoken_name(f"do not {opening}{said}", offered) is None
    # One word is too easily said.
    assert spoken_name(f"{opening}stop", offered) is None


def test_the_longest_name_is_taken_and_what_takes_nothing_has_nothing_behind_it() -> None:
    once, twice = m.Function("water_cactus", "", {"type": "object"}), m.Function("water_cactus_twice", "", {"type": "object"})
    assert spoken_name("water the cactus", [once, twice]) == "water_cactus"
    assert spoken_name("please water my cactus twice please", [once, twice]) == "water_cactus_twice"
    assert spoken_name("water the cactus never", [once, twice]) is None


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


@given(
    orders, st.sampled_from(["milk", "sugar"]), orders,
    st.sampled_from(["without {}", "no {} please", "leave out the {} but with two cups", "remove my {} please", "without any {}"]),
)  # fmt: skip
def test_what_is_not_wanted_any_more_is_left_out(before: dict[str, Any], kind: str, mixed_up: dict[str, Any], way: str) -> None:
    before = before | {kind: f"lots of {kind}"}
    newest, rest = way.format(kind), {key: value for key, value in before.items() if key != kind}
    # Whatever the model makes of it.
    for written in (before, rest, rest | {kind: kind}):
        assert corrected(newest, before, written) == rest
    # What it is without from the start, too, but for what it can not do without.
    said = f"i want {spoken(mixed_up | {kind: kind})} {way.format(mixed_up['drink'])}"
    assert corrected(said, {}, mixed_up | {kind: kind}) == mixed_up | {kind: kind}
    wanted = {key: value for key, value in mixed_up.items() if key not in ("milk", "sugar")}
    assert corrected(f"i want {spoken(wanted)} {way.format(kind)}", {}, wanted | {kind: kind}) == wanted


def test_no_may_stand_before_what_is_wanted_instead() -> None:
    before = {"drink": "latte", "roast": "light roast", "milk": "some cream"}
    assert corrected("no dark roast", before, before | {"roast": "dark roast"}) == before | {"roast": "dark roast"}
    assert corrected("no double shot", before, before | {"shots": "double shot"}) == before | {"shots": "double shot"}
    assert "roast" not in corrected("no light roast", before, before)
    assert corrected("a house coffee and no milk", before, {"drink": "house coffee", "milk": "milk"}) == {
        "drink": "house coffee"
    }
    assert "roast" not in corrected("without the dark roast", before, before)
    assert corrected("no cream but lots of milk", before, before | {"milk": "lots of milk"})["milk"] == "lots of milk"
    assert corrected("without milk and sugar", {}, {"drink": "latte", "milk": "milk", "sugar": "sugar"}) == {"drink": "latte"}
    assert corrected("a latte with no sugar and lots of milk", {}, {"drink": "latte", "milk": "lots of milk", "sugar": "sugar"}) == {
        "drink": "latte", "milk": "lots of milk",
    }  # fmt: skip


def test_who_says_no_may_put_himself_right() -> None:
    before = {"drink": "latte", "shots": "double shot"}
    assert corrected("make it small no large", before, before | {"size": "large"}) == before | {"size": "large"}
    assert corrected("a small latte no large", {}, {"drink": "latte", "size": "large"})["size"] == "large"
    assert corrected("a small latte no sugar", {}, {"drink": "latte", "size": "small", "sugar": "sugar"}) == {
        "drink": "latte", "size": "small",
    }  # fmt: skip


@given(
    st.sampled_from([
        ("a latte with no milk", "milk", "no milk"), ("a latte without milk", "milk", "none"),
        ("a latte without milk", "milk", "without milk"), ("a latte with note no sugar tonight", "note", "no sugar tonight"),
        ("a latte note leave out the onions", "note", "leave out the onions"),
    ]), st.sampled_from([None, "whole milk"]),
)  # fmt: skip
def test_a_value_may_itself_say_that_nothing_is_wanted(said: tuple[str, str, str], milk: str | None) -> None:
    newest, key, value = said
    shape = schemas.arguments({"type": "object", "properties": {
        "milk": {"enum": ["no milk", "none", "without milk", "whole milk"]}, "note": {"type": "string"},
    }})  # fmt: skip
    assert corrected(newest, {"milk": milk} if milk else {}, {key: value}, shape)[key] == value


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
