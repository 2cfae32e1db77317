"""Linear layers with weights of 8 or 4 bits, for a CPU that decodes row by row: what limits it is how many bytes it reads.

Weights of 8 bits have one scale for each output. Those of 4 bits have in addition a whole multiplier, 1 to 15, for each GROUP
of inputs: value times multiplier is an 8-bit value, so that both compute alike, and 4 bits are only a way of keeping them.
Inputs are quantised row by row, as integers are summed exactly: a row's result does not depend on the rows beside it.

A layer may have a low-rank pair beside it, in float: what was learned on top of weights that were rounded before (QLoRA,
Dettmers et al., 2023) and would be lost if they were rounded again.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

GROUP = 32
LARGEST = 127
STEPS = 15
"""The largest multiplier: 8 * STEPS is still an 8-bit value."""
NARROWED = 7.5
"""Steps that a group's largest value is from zero: one that is clipped a little leaves the others finer."""
BESIDE = (".own", ".scale")
"""What stands in a file for a layer's sake, and is no weight of the model by itself."""
Tensors = Mapping[str, Tensor]
LowRank = tuple[Tensor, Tensor]
"""Down [rank, in] and up [out, rank]: their product is added to a layer's weight."""


def quantised8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Float [out, in] -> int8 [out, in], scale [out]."""
    weight = weight.float()
    scale = weight.abs().amax(1).clamp_min(1e-12) / LARGEST
    return (weight / scale[:, None]).round().clamp(-LARGEST, LARGEST).to(torch.int8), scale


def quantised4(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Float [out, in] -> values -8 to 7 int8 [out, in], multipliers 1 to STEPS int8 [out, in / GROUP], scale [out].

    Of each group the multiplier is taken that has the least squared error.
    """
    weight = weight.float()
    scale = weight.abs().amax(1).clamp_min(1e-12) / (NARROWED * STEPS)
    whole = weight.unflatten(1, (-1, GROUP)) / scale[:, None, None]
    middle = (whole.abs().amax(-1) / NARROWED).round()
    error = torch.full_like(middle, torch.inf)
    values, steps = torch.zeros_like(whole, dtype=torch.int8), torch.ones_like(middle, dtype=torch.int8)
    for more in (-2, -1, 0, 1):
        step = (middle + more).clamp(1, STEPS)
        tried = (whole / step[..., None]).round().clamp(-8, 7)
        missed = (tried * step[..., None] - whole).square().sum(-1)
        better = missed < error
        error = torch.where(better, missed, error)
        values = torch.where(better[..., None], tried.to(torch.int8), values)
        steps = torch.where(better, step.to(torch.int8), steps)
    return values.flatten(1), steps, scale


def widened(values: Tensor, steps: Tensor) -> Tensor:
    """4-bit values and their multipliers, as `quantised4` gives them -> the same weights as int8 [out, in]."""
    return (values.unflatten(1, (-1, GROUP)) * steps[..., None]).flatten(1)


def nibbles(values: Tensor) -> Tensor:
    """Int8 -8 to 7, or 0 to 15, [out, n] -> uint8 [out, n / 2], the first in the lower half."""
    low, high = (values.to(torch.uint8) & 15).unflatten(1, (-1, 2)).unbind(-1)
    return low | (high << 4)


def signed(packed: Tensor) -> Tensor:
    """Back to -8 to 7."""
    return ((unsigned(packed) ^ 8) - 8).to(torch.int8)


def unsigned(packed: Tensor) -> Tensor:
    """Back to 0 to 15."""
    return torch.stack([packed & 15, packed >> 4], -1).flatten(1).to(torch.int8)


def _levels() -> int:
    """How many steps of an input's value there are on either side of zero.

    Where the processor has no VNNI instructions, FBGEMM adds two products in 16 bits, which more of them would overflow.
    """
    return 127 if torch.cpu.get_capabilities().get("avx512_vnni", False) else 63


class PackedLinear(nn.Module):
    """[..., n, in] -> [..., n, out], in float32."""

    def __init__(self, weight: Tensor, scale: Tensor, bias: Tensor | None = None, beside: LowRank | None = None) -> None:
        """Int8 [out, in], [out], [out], floats."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)
        self._beside = None if beside is None else tuple(half.float().contiguous() for half in beside)
        self._levels = _levels()
        self._multiply = _fast(weight, scale, self._levels) or _plain(weight, scale)

    def forward(self, x: Tensor) -> Tensor:
        largest = x.abs().amax(-1, keepdim=True).clamp_min_(1e-12)
        y = self._multiply(x / largest)
        y = y.mul_(largest) if self.bias is None else torch.addcmul(self.bias, y, largest)
        if self._beside is None:
            return y
        down, up = self._beside
        return y.add_(nn.functional.linear(nn.functional.linear(x, down), up))


def _fast(weight: Tensor, scale: Tensor, levels: int) -> Callable[[Tensor], Tensor] | None:
    """By FBGEMM, for inputs from -1 to 1; None where it is not built in."""
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        return None
    zeros = torch.zeros(len(scale), dtype=torch.long)
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        with warnings.catch_warnings():
            # The packed kernels are only to be had through quantized tensors, which torch means to replace.
            warnings.simplefilter("ignore", UserWarning)
            # Not by way of floats, which would be four times as large.
            whole = torch._make_per_channel_quantized_tensor(weight.contiguous(), scale.double(), zeros, 0)  # noqa: SLF001
            packed = torch.ops.quantized.linear_prepack(whole, None)
    finally:
        torch.backends.quantized.engine = before
    multiply, step = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default, 1 / levels
    return lambda x: multiply(x, step, levels + 1, packed)


def _plain(weight: Tensor, scale: Tensor) -> Callable[[Tensor], Tensor]:
    floats = weight * scale[:, None]
    return lambda x: nn.functional.linear(x, floats)


class PackedEmbedding(nn.Module):
    """Ids [...] -> [..., width], in float32."""

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        """Int8 [vocabulary, width], [vocabulary]."""
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, ids: Tensor) -> Tensor:
        weight, scale = self.get_buffer("weight"), self.get_buffer("scale")
        return weight[ids] * scale[ids][..., None]


@dataclass(frozen=True)
class Packing:
    """How the layers of a checkpoint are kept: those whose names have one of `narrow` in them in 4 bits, the others in 8."""

    narrow: tuple[str, ...] = ()

    def keep(self, name: str, weight: Tensor) -> dict[str, Tensor]:
        """A layer's weight, as it stands in a file."""
        if any(part in name for part in self.narrow) and weight.shape[1] % (2 * GROUP) == 0:
            values, steps, scale = quantised4(weight)
            return {f"{name}.weight4": nibbles(values), f"{name}.steps": nibbles(steps), f"{name}.scale": scale}
        whole, scale = quantised8(weight)
        return {f"{name}.weight8": whole, f"{name}.scale": scale}

    def rounded(self, name: str, weight: Tensor) -> Tensor:
        """A layer's weight as its file will give it back, float [out, in]."""
        whole, scale = kept(self.keep(name, weight), name) or (weight, torch.ones(len(weight)))
        return whole * scale[:, None]


def kept(tensors: Tensors, name: str) -> tuple[Tensor, Tensor] | None:
    """A layer of a file, as int8 [out, in] and scale [out]; None where it is not kept so."""
    if f"{name}.weight8" in tensors:
        return tensors[f"{name}.weight8"], tensors[f"{name}.scale"].float()
    if f"{name}.weight4" in tensors:
        steps = unsigned(tensors[f"{name}.steps"])
        return widened(signed(tensors[f"{name}.weight4"]), steps), tensors[f"{name}.scale"].float()
    return None


def pack(model: nn.Module) -> nn.Module:
    """A stock model, in place: linear layers and the embedding of tokens in 8 bits, all else in float32."""
    embedding: Any = model.get_input_embeddings()  # type: ignore[operator]
    for layer in list(_layers(model)):
        if isinstance(layer.module, nn.Linear):
            layer.becomes(PackedLinear(*quantised8(layer.weight), layer.module.bias))
        elif layer.module is embedding:
            layer.becomes(PackedEmbedding(*quantised8(layer.weight)))
    return model.float()


def fill(model: Any, tensors: Tensors, dtype: torch.dtype | None = None) -> Any:
    """A stock model that was made on the device "meta", in place, with what a file holds.

    `dtype`: as plain layers of that type; None: packed. A head without weights of its own has those of the embedding, but for
    the `own_rows` of that, which the head does not share. KeyError where something is missing.
    """
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = next(name for name, module in model.named_modules() if module is embedding)
    for layer in list(_layers(model)):
        held = kept(tensors, layer.path) or (kept(tensors, tied) if layer.module is head else None)
        if held is not None and f"{layer.path}.own_rows" in tensors:
            held = _with_own(*held, tensors[f"{layer.path}.own_rows"].long(), tensors[f"{layer.path}.own"])
        if held is not None:
            beside = _low_rank(tensors, layer.path)
            layer.becomes(_made(layer.module, *held, tensors.get(f"{layer.path}.bias"), beside, dtype))
    floats = {
        name: tensor.to(dtype or torch.float32)
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not name.endswith(BESIDE)
    }
    model.load_state_dict(floats, strict=False, assign=True)
    _compute_buffers(model)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.is_meta:
            raise KeyError(name)
    return model.requires_grad_(False).eval()


def _with_own(weight: Tensor, scale: Tensor, rows: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """With these rows, floats [n, in], in the place of those that it shares with another layer."""
    weight, scale = weight.clone(), scale.clone()
    weight[rows], scale[rows] = quantised8(own)
    return weight, scale


def keep_beside(name: str, beside: LowRank) -> dict[str, Tensor]:
    """What was learned beside a layer, as it stands in a file: both halves in 8 bits."""
    down, up = beside
    return {**Packing().keep(f"{name}.lora_down", down), **Packing().keep(f"{name}.lora_up", up)}


def _low_rank(tensors: Tensors, name: str) -> LowRank | None:
    halves = [kept(tensors, f"{name}.lora_{half}") for half in ("down", "up")]
    if None in halves:
        return None
    (down, down_scale), (up, up_scale) = (half for half in halves if half is not None)
    return down * down_scale[:, None], up * up_scale[:, None]


def _made(
    module: nn.Module,
    weight: Tensor,
    scale: Tensor,
    bias: Tensor | None,
    beside: LowRank | None,
    dtype: torch.dtype | None,
) -> nn.Module:
    if dtype is None:
        return PackedLinear(weight, scale, bias, beside) if isinstance(module, nn.Linear) else PackedEmbedding(weight, scale)
    floats = weight * scale[:, None]
    if beside is not None:
        floats += beside[1] @ beside[0]
    module.weight = nn.Parameter(floats.to(dtype), requires_grad=False)
    return module


def _compute_buffers(model: Any) -> None:
    """What no file holds, such as the frequencies of rotary positions, a module computes when it is made."""
    for owner in list(model.modules()):
        for name, module in owner.named_children():
            if any(buffer.is_meta for buffer in module.buffers(recurse=False)):
                setattr(owner, name, type(module)(config=model.config))


@dataclass(frozen=True)
class _Layer:
    """A linear layer or an embedding that is nothing more."""

    path: str
    owner: nn.Module
    name: str
    module: nn.Module

    @property
    def weight(self) -> Tensor:
        weight: Any = self.module.weight
        return weight.data

    def becomes(self, other: nn.Module) -> None:
        setattr(self.owner, self.name, other)


def _layers(model: nn.Module) -> Iterator[_Layer]:
    for path, owner in model.named_modules():
        for name, module in owner.named_children():
            if type(module) in (nn.Linear, nn.Embedding):
                yield _Layer(f"{path}.{name}" if path else name, owner, name, module)
