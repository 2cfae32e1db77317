"""What a call may be made of: what was said in the conversation, and what sounds like it where the turn is trusted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.grounds import grounds, said
from realtime_server.engine.families.wren.policy.rules import Answering
from realtime_server.engine.families.wren.policy.thresholds import ArgumentGrounding, Rejection
from realtime_server.engine.families.wren.recordings import Recording

LATTE = m.Message("m", "user", (m.Text("A latte."),))
WATER = m.Function("water", "", {"type": "object", "properties": {}})


def recorded(doubt: float) -> Recording:
    return Recording("m", -2, torch.zeros(0), [], "a latte", doubt=doubt)


@given(st.floats(0, 10), st.none() | st.floats(0, 10), st.floats(0, 1))
def test_what_sounds_alike_counts_as_said_where_the_turn_is_trusted(doubt: float, most: float | None, trusted: float) -> None:
    rules = Answering(rejection=Rejection(most), argument_grounding=ArgumentGrounding(trusted=trusted))
    context = m.Context("", (), (LATTE,))
    alike = said(context, {}, recorded(doubt), rules).likeness
    assert (alike is not None) == (most is None or doubt <= trusted * most)
    assert said(context, {}, None, rules).likeness is None


def test_a_call_may_change_the_last_one_of_its_function() -> None:
    arguments = ('{"size": "small"}', '{"size": "large"}', "no JSON")
    calls = [m.FunctionCall(f"c{n}", f"c{n}", "water" if n == 2 else "order", text) for n, text in enumerate(arguments)]
    items: tuple[m.ContextItem, ...] = (
        m.Message("a", "user", (m.Text("A small one, no, a large one."),)),
        *calls,
        LATTE,
    )
    found = said(m.Context("Be brief.", (), items), {}, None, Answering())
    assert found.calls == {"order": {"size": "large"}, "water": {}}
    assert {"brief", "small", "large", "latte"} <= {*found.text.split()}


def test_a_reference_is_baseless_where_nothing_was_said_before() -> None:
    items = tuple(m.Message(f"m{n}", "user", (m.Text("Make it large."),)) for n in range(2))
    assert said(m.Context("", (), items[:1]), {}, None, Answering()).baseless
    assert not said(m.Context("", (), items), {}, None, Answering()).baseless


@pytest.mark.parametrize("tools", [(), (WATER,)])
def test_only_what_a_user_said_is_held_to_facts_and_only_functions_to_what_was_said(tools: tuple[m.Function, ...]) -> None:
    asked = grounds(m.Context("The day is Monday.", tools, (LATTE,)), {}, recorded(1.0), True, Answering())
    assert asked.facts is not None
    assert (asked.facts.told, asked.facts.said) == ({"day": "monday"}, "a latte")
    assert (asked.said is not None) == bool(tools)
    assert asked.doubted
    assert asked.evidence is not None
    result = m.FunctionResult("r", "c", "{}")
    told = grounds(m.Context("", tools, (LATTE, result)), {}, None, False, Answering())
    assert (told.facts, told.said, told.evidence, told.doubted) == (None, None, None, False)
