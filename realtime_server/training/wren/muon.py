"""Muon (Jordan 2024), at AdamW's rate (Liu et al. 2025): momentum whose update is made orthogonal, for matrices.

`torch.optim.Muon` always makes it so in half precision. On a CPU without fast half precision that takes 18 s of a step of 22.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ROUNDS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Of the quintic Newton-Schulz iteration: they take every singular value to between 0.7 and 1.2 in five rounds."""


class Muon(torch.optim.Optimizer):
    """For parameters of two dimensions only. `half`: orthogonalise in bfloat16."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float, half: bool) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})
        self._dtype = torch.bfloat16 if half else torch.float32

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                buffer = self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(gradient))
                buffer.lerp_(gradient, 1 - MOMENTUM)
                update = orthogonal(gradient.lerp(buffer, MOMENTUM).to(self._dtype)).to(parameter.dtype)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(parameter.shape)))


def orthogonal(matrix: Tensor) -> Tensor:
    """[n, m] -> the same with all singular values near 1."""
    flat = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T.contiguous()
    flat = flat / flat.norm().clamp(min=1e-7)
    for _ in range(ROUNDS):
        gram = flat @ flat.T
        flat = torch.addmm(flat, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), flat, beta=_A)
    return flat if matrix.shape[0] <= matrix.shape[1] else flat.T
