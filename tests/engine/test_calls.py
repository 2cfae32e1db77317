"""Whatever the network says, a call's JSON is valid and fits its schema."""

import json

import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.sampling import Choice
from realtime_server.engine.wren.calls import MISHEARD, CallWriter, Evidence, Said, refers_back, spoken_name
from realtime_server.engine.wren.drafted import Drafted
from realtime_server.engine.wren.script import ARGUMENT, END, Script
from realtime_server.engine.wren.steps import Stream
from realtime_server.training.wren import vocabulary

SCRIPT = Script(vocabulary.fit(600))
PROPERTIES = {
    "size": {"type": "string", "enum": ["small", "medium", "large", "extra large"]},
    "shots": {"type": "integer", "minimum": 1, "maximum": 12},
    "iced": {"type": "boolean"},
    "name": {"type": "string", "maxLength": 20},
}


def write(
    seed: int, tools: tuple[m.Function, ...], only: str | None, evidence: Evidence | None = None, said: Said | None = None
) -> list[m.Output]:
    """Drives the writer with random logits."""
    generator, outputs = torch.Generator().manual_seed(seed), list[m.Output]()
    stream = Stream(0, [])
    body = CallWriter(SCRIPT, tools, "r", outputs, Drafted(stream), evidence, said).write(only)
    next(body)
    try:
        while True:
            body.send(torch.randn(1, SCRIPT.size, generator=generator))
    except StopIteration:
        return outputs


@given(st.integers(0, 10_000), st.sets(st.sampled_from(["size", "shots", "iced", "name"])))
@settings(max_examples=60)
def test_arguments_fit_the_schema(seed: int, required: set[str]) -> None:
    tool = m.Function("order", "", {"type": "object", "properties": PROPERTIES, "required": sorted(required)})
    other = m.Function("order_more", "", {"type": "object", "properties": {}})
    outputs = write(seed, (tool, other), None)
    assert isinstance(outputs[0], m.CallStarted)
    assert isinstance(outputs[-1], m.CallDone)
    arguments = json.loads("".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta)))
    if outputs[0].name == "order_more":
        assert arguments == {}
        return
    assert required <= set(arguments) <= set(PROPERTIES)
    assert arguments.get("size", "small") in PROPERTIES["size"]["enum"]
    assert 1 <= arguments.get("shots", 1) <= 12
    assert type(arguments.get("shots", 1)) is int
    assert type(arguments.get("iced", True)) is bool
    assert len(arguments.get("name", "")) <= 20


@given(st.integers(0, 1000), st.sampled_from(PROPERTIES["size"]["enum"]))
@settings(max_examples=30)
def test_what_the_sound_speaks_for_is_written(seed: int, said: str) -> None:
    tool = m.Function("order", "", {"type": "object", "properties": {"size": PROPERTIES["size"]}, "required": ["size"]})
    asked: set[tuple[str, str]] = set()

    def evidence(ways: list[str], function: str, parameter: str) -> list[float]:
        asked.add((function, parameter))
        return [0.0 if way.lower() == said else -100.0 for way in ways]

    outputs = write(seed, (tool,), "order", evidence)
    arguments = json.loads("".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta)))
    assert arguments == {"size": said}
    assert asked == {("order", "size")}


@given(st.integers(0, 10_000), st.sets(st.sampled_from(["size", "shots", "iced", "name"])), st.sampled_from(["large", "two"]))
@example(922, set(), "large")
@settings(max_examples=60)
def test_what_nobody_said_is_left_out_where_it_can_be(seed: int, required: set[str], text: str) -> None:
    tool = m.Function("order", "", {"type": "object", "properties": PROPERTIES, "required": sorted(required)})
    outputs = write(seed, (tool,), "order", None, Said(text))
    arguments = json.loads("".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta)))
    assert required <= set(arguments)
    # Booleans go without saying.
    left = {key: value for key, value in arguments.items() if key not in required and key != "iced"}
    assert left in ({}, {"size": "large"}) if text == "large" else left in ({}, {"shots": 2})


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
    assert Said(text, lambda ways: [nats] * len(ways))("size", [value]) == (written or nats > -MISHEARD)


def test_a_named_function_is_called() -> None:
    tools = tuple(m.Function(name, "", {}) for name in ("one", "two"))
    assert write(0, tools, "two")[0] == m.CallStarted("r", "two")


def test_an_option_may_begin_with_another() -> None:
    choice = Choice([([50], "short"), ([50, 51], "long")], (ARGUMENT, END))
    assert choice.allowed() == [50]
    assert choice.take(50) is None
    assert set(choice.allowed()) == {51, ARGUMENT, END}
    assert choice.take(END) == ("short",)


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
