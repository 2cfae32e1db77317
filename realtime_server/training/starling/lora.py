"""Low-rank adaptation (Hu et al., 2021): a product of two narrow layers is added to each frozen one, and later merged.

Of the embedding and of the head single rows are trained, those of the tokens that open and close a call: in
Qwen2.5-Coder-0.5B-Instruct they are what all tokens are that nothing was ever trained on, so that no adapter can make
them likelier than these.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

Beside = dict[str, tuple[Tensor, Tensor]]
"""Layers by name, and what was learned beside each: down [rank, in], up [out, rank]."""
LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TAGS = {"<tool_call>": ('{"', " tool call"), "</tool_call>": ("<|im_end|>", " end")}
"""Tokens to be taught, with texts whose rows they begin with: in the head what the untuned model writes there, in the embedding
what comes near in meaning."""


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
    def merged(self) -> nn.Module:
        """The layer with the product added to its weights."""
        down, up = self.beside()
        self.layer.weight.copy_(self.layer.weight.float() + up @ down)
        return self.layer

    @torch.no_grad()
    def beside(self) -> tuple[Tensor, Tensor]:
        """The product's halves, the scale in the second."""
        return self.down.float(), self.up.float() * self.scale


class _Taught(nn.Module):
    """A frozen table of a row per token, of which `rows` [tokens, hidden] stand for some."""

    def __init__(self, layer: Any, tokens: list[int], like: list[list[int]]) -> None:
        super().__init__()
        self.layer, self.tokens = layer.requires_grad_(False), tokens
        self.rows = nn.Parameter(torch.stack([layer.weight[ids].float().mean(0) for ids in like]))

    @torch.no_grad()
    def merged(self) -> nn.Module:
        """The table with these rows; a copy, for embedding and head may have been one."""
        weight = self.layer.weight.clone()
        weight[self.tokens] = self.rows.to(weight.dtype)
        self.layer.weight = nn.Parameter(weight, requires_grad=False)
        return self.layer


class TaughtHead(_Taught):
    """[..., hidden] -> [..., vocabulary]."""

    def forward(self, x: Tensor) -> Tensor:
        own = nn.functional.linear(x, self.rows.to(x.dtype))
        return self.layer(x).index_copy(-1, torch.tensor(self.tokens, device=x.device), own)


class TaughtEmbedding(_Taught):
    """[...] of token ids -> [..., hidden]."""

    def forward(self, ids: Tensor) -> Tensor:
        result = self.layer(ids)
        for token, row in zip(self.tokens, self.rows, strict=True):
            result = torch.where((ids == token)[..., None], row.to(result.dtype), result)
        return result


def adapt(
    model: Any, tokenizer: PreTrainedTokenizerBase, rank: int, first_layer: int = 0, scale: float = 2.0
) -> list[nn.Parameter]:
    """From `first_layer` on every linear layer of `LAYERS` is adapted, and `TAGS` are taught, everything else is frozen: the
    parameters to train."""
    model.requires_grad_(False)
    for module in list(model.model.layers[first_layer:].modules()):
        for name, layer in list(module.named_children()):
            if name in LAYERS and isinstance(layer, nn.Linear):
                setattr(module, name, Adapted(layer, rank, scale))

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    tokens = [ids(tag)[0] for tag in TAGS]
    model.lm_head = TaughtHead(model.lm_head, tokens, [ids(head) for head, _ in TAGS.values()])
    model.model.embed_tokens = TaughtEmbedding(model.model.embed_tokens, tokens, [ids(meant) for _, meant in TAGS.values()])
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def adapters(model: nn.Module) -> dict[str, Tensor]:
    """The trained tensors by name."""
    return {name: p.detach() for name, p in model.named_parameters() if name.endswith((".down", ".up", ".rows"))}


def load(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    own = adapters(model)
    if own.keys() != tensors.keys():
        raise ValueError(f"these adapters do not fit the model: {sorted(own.keys() ^ tensors.keys())[:4]}")
    for name, tensor in tensors.items():
        own[name].copy_(tensor)


def merge(model: Any, keep: tuple[str, ...] = ()) -> Beside:
    """All layers are plain ones again, with what was learned inside; but of those whose names have one of `keep` in them it is
    returned: by their names, down [rank, in] and up [out, rank]."""
    beside: Beside = {}
    for path, module in list(model.named_modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, Adapted) and any(part in path for part in keep):
                beside[f"{path}.{name}"] = layer.beside()
                setattr(module, name, layer.layer)
            elif isinstance(layer, (Adapted, _Taught)):
                setattr(module, name, layer.merged())
    model.config.tie_word_embeddings = False
    return beside
