"""The optimizer of the layers' matrices."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.wren.muon import Muon, orthogonal

SHAPES = ((12, 5), (5, 12), (8, 8))


@given(st.sampled_from(SHAPES), st.integers(0, 100), st.floats(1e-3, 1e3))
def test_an_update_moves_in_all_directions_alike(shape: tuple[int, int], seed: int, scale: float) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    # One that a change of scale alone cannot make so: its singular values are at most 20 times as large as one another.
    values = torch.linalg.svdvals(matrix)
    if values.max() < 20 * values.min():
        found = torch.linalg.svdvals(orthogonal(scale * matrix))
        assert ((found > 0.6) & (found < 1.3)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_it_does_what_torch_does_in_half_precision(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Parameter(torch.randn(shape)), torch.nn.Parameter(torch.zeros(shape))
    theirs.data.copy_(ours.data)
    half = Muon([ours], 0.01, 0.1, half=True)
    library = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        half.step()
        library.step()
    assert torch.allclose(ours, theirs, atol=1e-3)


def test_it_goes_on_where_it_was_saved() -> None:
    def walk(matrix: torch.nn.Parameter, optimizer: Muon, steps: range) -> None:
        for step in steps:
            matrix.grad = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
            optimizer.step()

    at_once, in_two = torch.nn.Parameter(torch.ones(4, 6)), torch.nn.Parameter(torch.ones(4, 6))
    walk(at_once, Muon([at_once], 0.01, 0.0, half=False), range(4))
    first, second = (Muon([in_two], 0.01, 0.0, half=False) for _ in range(2))
    walk(in_two, first, range(2))
    second.load_state_dict(first.state_dict())
    walk(in_two, second, range(2, 4))
    assert torch.equal(at_once, in_two)
