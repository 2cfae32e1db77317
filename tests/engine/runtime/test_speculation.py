"""A draft saves steps and changes nothing else."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Stream

tokens = st.lists(st.integers(0, 3), max_size=8)


def behind(ids: list[int]) -> Tensor:
    """What a network would say: it depends on all ids."""
    return torch.tensor([hash(tuple(ids)) % 1009])


def taken(
    written: list[int], draft: list[int], back: int | None, unread: list[int] | None = None
) -> tuple[list[Tensor], list[int], int]:
    """The answers, the stream, and how many steps that took; after `back` tokens all but the first are taken back."""
    stream, steps, answers = Stream(0, [7, 7] if unread is None else [7]), 0, []
    line = Drafted(stream, draft, unread or ())
    known = [7, 7]
    for n, token in enumerate([9, *written]):
        body = line.take(token)
        try:
            step = next(body)
            before = list(stream.ids)
            stream.ids += step.ids
            steps += 1
            body.send(torch.stack([behind([*before, *step.ids[: k + 1]]) for k in range(len(step.ids))]))
        except StopIteration as end:
            answers.append(end.value)
        known.append(token)
        if n == back:
            line.back_to(3)
            del known[3:]
        assert stream.ids[: line.end] == known
    return answers, stream.ids[: line.end], steps


@given(tokens, tokens, st.none() | st.integers(0, 8))
def test_drafted_or_not_the_same_is_written(written: list[int], draft: list[int], back: int | None) -> None:
    answers, ids, steps = taken(written, draft, back)
    expected, expected_ids, expected_steps = taken(written, [], back)
    assert ids == expected_ids
    assert all(torch.equal(a, b) for a, b in zip(answers, expected, strict=True))
    common = next((n for n, (a, b) in enumerate(zip(written, draft, strict=False)) if a != b), min(len(written), len(draft)))
    saved = common if back is None else min(common, back)
    assert steps == expected_steps - saved


@given(tokens, tokens, st.none() | st.integers(0, 8))
def test_what_stands_before_is_run_with_the_first(written: list[int], draft: list[int], back: int | None) -> None:
    answers, ids, steps = taken(written, draft, back, unread=[7])
    expected, expected_ids, expected_steps = taken(written, draft, back)
    assert (ids, steps) == (expected_ids, expected_steps)
    assert all(torch.equal(a, b) for a, b in zip(answers, expected, strict=True))
