"""Wren's audio tokens: 12.5 frames a second, 4 codebooks; a frame's tokens name its eight 10 ms vocoder frames.

The code is linear and frozen: stacks of vocoder parameters, their principal components, residual k-means (RVQ). So
tokens can be made once, before any network is trained, and decoding is one table look-up per codebook.
"""

import torch
from torch import Tensor, nn

from realtime_server.engine.nets.vocoder import PARAMETERS

STACK = 8
"""Vocoder frames of 10 ms in one token frame of 80 ms."""


class Codec(nn.Module):
    """RVQ over the principal components of stacked vocoder frames; all tensors are buffers, fitted by training/wren/codec."""

    mean: Tensor
    weight: Tensor
    basis: Tensor
    table: Tensor

    def __init__(self, codebooks: int = 4, codes: int = 1024, components: int = 96) -> None:
        super().__init__()
        self.codebooks, self.codes = codebooks, codes
        self.register_buffer("mean", torch.zeros(STACK * PARAMETERS))
        self.register_buffer("weight", torch.ones(STACK * PARAMETERS))
        self.register_buffer("basis", torch.zeros(components, STACK * PARAMETERS))
        self.register_buffer("table", torch.zeros(codebooks, codes, components))

    @classmethod
    def of(cls, fitted: dict[str, Tensor]) -> "Codec":
        """The codec with these tensors."""
        codec = cls(*fitted["table"].shape)
        codec.load_state_dict(fitted)
        return codec

    def decode(self, codes: Tensor) -> Tensor:
        """[T, codebooks] tokens -> [T * STACK, PARAMETERS] vocoder parameters."""
        stacked = (self.points(codes) @ self.basis) / self.weight + self.mean
        return stacked.view(-1, PARAMETERS)

    def points(self, codes: Tensor) -> Tensor:
        """[..., codebooks] tokens -> [..., components], what they name."""
        return torch.stack([self.table[k][codes[..., k]] for k in range(self.codebooks)]).sum(0)

    def project(self, stacked: Tensor) -> Tensor:
        """[T, STACK * PARAMETERS] -> [T, components]."""
        return ((stacked - self.mean) * self.weight) @ self.basis.T

    def encode(self, stacked: Tensor) -> Tensor:
        """[T, STACK * PARAMETERS] -> [T, codebooks], nearest code first, then the rest of what is left."""
        left, codes = self.project(stacked), []
        for table in self.table:
            nearest = torch.cdist(left, table).argmin(1)
            left = left - table[nearest]
            codes.append(nearest)
        return torch.stack(codes, 1)
