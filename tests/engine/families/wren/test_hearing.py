"""A turn ends where it seemed to, however long it is silent then; what is too far from what was heard is not acted on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.hearing import SEEMS_ENDED, HeardTurn
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy.grounds import Rejection
from realtime_server.engine.families.wren.script import NOT_UNDERSTOOD
from realtime_server.engine.families.wren.steps import Heard
from realtime_server.engine.runtime.steps import Stream
from tests.engine.families.wren.test_model import run, sound, told, turn

frames_told = st.lists(st.tuples(st.booleans(), st.floats(0.0, 1.0, width=32)), max_size=12)
"""Of each frame: was a letter heard, and the score that the turn has ended."""
WATER = m.Function("water", "", {"type": "object", "properties": {}})


@pytest.fixture
def most_doubt(tiny_model: WrenModel, request: pytest.FixtureRequest) -> None:
    answering = replace(tiny_model.policy.answering, rejection=Rejection(request.param))
    tiny_model.policy = replace(tiny_model.policy, answering=answering)


@pytest.mark.parametrize("most_doubt", [-1.0], indirect=True)
@pytest.mark.usefixtures("unsearched", "most_doubt")
def test_a_doubted_turn_is_refused_however_its_audio_came(tiny_model: WrenModel) -> None:
    at_once, in_pieces = turn(tiny_model, "a", 1), turn(tiny_model, "b", 1, (700, 9000))
    heard, text, spoken = told(at_once, "a")
    assert heard
    assert text == NOT_UNDERSTOOD
    assert len(spoken)
    assert told(in_pieces, "b")[:2] == (heard, text)
    context = m.Context("", (), (m.Message("whole", "user", (m.Audio(sound(1), None, "whole"),)),))
    tiny_model.run("c", m.Respond("r", context, False, "marin", "auto", None))
    late, text, _ = told(run(tiny_model), "c")
    assert late
    assert text == NOT_UNDERSTOOD
    written = m.Context("", (), (m.Message("x", "user", (m.Text("hello"),)),))
    tiny_model.run("d", m.Respond("r", written, False, "marin", "auto", 30))
    assert told(run(tiny_model), "d")[1] != NOT_UNDERSTOOD


@pytest.mark.parametrize("most_doubt", [float("inf"), None], indirect=True)
@pytest.mark.usefixtures("most_doubt")
def test_without_doubt_it_answers(tiny_model: WrenModel) -> None:
    assert told(turn(tiny_model, "a", 1), "a")[1] != NOT_UNDERSTOOD


@pytest.mark.parametrize("most_doubt", [-1.0], indirect=True)
@pytest.mark.usefixtures("most_doubt")
def test_a_call_that_is_demanded_is_made(tiny_model: WrenModel) -> None:
    items = (m.Message("whole", "user", (m.Audio(np.zeros(24_000, np.int16), None, "whole"),)),)
    tiny_model.run("a", m.Respond("r", m.Context("", (WATER,), items), False, "marin", "required", None))
    assert any(isinstance(output, m.CallStarted) for _, output in run(tiny_model))


@pytest.mark.parametrize(("most_doubt", "trusted"), [(None, 9.0), (2.0, 1.0)], indirect=["most_doubt"])
@pytest.mark.usefixtures("most_doubt")
def test_what_sounds_alike_counts_as_said_where_the_turn_is_trusted(tiny_model: WrenModel, trusted: float) -> None:
    tiny_model.run("s", m.Cancel("r"))
    context = m.Context("", (), (m.Message("m", "user", (m.Text("A latte."),)),))
    heard = HeardTurn("m", Stream(0, []), [], "m", doubt=trusted)
    assert tiny_model._said("s", context, heard).likeness is not None
    assert tiny_model._said("s", context, None).likeness is None


@pytest.mark.parametrize("most_doubt", [2.0], indirect=True)
@pytest.mark.usefixtures("most_doubt")
def test_in_a_doubted_turn_nothing_counts_as_said_that_only_sounds_alike(tiny_model: WrenModel) -> None:
    tiny_model.run("s", m.Cancel("r"))
    context = m.Context("", (), (m.Message("m", "user", (m.Text("A latte."),)),))
    assert tiny_model._said("s", context, HeardTurn("m", Stream(0, []), [], "m", doubt=1.5)).likeness is None


def test_a_call_may_change_the_last_one_of_its_function(tiny_model: WrenModel) -> None:
    tiny_model.run("s", m.Cancel("r"))
    arguments = ('{"size": "small"}', '{"size": "large"}', "no JSON")
    calls = [m.FunctionCall(f"c{n}", f"c{n}", "water" if n == 2 else "order", text) for n, text in enumerate(arguments)]
    items: tuple[m.ContextItem, ...] = (
        m.Message("a", "user", (m.Text("A small one, no, a large one."),)),
        *calls,
        m.Message("b", "user", (m.Text("A latte."),)),
    )
    said = tiny_model._said("s", m.Context("Be brief.", (), items), None)
    assert said.calls == {"order": {"size": "large"}, "water": {}}
    assert {"brief", "small", "large", "latte"} <= {*said.text.split()}


def heard_turn(told: list[tuple[bool, float]], sizes: list[int]) -> HeardTurn:
    """A turn of these frames, which came in pieces of these sizes and one more."""
    turn = HeardTurn("m", Stream(0, []), [], "m")
    while told:
        size = sizes.pop() if sizes else len(told)
        part, told = told[:size], told[size:]
        letters = torch.full((2 * len(part), 3), -5.0)
        # The second of the frame's two moments, or the blank in both.
        for n, (letter, _) in enumerate(part):
            letters[2 * n, 0] = letters[2 * n + 1, 2 if letter else 0] = -0.1
        turn.sound.add(torch.zeros(len(part), 4), Heard(torch.tensor([score for _, score in part]), letters))
    return turn


@given(frames_told, st.lists(st.integers(1, 4), max_size=6))
def test_a_turn_ends_where_it_first_seemed_to_behind_its_last_letter(told: list[tuple[bool, float]], sizes: list[int]) -> None:
    turn = heard_turn(told, sizes)
    last = max((n for n, (letter, _) in enumerate(told) if letter), default=len(told))
    seems = [n + 1 for n, (_, score) in enumerate(told) if n > last and score > SEEMS_ENDED]
    assert turn.sound.number == len(told)
    assert turn.sound.end == (seems[0] if seems else len(told))


@given(frames_told, frames_told)
def test_how_long_it_is_silent_then_makes_no_difference(
    told: list[tuple[bool, float]], later: list[tuple[bool, float]]
) -> None:
    told = [(True, 0.0), *told, (False, 0.9)]
    turn, longer = heard_turn(told, []), heard_turn(told + [(False, score) for _, score in later], [len(told)])
    assert longer.sound.end == turn.sound.end
    a, b = turn.sound.read(), longer.sound.read()
    assert a is not None
    assert b is not None
    assert torch.equal(a, b)
