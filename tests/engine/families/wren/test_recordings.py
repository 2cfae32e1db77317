"""The newest turns stay to be heard again, by every answer, and no more of them than a prompt could hold."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.recordings import MOST_FRAMES, Recording, Recordings, replay
from realtime_server.engine.families.wren.script import USER
from realtime_server.engine.runtime.steps import Stream
from tests.conftest import tiny_wren
from tests.engine.families.wren.test_model import run, sound, told, turn
from tests.engine.families.wren.test_script import SCRIPT

BEFORE, WORDS = [1, 30, 31], [40, 41]


def recorded(key: str, frames: int, mark: int = -2) -> Recording:
    return Recording(key, mark, torch.arange(frames)[:, None].float(), WORDS, "")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 900)), min_size=1, max_size=20))
def test_the_newest_are_kept_as_far_as_there_is_room(turns: list[tuple[int, int]]) -> None:
    recordings, lengths = Recordings(), dict[str, int]()
    for key, frames in turns:
        recordings.keep(recorded(str(key), frames))
        lengths.pop(str(key), None)
        lengths[str(key)] = frames
    room, kept = MOST_FRAMES, True
    for n, (name, frames) in enumerate(reversed(lengths.items())):
        room -= frames
        kept = kept and (n == 0 or room >= 0)
        # What was let go for a longer one does not come back.
        assert not (recordings.get(name) is not None and not kept)
    assert recordings.get(str(turns[-1][0])) is not None


@given(st.integers(0, 60), st.integers(0, 70))
def test_a_turn_stands_again_as_it_stood_whatever_of_it_stands_there(frames: int, there: int) -> None:
    recording = recorded("turn", frames)
    whole = BEFORE + recording.ids
    stream, heard = Stream(0, whole[:there]), list[float]()
    for step in replay(stream, BEFORE, recording):
        stream.ids += step.ids
        heard += step.frames[:, 0].tolist() if step.frames is not None else []
    assert stream.ids == whole == [*BEFORE, *[-2] * frames, USER, *WORDS]
    assert heard == [float(n) for n in range(max(0, there - len(BEFORE)), frames)]


def test_no_two_turns_have_the_same_mark() -> None:
    recordings = Recordings()
    assert len({recordings.mark() for _ in range(9)}) == 9


def answers(model: WrenModel, session_id: str, response_id: str, item: m.ContextItem, **context: Any) -> str:
    """The reply to this item, without sound."""
    asked = m.Context(context.pop("instructions", ""), (), (item,))
    model.run(session_id, m.Respond(response_id, asked, False, "marin", "auto", 20))
    return told(run(model), session_id)[1]


def recording(key: str, seed: int = 0) -> m.Message:
    return m.Message(key, "user", (m.Audio(sound(seed), None, key),))


@given(st.integers(0, 20))
@settings(max_examples=8)
def test_every_answer_to_a_turn_hears_it(seed: int) -> None:
    model = tiny_wren(SCRIPT)
    first = told(turn(model, "s", seed, audio=False, max_output_tokens=20), "s")[1]
    item = recording(f"item{seed}", seed)
    assert answers(model, "s", "again", item) == first
    # Whatever was answered in between, as before.
    answers(model, "s", "other", m.Message("x", "user", (m.Text("hello"),)))
    assert answers(model, "s", "late", item) == first


@pytest.mark.parametrize("live", [True, False])
def test_what_is_answered_is_heard_and_not_read(tiny_model: WrenModel, live: bool) -> None:
    """A turn under instructions of its own, and a recording that came as an item: their frames stand in the prompt."""
    if live:
        turn(tiny_model, "s", 1, audio=False)
    answers(tiny_model, "s", "r", recording("item1", 1), instructions="Your name is Robin.")
    kept = tiny_model.prefixes.kept("s")
    assert kept is not None
    heard = tiny_model._sessions["s"].recordings.get("item1")
    assert heard is not None
    start = kept.ids.index(heard.mark)
    assert len(heard.frames) > 0
    assert kept.ids[start : start + len(heard.ids)] == heard.ids


def test_frames_of_another_turn_are_never_taken_for_these(tiny_model: WrenModel) -> None:
    replies = [answers(tiny_model, "s", f"r{n}", recording(f"item{n}", n)) for n in (1, 2)]
    assert [answers(tiny_model, f"fresh{n}", "r", recording(f"item{n}", n)) for n in (1, 2)] == replies
    first, second = (tiny_model._sessions["s"].recordings.get(f"item{n}") for n in (1, 2))
    assert first is not None
    assert second is not None
    assert first.mark != second.mark


def test_what_was_heard_need_not_be_run_again(tiny_model: WrenModel) -> None:
    answers(tiny_model, "s", "first", recording("item1", 1))
    tiny_model.run("s", m.Respond("second", m.Context("", (), (recording("item1", 1),)), False, "marin", "auto", 20))
    (prompted,) = [output for _, output in run(tiny_model) if isinstance(output, m.Prompted)]
    assert prompted.cached_tokens == prompted.text_tokens - 1
