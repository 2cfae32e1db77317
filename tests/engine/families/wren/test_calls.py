"""Whatever the network says, a call's JSON is valid and fits its schema."""

import json
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.calls import CallWriter, Evidence
from realtime_server.engine.families.wren.choosing import Choice
from realtime_server.engine.families.wren.script import ARGUMENT, END, Script
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Stream
from realtime_server.training.wren import vocabulary

SCRIPT = Script(vocabulary.fit(600))
PROPERTIES: dict[str, dict[str, Any]] = {
    "size": {"type": "string", "enum": ["small", "medium", "large", "extra large"]},
    "shots": {"type": "integer", "minimum": 1, "maximum": 12},
    "iced": {"type": "boolean"},
    "name": {"type": "string", "maxLength": 20},
}


def write(
    seed: int, tools: tuple[m.Function, ...], only: str | None, evidence: Evidence | None = None,
    limit: int | None = None,
) -> list[m.Output]:  # fmt: skip
    """Drives the writer with random logits."""
    generator, outputs = torch.Generator().manual_seed(seed), list[m.Output]()
    stream = Stream(0, [])
    body = CallWriter(SCRIPT, tools, "r", outputs, Drafted(stream), evidence, limit).write(only)
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


@given(st.integers(0, 1000), st.integers(1, 40))
@settings(max_examples=60)
def test_a_call_longer_than_its_limit_is_broken_off(seed: int, limit: int) -> None:
    tool = m.Function("order", "", {"type": "object", "properties": PROPERTIES, "required": ["size", "shots"]})
    whole, cut = (write(seed, (tool,), None, limit=limit) for limit in (None, limit))
    used = sum(o.tokens for o in cut if isinstance(o, m.CallArgumentsDelta))
    assert used <= limit
    if sum(o.tokens for o in whole if isinstance(o, m.CallArgumentsDelta)) <= limit:
        assert cut == whole
        return
    assert not any(isinstance(o, m.CallDone) for o in cut)
    for told in (o.text for o in cut if isinstance(o, m.CallArgumentsDelta)):
        # A beginning of JSON, with nothing in it that the whole call has not.
        written = json.loads(told + "}")
        assert written.items() <= json.loads("".join(o.text for o in whole if isinstance(o, m.CallArgumentsDelta))).items()


def test_a_named_function_is_called() -> None:
    tools = tuple(m.Function(name, "", {}) for name in ("one", "two"))
    assert write(0, tools, "two")[0] == m.CallStarted("r", "two")


def test_an_option_may_begin_with_another() -> None:
    choice = Choice([([50], "short"), ([50, 51], "long")], (ARGUMENT, END))
    assert choice.allowed() == [50]
    assert choice.take(50) is None
    assert set(choice.allowed()) == {51, ARGUMENT, END}
    assert choice.take(END) == ("short",)
