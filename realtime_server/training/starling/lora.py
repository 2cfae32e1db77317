"""Low-rank adaptation (Hu et al., 2021): a product of two narrow layers is added to each frozen one, and later merged."""

from typing import Any

import torch
from torch import Tensor, nn

LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Adapted(nn.Module):
    """[..., in] -> [..., out]: the frozen layer plus `scale * up(down(x))`, which begins at zero."""

    def __init__(self, layer: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.layer, self.scale = layer.requires_grad_(False), scale
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        low = nn.functional.linear(x, self.down.to(x.dtype))
        return self.layer(x) + nn.functional.linear(low, self.up.to(x.dtype) * self.scale)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """The layer with the product added to its weights."""
        added = self.up.float() @ self.down.float() * self.scale
        self.layer.weight.copy_(self.layer.weight.float() + added)
        return self.layer


def adapt(model: Any, rank: int, first_layer: int = 0, scale: float = 2.0) -> list[nn.Parameter]:
    """From `first_layer` on every linear layer of `LAYERS` is adapted, everything else frozen: the parameters to train."""
    model.requires_grad_(False)
    for module in list(model.model.layers[first_layer:].modules()):
        for name, layer in list(module.named_children()):
            if name in LAYERS and isinstance(layer, nn.Linear):
                setattr(module, name, Adapted(layer, rank, scale))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def adapters(model: nn.Module) -> dict[str, Tensor]:
    """The trained tensors by name."""
    return {name: p.detach() for name, p in model.named_parameters() if name.endswith((".down", ".up"))}


def load(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    own = adapters(model)
    if own.keys() != tensors.keys():
        raise ValueError(f"these adapters do not fit the model: {sorted(own.keys() ^ tensors.keys())[:4]}")
    for name, tensor in tensors.items():
        own[name].copy_(tensor)


def merge(model: nn.Module) -> None:
    """The adapted layers are plain ones again, with what was learned inside."""
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, Adapted):
                setattr(module, name, layer.merged())
