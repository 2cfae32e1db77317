"""Linear layers whose weights are 8-bit integers, on a CPU by torch's packed kernels: a row by itself costs a third of floats.

A row's inputs are 8-bit integers too, by a scale of its own (LLM.int8, Dettmers et al. 2022): what its neighbours hold changes
nothing for it. The kernel takes one scale for all rows, so each is divided by its largest value, and a last row that holds -1
and 1 pins the kernel's range to just that.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

WHOLE = 127
"""The largest weight of a row, as an integer."""


def quantized(weight: Tensor) -> tuple[Tensor, Tensor]:
    """[out, in] -> integers [out, in], and the scale [out] of each row."""
    weight = weight.float()
    scale = weight.abs().amax(1).clamp(min=1e-12) / WHOLE
    return (weight / scale[:, None]).round().to(torch.int8), scale


def floats(state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """A state whose quantized weights have a `scale` beside them -> one without, for plain layers."""
    scales = {name: tensor for name, tensor in state.items() if name.rpartition(".")[2] == "scale"}
    scaled = {name.removesuffix("scale") + "weight": scale for name, scale in scales.items()}
    return {
        name: (tensor.float() * scaled[name][:, None] if name in scaled else tensor).to(dtype)
        for name, tensor in state.items()
        if name not in scales
    }


def packs() -> bool:
    """Has this machine's torch the kernels?"""
    return torch.backends.quantized.engine in ("x86", "fbgemm")


class Int8Linear(nn.Module):
    """[..., in] -> [..., out], as `nn.Linear`; floats in and out. It learns nothing."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(outputs, inputs, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(outputs))
        self.register_buffer("bias", torch.zeros(outputs) if bias else None)
        self._packed: Any = None

    def pack(self) -> None:
        """Lays the weights out for the kernel, which keeps a copy; behind it only `rows` looks at `weight`."""
        zeros = torch.zeros(len(self.scale), dtype=torch.long)
        self._pin = torch.zeros(1, self.weight.shape[1])
        self._pin[0, 0], self._pin[0, -1] = -1.0, 1.0
        with warnings.catch_warnings():
            # The packed kernels are only to be had through quantized tensors, which torch means to replace.
            warnings.simplefilter("ignore", UserWarning)
            weight = torch._make_per_channel_quantized_tensor(self.weight, self.scale.double(), zeros, 0)  # noqa: SLF001
            self._packed = torch.ops.quantized.linear_prepack(weight, None)
        # Without this instruction the kernel's sums overflow where both sides use all 8 bits.
        self._narrow = not torch.cpu._is_vnni_supported()  # noqa: SLF001

    def rows(self, index: Tensor) -> Tensor:
        """[...] -> [..., in]: rows of the weights as floats, where a layer is also a table of embeddings."""
        return self.weight[index].float() * self.scale[index][..., None]

    def forward(self, x: Tensor) -> Tensor:
        if self._packed is None:
            self.pack()
        flat = x.reshape(-1, x.shape[-1])
        scale = flat.abs().amax(-1, keepdim=True).clamp_(min=1e-12)
        packed = torch.ops.quantized.linear_dynamic(torch.cat([flat / scale, self._pin]), self._packed, self._narrow)[:-1]
        y = packed.mul_(scale) if self.bias is None else torch.addcmul(self.bias, packed, scale)
        return y.view(*x.shape[:-1], -1)
