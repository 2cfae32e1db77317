"""A menu is a tool whose slots can be told apart by what is said."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server.training.starling import menus
from realtime_server.training.starling.measures.coffee import ORDER
from realtime_server.training.starling.tables import stored

SEEDS = st.integers(0, 2**32)


@given(SEEDS)
@settings(max_examples=300)
def test_every_value_fits_what_is_declared(seed: int) -> None:
    shop = menus.shop(random.Random(seed))
    Draft202012Validator.check_schema(shop.tool.parameters)
    for slot in (shop.item, *shop.slots):
        validator = Draft202012Validator(shop.tool.parameters["properties"][slot.key])
        assert slot.choices
        for value, forms in slot.choices:
            validator.validate(value)
            assert forms
            if slot.schema == {"type": "string"}:
                assert [form.text for form in forms] == [value]


@given(SEEDS)
@settings(max_examples=300)
def test_no_two_slots_are_said_alike(seed: int) -> None:
    shop = menus.shop(random.Random(seed))
    said = [{form.text for _, forms in slot.choices for form in forms} for slot in (shop.item, *shop.slots)]
    assert sum(map(len, said)) == len(set[str]().union(*said))
    for slot in shop.slots:
        for value, forms in slot.choices:
            others = {form.text for other, more in slot.choices if other != value for form in more}
            assert not others & {form.text for form in forms}, (value, forms)


@given(SEEDS)
@settings(max_examples=300)
def test_no_menu_has_the_slots_that_are_measured(seed: int) -> None:
    shop = menus.shop(random.Random(seed))
    properties = shop.tool.parameters["properties"]
    assert shop.item.key not in ORDER.required
    assert not set(ORDER.properties) <= set(properties)
    # A name that was put together by chance is held out with its dialogue.
    assert shop.tool.name != ORDER.name


def test_there_are_many_menus() -> None:
    rng = random.Random(0)
    drawn = [menus.shop(rng) for _ in range(400)]
    assert len(stored("menus")["menus"]) >= 20
    assert len({shop.noun for shop in drawn}) >= 40
    assert len({tuple(shop.tool.parameters["properties"]) for shop in drawn}) > 350


def test_all_kinds_of_slots_that_menus_name_are_there() -> None:
    named = {name for row in stored("menus")["menus"] for part in row["slots"].split(", ") for name in part.split("|")}
    assert named <= set(menus.pool())


def test_keys_as_words() -> None:
    assert menus.spaced("cupSize") == menus.spaced("cup_size") == "cup size"
