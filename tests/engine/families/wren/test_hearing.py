"""A turn ends where it seemed to, however long it is silent then; what is too far from what was heard is not acted on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.hearing import SEEMS_ENDED, Sound
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy.thresholds import Rejection
from realtime_server.engine.families.wren.script import NOT_UNDERSTOOD
from realtime_server.engine.families.wren.steps import Heard
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


def heard(told: list[tuple[bool, float]], sizes: list[int]) -> Sound:
    """What a turn of these frames, which came in pieces of these sizes and one more, sounded like."""
    sound = Sound()
    while told:
        size = sizes.pop() if sizes else len(told)
        part, told = told[:size], told[size:]
        letters = torch.full((2 * len(part), 3), -5.0)
        # The second of the frame's two moments, or the blank in both.
        for n, (letter, _) in enumerate(part):
            letters[2 * n, 0] = letters[2 * n + 1, 2 if letter else 0] = -0.1
        sound.add(torch.zeros(len(part), 4), Heard(torch.tensor([score for _, score in part]), letters))
    return sound


@given(frames_told, st.lists(st.integers(1, 4), max_size=6))
def test_a_turn_ends_where_it_first_seemed_to_behind_its_last_letter(told: list[tuple[bool, float]], sizes: list[int]) -> None:
    sound = heard(told, sizes)
    last = max((n for n, (letter, _) in enumerate(told) if letter), default=len(told))
    seems = [n + 1 for n, (_, score) in enumerate(told) if n > last and score > SEEMS_ENDED]
    assert sound.number == len(told)
    assert sound.end == (seems[0] if seems else len(told))


@given(frames_told, frames_told)
def test_how_long_it_is_silent_then_makes_no_difference(
    told: list[tuple[bool, float]], later: list[tuple[bool, float]]
) -> None:
    told = [(True, 0.0), *told, (False, 0.9)]
    sound, longer = heard(told, []), heard(told + [(False, score) for _, score in later], [len(told)])
    assert longer.end == sound.end
    a, b = sound.read(), longer.read()
    assert a is not None
    assert b is not None
    assert torch.equal(a, b)
