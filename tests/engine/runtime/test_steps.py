"""A step in parts is the step: the same ids, and only the last part is answered as the whole would be."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.sampling import Sampler
from realtime_server.engine.runtime.steps import FRAME, Decode, Step, Stream, Think, prefill

ids = st.lists(st.integers(0, 9), min_size=2, max_size=20)


@given(ids, st.lists(st.integers(1, 8), min_size=1), st.booleans())
def test_all_parts_together_are_the_whole(ids: list[int], sizes: list[int], decodes: bool) -> None:
    stream, sampler = Stream(0, []), Sampler()
    whole = Decode(stream, ids, sampler=sampler) if decodes else Think(stream, ids)
    assert whole.divisible
    assert whole.positions == len(ids)
    parts: list[Think] = []
    rest: Think | None = whole
    while rest is not None:
        part, rest = rest.split(sizes[len(parts) % len(sizes)])
        parts.append(part)
    assert [token for part in parts for token in part.ids] == ids
    assert all(part.stream is stream for part in parts)
    assert [isinstance(part, Decode) for part in parts] == [False] * (len(parts) - 1) + [decodes]
    assert not isinstance(parts[-1], Decode) or parts[-1].sampler is sampler


def test_what_is_answered_at_every_position_or_has_frames_stays_whole() -> None:
    stream = Stream(0, [])
    assert not Think(stream, [1, 2], every=True).divisible
    assert not Think(stream, [FRAME, FRAME], torch.zeros(2, 3)).divisible
    assert Think(stream, [1, FRAME], torch.zeros(1, 3)).divisible
    assert not Think(stream, [1]).divisible
    assert (Step().positions, Step().divisible) == (1, False)
    with pytest.raises(NotImplementedError):
        Step().split(1)


@given(st.lists(st.sampled_from([5, FRAME, FRAME - 7]), min_size=2, max_size=9).filter(lambda ids: 5 in ids), st.integers(1, 8))
def test_frames_go_with_their_positions(ids: list[int], size: int) -> None:
    frames = torch.arange(sum(token <= FRAME for token in ids))[:, None]
    step, read = Decode(Stream(0, []), ids, frames), list[tuple[int, int]]()
    rest: Step | None = step
    while isinstance(rest, Think):
        now, rest = rest.split(size)
        assert isinstance(now, Think) and now.frames is not None
        assert len(now.frames) == sum(token <= FRAME for token in now.ids)
        read += [(token, 0) for token in now.ids]
        frames = frames[len(now.frames) :]
    assert [token for token, _ in read] == ids
    assert not len(frames)


def test_nothing_to_read_is_no_step() -> None:
    stream = Stream(0, [])
    assert list(prefill(stream, [])) == []
    assert [step.ids for step in prefill(stream, [1, 2])] == [[1, 2]]
