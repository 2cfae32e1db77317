"""Adapters begin as nothing, alone are trained, and merged say the same as beside the weights."""

import pytest
import torch

from realtime_server.training.starling import lora
from tests.training.starling import tiny

TOKENIZER = tiny.tokenizer()
TAGS = [TOKENIZER.convert_tokens_to_ids(tag) for tag in lora.TAGS]
IDS = torch.arange(40)[None]


def trained(first_layer: int) -> tuple[torch.nn.Module, list[torch.nn.Parameter]]:
    model = tiny.model()
    parameters = lora.adapt(model, TOKENIZER, 4, first_layer)
    for parameter in parameters:
        torch.nn.init.normal_(parameter, std=0.1)
    return model, parameters


def test_adapters_begin_as_nothing() -> None:
    model = tiny.model()
    before = model(IDS).logits
    lora.adapt(model, TOKENIZER, 4)
    after = model(IDS).logits
    others = [token for token in range(after.shape[-1]) if token not in TAGS]
    assert torch.equal(after[..., others], before[..., others])


def test_tags_begin_as_what_stands_in_their_place() -> None:
    model = tiny.model()
    lora.adapt(model, TOKENIZER, 4)
    logits, end = model(torch.tensor([[*TAGS, 3]])).logits, TOKENIZER.convert_tokens_to_ids("<|im_end|>")
    torch.testing.assert_close(logits[..., TAGS[1]], logits[..., end])


@pytest.mark.parametrize("first_layer", [0, 2])
def test_only_the_adapters_are_trained(first_layer: int) -> None:
    model, parameters = trained(first_layer)
    assert len(parameters) == 2 * len(lora.LAYERS) * (tiny.LAYERS - first_layer) + 2 == len(lora.adapters(model))
    model(torch.cat([IDS, torch.tensor([TAGS])], dim=1)).logits.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in parameters)
    assert all((p.grad is None) == (not p.requires_grad) for p in model.parameters())


def test_merged_says_the_same() -> None:
    model, _ = trained(1)
    ids = torch.cat([IDS, torch.tensor([TAGS])], dim=1)
    beside = model(ids).logits
    lora.merge(model)
    assert not lora.adapters(model)
    torch.testing.assert_close(model(ids).logits, beside, rtol=1e-4, atol=1e-5)
    assert model.state_dict().keys() == tiny.model().state_dict().keys()


def test_adapters_are_loaded_where_they_fit() -> None:
    model, _ = trained(1)
    other = tiny.model()
    lora.adapt(other, TOKENIZER, 4, 1)
    lora.load(other, lora.adapters(model))
    assert torch.equal(other(IDS).logits, model(IDS).logits)
    third = tiny.model()
    lora.adapt(third, TOKENIZER, 4, 2)
    with pytest.raises(ValueError, match="do not fit"):
        lora.load(third, lora.adapters(model))
