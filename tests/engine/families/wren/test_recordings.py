"""The newest turns stay to be heard again, and no more of them than a prompt could hold."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.hearing import HeardTurn, Sound, Written
from realtime_server.engine.families.wren.recordings import MOST_FRAMES, Recordings, ids_of, replay
from realtime_server.engine.families.wren.script import USER
from realtime_server.engine.runtime.steps import Stream

BEFORE, WORDS = [1, 30, 31], [40, 41]


def recorded(key: str, frames: int, mark: int = -2) -> HeardTurn:
    sound = Sound([torch.arange(frames)[:, None].float()], frames)
    return HeardTurn(key, Stream(0, []), [], key, mark, sound=sound, written=Written(frames, WORDS, [], [], 0))


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
    turn = recorded("turn", frames)
    whole = BEFORE + ids_of(turn)
    stream, heard = Stream(0, whole[:there]), list[float]()
    for step in replay(stream, BEFORE, turn):
        stream.ids += step.ids
        heard += step.frames[:, 0].tolist() if step.frames is not None else []
    assert stream.ids == whole == [*BEFORE, *[-2] * frames, USER, *WORDS]
    assert heard == [float(n) for n in range(max(0, there - len(BEFORE)), frames)]


def test_no_two_turns_have_the_same_mark() -> None:
    recordings = Recordings()
    assert len({recordings.mark() for _ in range(9)}) == 9
