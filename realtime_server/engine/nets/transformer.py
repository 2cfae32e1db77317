"""A causal transformer whose rows may stand at different positions: pre-norm, rotary positions, gated MLP.

Training runs it over whole sequences; serving runs it over slots of a cache, any number of them in one step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realtime_server.engine.runtime.cache import GrowingCache, Rows, Shape, Window


def rotary(positions: Tensor, head_dim: int) -> tuple[Tensor, Tensor]:
    """[..., T] positions -> cosine and sine [..., T, head_dim / 2] (RoFormer, base 10 000)."""
    rates = 10_000.0 ** (-torch.arange(0, head_dim, 2, device=positions.device) / head_dim)
    angles = positions[..., None].float() * rates
    return angles.cos(), angles.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """[B, H, T, head_dim] turned by [B, 1, T, head_dim / 2]."""
    first, second = x.chunk(2, dim=-1)
    cosine, sine = turn
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], bias: Tensor, index: int, window: Window | None) -> Tensor:
        """[B, T, width] -> the same; bias [B or 1, 1, T, L] is 0 where a position may look, -inf elsewhere."""
        batch, time, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, turn), rotate(k, turn)
        if window is not None:
            k, v = window.through(index, k, v)
        # Explicit products: on a CPU torch's fused attention is slower for short sequences.
        weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias, dim=-1)
        x = x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(batch, time, width)))
        gate, value = self.up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.dropout(self.down(F.silu(gate) * value))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        """`dropout`: of what a layer adds, in training."""
        super().__init__()
        self.heads, self.head_dim = heads, width // heads
        self.layers = nn.ModuleList(Layer(width, heads, hidden, dropout) for _ in range(layers))
        self.norm = nn.RMSNorm(width)

    @property
    def cached(self) -> Shape:
        """What a cache holds of it."""
        return Shape(len(self.layers), self.heads, self.head_dim)

    def new_cache(self, device: torch.device) -> GrowingCache:
        return GrowingCache(self.cached, device)

    def forward(self, x: Tensor, tap: int = 0, rows: Rows | None = None) -> tuple[Tensor, Tensor]:
        """[B, T, width] -> (last layer, normalised; output of layer `tap`, counted from 1), both [B, T, width].

        With `rows`, row b continues its slot behind its start.
        """
        window: Window | None = None
        if rows is not None:
            positions, sees, window = rows.enter(x.shape[1], x.device)
        else:
            positions = torch.arange(x.shape[1], device=x.device)[None]
            sees = positions[:, None, None, :] <= positions[:, None, :, None]
        bias = torch.zeros((), device=x.device).masked_fill(~sees, float("-inf"))
        cosine, sine = rotary(positions, self.head_dim)
        turn = (cosine[:, None], sine[:, None])
        tapped = x
        for index, layer in enumerate(self.layers):
            x = layer(x, turn, bias, index, window)
            if index + 1 == tap:
                tapped = x
        return self.norm(x), tapped
