"""Packed layers give nearly what the plain ones give, alike for a row by itself and among others, from memory and from a file."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from realtime_server.engine.nets import packed
from realtime_server.engine.nets.packed import GROUP, PackedEmbedding, PackedLinear, Packing, fill, kept, pack

MISSED = 0.05 if torch.cpu.get_capabilities().get("avx512_vnni", False) else 0.1
"""Of random networks' logits, by how finely this processor takes the inputs."""
SEEDS = st.integers(0, 2**31)


def weights(seed: int, out: int, groups: int) -> Tensor:
    """Outputs, groups and single weights of very different sizes."""
    random = torch.Generator().manual_seed(seed)
    sizes = torch.rand(out, 1, 1, generator=random) * 3 * torch.rand(1, groups, 1, generator=random)
    return (torch.randn(out, groups, GROUP, generator=random) * sizes).flatten(1)


@given(SEEDS, st.integers(1, 9), st.integers(1, 4))
@settings(max_examples=30)
def test_eight_bits_miss_no_weight_by_more_than_half_a_step(seed: int, out: int, groups: int) -> None:
    weight = weights(seed, out, groups)
    whole, scale = packed.quantised8(weight)
    assert ((whole * scale[:, None] - weight).abs() <= scale[:, None] * 0.501).all()


@given(SEEDS, st.integers(1, 9), st.sampled_from([2, 4, 6]))
@settings(max_examples=30)
def test_four_bits_are_eight_bit_values_with_fewer_errors_than_one_step_for_all(seed: int, out: int, groups: int) -> None:
    weight = weights(seed, out, groups)
    values, steps, scale = packed.quantised4(weight)
    wide = packed.widened(values, steps)
    assert torch.equal(wide.float(), (values.float().unflatten(1, (-1, GROUP)) * steps[..., None].float()).flatten(1))
    assert torch.equal(packed.signed(packed.nibbles(values)), values)
    assert torch.equal(packed.unsigned(packed.nibbles(steps)), steps)
    coarse = weight.abs().amax(1, keepdim=True) / 7.5
    of_rows = ((weight / coarse).round().clamp(-8, 7) * coarse - weight).square().sum()
    assert (wide * scale[:, None] - weight).square().sum() <= of_rows * 1.0001


@pytest.mark.parametrize("fast", [True, False])
@given(seed=SEEDS, rows=st.integers(1, 6), biased=st.booleans())
@settings(max_examples=30)
def test_a_row_is_the_same_by_itself_and_beside_any_other(fast: bool, seed: int, rows: int, biased: bool) -> None:
    weight, random = weights(seed, 24, 2), torch.Generator().manual_seed(seed)
    bias = torch.randn(24, generator=random) if biased else None
    # Some rows are a thousand times as large as others: they share no scale.
    x = torch.randn(rows, 64, generator=random) * 10 ** (torch.rand(rows, 1, generator=random) * 3)
    with pytest.MonkeyPatch.context() as patch:
        if not fast:
            patch.setattr(packed, "_fast", lambda *_: None)
        layer = PackedLinear(*packed.quantised8(weight), bias)
    together, plain = layer(x), nn.functional.linear(x, weight, bias)
    for row, alone in enumerate(x):
        # The fallback sums floats, in an order that may depend on how many rows there are.
        assert torch.allclose(
            layer(alone[None])[0], together[row], rtol=0 if fast else 1e-4, atol=0 if fast else 1e-4 * float(alone.abs().max())
        )
    missed = (together - plain).norm(dim=1) / (x.norm(dim=1) * weight.norm())
    assert float(missed.max()) < 0.02
    assert layer(torch.zeros(2, 64)).abs().max() == (0 if bias is None else bias.abs().max())


def test_without_vnni_no_sum_of_two_products_overflows_sixteen_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    layer = PackedLinear(torch.full((8, 64), 127, dtype=torch.int8), torch.ones(8))
    assert 2 * packed.LARGEST * (2 * 63 + 1) <= 2**15 - 1
    assert torch.allclose(layer(torch.ones(1, 64)), torch.full((1, 8), 127.0 * 64))


def test_an_embedding_is_its_rows() -> None:
    rows = weights(0, 10, 1)
    embedding = PackedEmbedding(*packed.quantised8(rows))
    ids = torch.tensor([[3, 1], [9, 3]])
    assert torch.allclose(embedding(ids), rows[ids], atol=float(rows.abs().max()) / 127)


def tiny(tie: bool) -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=97, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.2, tie_word_embeddings=tie,
    )  # fmt: skip
    made: Any = Qwen2ForCausalLM(config)
    return made.eval()


def logits(model: Any) -> Tensor:
    with torch.inference_mode():
        told: Tensor = model(torch.arange(1, 30)[None]).logits.float()
    return told


def file_of(model: Any, packing: Packing, tie: bool) -> dict[str, Tensor]:
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Embedding)]
    tensors = {n: p.data.bfloat16() for n, p in model.named_parameters() if n.removesuffix(".weight") not in layers}
    for name in layers:
        if not (tie and name == "lm_head"):
            tensors |= packing.keep(name, model.get_submodule(name).weight.data)
    return tensors


@pytest.mark.parametrize("tie", [True, False])
def test_a_packed_model_says_what_the_plain_one_says(tie: bool) -> None:
    plain = logits(tiny(tie))
    model = pack(tiny(tie))
    assert sum(isinstance(module, PackedLinear) for module in model.modules()) == 2 * 7 + 1
    assert (logits(model) - plain).norm() / plain.norm() < MISSED


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_a_file_fills_a_model_of_the_same_shape(tie: bool, dtype: torch.dtype | None) -> None:
    from transformers import Qwen2ForCausalLM

    model, packing = tiny(tie), Packing(("mlp",))
    tensors = file_of(model, packing, tie)
    assert sum(name.endswith(".weight4") for name in tensors) == 2 * 3
    for name, module in list(model.named_modules()):
        held = kept(tensors, name)
        if held is not None:
            module.weight = nn.Parameter(held[0] * held[1][:, None])
    if tie:
        model.lm_head.weight = model.model.embed_tokens.weight
    with torch.device("meta"):
        empty = Qwen2ForCausalLM(model.config)
    filled = fill(empty, tensors, dtype)
    expected = logits(model)
    assert (logits(filled) - expected).norm() / expected.norm() < MISSED
    assert filled.dtype == (dtype or torch.float32)


def test_what_a_file_lacks_is_named() -> None:
    from transformers import Qwen2ForCausalLM

    model = tiny(False)
    tensors = file_of(model, Packing(), False)
    del tensors["model.layers.1.mlp.up_proj.weight8"]
    with torch.device("meta"):
        empty = Qwen2ForCausalLM(model.config)
    with pytest.raises(KeyError, match="up_proj"):
        fill(empty, tensors)


def test_an_embedding_may_have_rows_that_the_head_does_not_share() -> None:
    from transformers import Qwen2ForCausalLM

    model = tiny(True)
    tensors, own = file_of(model, Packing(), True), torch.randn(2, 64)
    apart = {"model.embed_tokens.own_rows": torch.tensor([3, 5], dtype=torch.int32), "model.embed_tokens.own": own}
    with torch.device("meta"):
        empty = [Qwen2ForCausalLM(model.config) for _ in range(2)]
    filled, shared = (fill(one, held) for one, held in zip(empty, (tensors | apart, tensors), strict=True))
    ids, x = torch.tensor([3, 4, 5]), torch.randn(3, 64)
    expected = torch.stack([own[0], model.model.embed_tokens.weight.data[4], own[1]])
    assert torch.allclose(filled.get_input_embeddings()(ids), expected, atol=0.03)
    assert torch.equal(filled.get_output_embeddings()(x), shared.get_output_embeddings()(x))


def test_what_was_learned_beside_a_layer_is_added() -> None:
    from transformers import Qwen2ForCausalLM

    model, name = tiny(False), "model.layers.1.mlp.up_proj"
    tensors, beside = file_of(model, Packing(("mlp",)), False), (torch.randn(3, 64), torch.randn(128, 3))
    pair = packed.keep_beside(name, beside)
    for dtype in (None, torch.float32):
        with torch.device("meta"):
            empty = [Qwen2ForCausalLM(model.config) for _ in range(2)]
        without, beside_it = (
            fill(one, held, dtype).get_submodule(name) for one, held in zip(empty, (tensors, tensors | pair), strict=True)
        )
        x = torch.randn(5, 64)
        expected = x @ beside[0].T @ beside[1].T
        assert (beside_it(x) - without(x) - expected).norm() < 0.02 * expected.norm()
