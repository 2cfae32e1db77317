"""A live turn is told as it is said: what was told stays, and drafts leave no trace. Any other is written in its pause."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from realtime_server import messages as m
from realtime_server.engine.families.wren import drafting, transcribing, writing
from realtime_server.engine.families.wren.hearing import Sound
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy.beam_search import BeamSearch, Found, Searching
from realtime_server.engine.families.wren.policy.rescoring import Rescorer
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.steps import Heard
from realtime_server.engine.runtime.steps import Think
from tests.engine.families.wren.test_model import CONTEXT, Outputs, respond, run, same, sound, told, turn

PIECES = 5
"""Of a second and a half each."""


def live_turn(model: WrenModel, seed: int, live: bool = True) -> tuple[list[m.Output], Outputs]:
    """What is told before the turn is complete, and after."""
    model.run("s", m.Listen("item", CONTEXT, live))
    before: Outputs = []
    for piece in np.split(sound(seed, 7.5), PIECES):
        model.run("s", m.Hear("item", piece))
        before += run(model)
    model.run("s", m.Commit("item"))
    model.run("s", respond("item", "resp", audio=False))
    return [output for _, output in before], run(model)


def as_it_was(_: Rescorer, words: list[int]) -> Searching[list[int]]:
    yield from ()
    return words


def words(outputs: list[m.Output]) -> str:
    return "".join(o.text for o in outputs if isinstance(o, m.TranscriptDelta))


@pytest.mark.parametrize("seed", range(4))
def test_what_was_told_stays(tiny_model: WrenModel, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Drafts of random weights have nothing in common: here each is believed a little further.
    counts = iter((2, 3, 3, 7, 7))
    monkeypatch.setattr(drafting, "agreed", lambda _, __, now: min(next(counts), len(now)))
    early, late = live_turn(tiny_model, seed)
    assert words(early)
    done = next(o for _, o in late if isinstance(o, m.TranscriptDone))
    assert (words(early) + told(late, "s")[0]).strip() == done.text
    assert sum(isinstance(o, m.TurnEnd) for o in early) == PIECES


def test_only_a_live_turn_is_told_early(tiny_model: WrenModel) -> None:
    early, late = live_turn(tiny_model, 0, live=False)
    assert not words(early)
    assert told(late, "s")[0]


def test_drafts_leave_no_trace(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever has a live turn told wants what was said, not what was meant.
    monkeypatch.setattr(Rescorer, "understood", as_it_was)
    usual = live_turn(tiny_model, 1, live=False)[1]
    drafts = []

    def never(_: Script, before: list[int], now: list[int]) -> int:
        drafts.append(now)
        return 0

    monkeypatch.setattr(drafting, "agreed", never)
    early, late = live_turn(tiny_model, 1)
    assert len(drafts) == PIECES
    assert not words(early)
    assert told(late, "s")[:2] == told(usual, "s")[:2]


def test_what_a_search_finds_is_what_was_said(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    script, said = tiny_model.script, "say the apple"
    first = script.encode("clear zebra apple water")

    def as_told(*_: Any, **__: Any) -> Generator[Think, Any, tuple[list[int], list[float]]]:
        yield from ()
        return first, [*[-0.01] * (len(first) - 1), -1.0]

    def found(_: Rescorer, behind: Sequence[tuple[int, float]]) -> Searching[list[Found]]:
        yield from ()
        sure = [token for token, _ in behind]
        assert sure == first[: len(sure)]
        assert 0 < len(sure) < len(first)
        return [Found(script.encode(said), [0.0] * len(script.encode(said)), 0.0)]

    monkeypatch.setattr(transcribing, "written", as_told)
    monkeypatch.setattr(Rescorer, "likeliest", found)
    monkeypatch.setattr(Rescorer, "understood", as_it_was)
    outputs = turn(tiny_model, "a", 1)
    assert told(outputs, "a")[0] == said


def test_a_turn_that_ends_breaks_its_draft_off(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever a whole draft says would be told.
    monkeypatch.setattr(drafting, "agreed", lambda _, __, now: len(now))
    tiny_model.run("s", m.Listen("item", CONTEXT, True))
    tiny_model.run("s", m.Hear("item", sound(0)))
    for _ in range(4):
        tiny_model.step()
    turn = tiny_model._sessions["s"].turns["item"]
    in_draft = len(turn.stream.ids) - turn.sound.number - len(turn.context_ids)
    assert in_draft > 0
    tiny_model.run("s", m.Commit("item"))
    # One step ends the draft, and the next takes in what is left of the sound where the draft stood.
    tiny_model.step()
    assert len(turn.stream.ids) <= turn.sound.number + len(turn.context_ids) + in_draft
    outputs = [o for _, o in run(tiny_model)]
    assert turn.draft.told == []
    assert sum(isinstance(o, m.TranscriptDone) for o in outputs) == 1
    kinds = [type(o) for o in outputs]
    assert all(b is not m.TurnEnd for a, b in pairwise(kinds) if a is m.TranscriptDone)


FRAMES = 30


@given(seed=st.integers(0, 20), spoken=st.lists(st.booleans(), min_size=FRAMES, max_size=FRAMES), pieces=st.integers(1, 5))
@example(0, [True] * 20 + [False] * 10, 1)
@example(0, [True] * 10 + [False] * 10 + [True] * 4 + [False] * 6, 5)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_in_a_pause_stands_and_saves_the_wait(
    tiny_model: WrenModel, seed: int, spoken: list[bool], pieces: int
) -> None:
    add = Sound.add

    def heard(so_far: Sound, frames: Tensor, told: Heard) -> None:
        """Letters in some of the frames; a frame without any may be the end."""
        letters, silent = told.letters.clone(), torch.ones(len(frames))
        for n in range(len(frames)):
            number = so_far.number + n
            said = number < FRAMES and spoken[number]
            letters[2 * n : 2 * n + 2, 0] = -50.0 if said else 50.0
            silent[n] = not said
        add(so_far, frames, Heard(silent, letters))

    def turn(*sounds: np.ndarray) -> tuple[tuple[str, str, np.ndarray], int, int]:
        """What was told, and the steps between the turn's end and its transcript, and the whole reply."""
        tiny_model.run("s", m.Listen("item", CONTEXT, False))
        for piece in sounds[:-1]:
            tiny_model.run("s", m.Hear("item", piece))
            run(tiny_model)
        tiny_model.run("s", m.Hear("item", sounds[-1]))
        tiny_model.run("s", m.Commit("item"))
        tiny_model.run("s", respond("item", "resp", max_output_tokens=None))
        outputs: Outputs = []
        waits = list[int]()
        for steps in range(2000):
            step = tiny_model.step()
            if step is None:
                tiny_model.end("s")
                return told(outputs, "s"), waits[0], steps
            outputs += step
            waits += [steps for _, output in step if isinstance(output, m.TranscriptDone)]
        raise AssertionError("never ends")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sound, "add", heard)
        # Not by a limit on tokens: words that come sooner would leave less of it for the sound.
        patch.setattr(writing, "LONGEST_REPLY", 3)
        # Random weights are never sure of a word.
        rules = replace(tiny_model.policy.transcribing, beam_search=BeamSearch(beam=1))
        tiny_model.policy = replace(tiny_model.policy, transcribing=rules)
        whole = sound(seed, FRAMES * 0.08)
        said, waited, steps = turn(whole)
        drafted, waited_less, steps_less = turn(*np.split(whole, pieces), whole[:0])
    assert same(drafted, said)
    if True in spoken and not any(spoken[-2:]):
        assert waited_less < waited
        assert steps_less < steps


@pytest.mark.parametrize("live", [False, True])
def test_a_turn_that_is_too_long_fails_when_it_is_complete(
    tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    monkeypatch.setattr(transcribing, "LONGEST_TURN", 20)
    whole = np.concatenate([sound(n) for n in range(4)])
    said = (m.Message("item", "user", (m.Audio(whole, None, "item"),)),)
    tiny_model.run("s", m.Listen("item", CONTEXT, live))
    for n in range(4):
        tiny_model.run("s", m.Hear("item", sound(n)))
        assert not [o for _, o in run(tiny_model) if isinstance(o, m.TranscriptDone | m.TranscriptFailed)]
    tiny_model.run("s", m.Commit("item"))
    (failed,) = [o for _, o in run(tiny_model) if isinstance(o, m.TranscriptDone | m.TranscriptFailed)]
    assert isinstance(failed, m.TranscriptFailed)
    assert f"{transcribing.LONGEST_TURN_S} s" in failed.message
    assert ended(tiny_model, *said) == "context_length_exceeded"
    # Behind it the conversation goes on.
    assert ended(tiny_model, *said, m.Message("next", "user", (m.Text("hello"),))) is None


def ended(model: WrenModel, *items: m.ContextItem) -> str | None:
    """With which code an answer to these failed."""
    model.run("s", m.Respond(f"resp{len(items)}", m.Context("", (), items), False, "marin", "auto", None))
    (answer,) = [o for _, o in run(model) if isinstance(o, m.ResponseFinished | m.ResponseFailed)]
    return answer.code if isinstance(answer, m.ResponseFailed) else None


def test_an_answer_to_what_is_heard_too_long_fails_however_early_it_is_asked_for(
    tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcribing, "LONGEST_TURN", 20)
    tiny_model.run("s", m.Listen("item", CONTEXT))
    tiny_model.run("s", m.Hear("item", sound(0, 4.0)))
    tiny_model.run("s", m.Commit("item"))
    assert ended(tiny_model, m.Message("item", "user", (m.Audio(sound(0, 4.0), None, "item"),))) == "context_length_exceeded"


def test_what_was_not_heard_to_its_end_is_heard_by_the_next_answer(tiny_model: WrenModel) -> None:
    item = m.Message("item", "user", (m.Audio(sound(1), None, "item"),))
    tiny_model.run("s", m.Respond("first", m.Context("", (), (item,)), False, "marin", "auto", None))
    tiny_model.step()
    tiny_model.run("s", m.Cancel("first"))
    tiny_model.run("s", m.Respond("second", m.Context("", (), (item,)), False, "marin", "auto", None))
    assert any(isinstance(o, m.TranscriptDone) for _, o in run(tiny_model))
