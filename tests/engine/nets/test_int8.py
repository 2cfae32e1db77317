"""A row of an 8-bit layer is nearly what floats give, and its neighbours change nothing for it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from realtime_server.engine.nets.int8 import Int8Linear, floats, packs, quantized

needs_kernels = pytest.mark.skipif(not packs(), reason="this machine's torch has no packed kernels")


def layers(inputs: int, outputs: int, bias: bool = True) -> tuple[nn.Linear, Int8Linear]:
    torch.manual_seed(inputs * outputs)
    plain, packed = nn.Linear(inputs, outputs, bias=bias), Int8Linear(inputs, outputs, bias=bias)
    weight, scale = quantized(plain.weight.detach())
    state = {"weight": weight, "scale": scale, **({"bias": plain.bias.detach()} if bias else {})}
    packed.load_state_dict(state)
    plain.load_state_dict(floats(state))
    return plain, packed


@needs_kernels
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.booleans())
def test_it_is_nearly_the_layer_of_floats(inputs: int, outputs: int, rows: int, bias: bool) -> None:
    plain, packed = layers(inputs, outputs, bias)
    x = torch.randn(rows, inputs)
    # Each input is off by up to half a step of its row's scale.
    most = x.abs().amax(1, keepdim=True) * plain.weight.abs().sum(1) / 127
    assert ((packed(x) - plain(x)).abs() <= most + 1e-5).all()


@needs_kernels
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6))
def test_neighbours_change_nothing(sizes: list[float]) -> None:
    _, packed = layers(24, 16)
    x = torch.randn(len(sizes), 24) * torch.tensor([10.0**size for size in sizes])[:, None]
    assert torch.equal(packed(x), torch.cat([packed(row[None]) for row in x]))


@needs_kernels
def test_nothing_gives_the_bias() -> None:
    plain, packed = layers(8, 4)
    assert torch.equal(packed(torch.zeros(2, 3, 8)), plain.bias.detach().expand(2, 3, 4))


@given(st.integers(1, 30), st.integers(1, 30))
def test_weights_are_off_by_half_a_step_at_most(inputs: int, outputs: int) -> None:
    weight = torch.randn(outputs, inputs)
    integers, scale = quantized(weight)
    assert ((integers * scale[:, None] - weight).abs() <= scale[:, None] * 0.5001).all()


def test_rows_are_the_weights() -> None:
    plain, packed = layers(8, 4, bias=False)
    assert torch.allclose(packed.rows(torch.tensor([[2, 0]])), plain.weight[[2, 0]][None])


def test_only_what_is_quantized_is_made_floats() -> None:
    state = {
        "a.weight": torch.tensor([[2], [4]], dtype=torch.int8),
        "a.scale": torch.tensor([0.5, 2.0]),
        "b": torch.ones(3).half(),
    }
    made = floats(state)
    assert made.keys() == {"a.weight", "b"}
    assert made["a.weight"].tolist() == [[1.0], [8.0]]
    assert made["b"].dtype == torch.float32
