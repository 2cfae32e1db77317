"""Adapters begin as nothing, alone are trained, and merged say the same as beside the weights."""

import pytest
import torch

from realtime_server.training.starling import lora
from tests.training.starling import tiny

IDS = torch.arange(40)[None]


def trained(first_layer: int) -> tuple[torch.nn.Module, list[torch.nn.Parameter]]:
    model = tiny.model()
    parameters = lora.adapt(model, 4, first_layer)
    for parameter in parameters:
        torch.nn.init.normal_(parameter, std=0.1)
    return model, parameters


def test_adapters_begin_as_nothing() -> None:
    model = tiny.model()
    before = model(IDS).logits
    lora.adapt(model, 4)
    assert torch.equal(model(IDS).logits, before)


@pytest.mark.parametrize("first_layer", [0, 2])
def test_only_the_adapters_are_trained(first_layer: int) -> None:
    model, parameters = trained(first_layer)
    assert len(parameters) == 2 * len(lora.LAYERS) * (tiny.LAYERS - first_layer) == len(lora.adapters(model))
    model(IDS).logits.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in parameters)
    assert all((p.grad is None) == (not p.requires_grad) for p in model.parameters())


def test_merged_says_the_same() -> None:
    model, _ = trained(1)
    beside = model(IDS).logits
    lora.merge(model)
    assert not lora.adapters(model)
    torch.testing.assert_close(model(IDS).logits, beside, rtol=1e-4, atol=1e-5)
    assert model.state_dict().keys() == tiny.model().state_dict().keys()


def test_adapters_are_loaded_where_they_fit() -> None:
    model, _ = trained(1)
    other = tiny.model()
    lora.adapt(other, 4, 1)
    lora.load(other, lora.adapters(model))
    assert torch.equal(other(IDS).logits, model(IDS).logits)
    third = tiny.model()
    lora.adapt(third, 4, 2)
    with pytest.raises(ValueError, match="do not fit"):
        lora.load(third, lora.adapters(model))
