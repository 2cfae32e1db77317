"""A causal transformer whose rows may stand at different positions: pre-norm, rotary positions, gated MLP.

Training runs it over whole sequences; serving runs it over slots of a `KVCache`, any number of them in one step.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KVCache:
    """Keys and values of many sequences, one slot each; grows in slots and in length as needed.

    keys, values: [layers, slots, heads, length, head_dim].
    """

    def __init__(self, layers: int, heads: int, head_dim: int, device: torch.device, slots: int = 4, length: int = 256) -> None:
        self.keys = torch.zeros(layers, slots, heads, length, head_dim, device=device)
        self.values = torch.zeros_like(self.keys)

    def reserve(self, slots: int, length: int) -> None:
        have_slots, have_length = self.keys.shape[1], self.keys.shape[3]
        more_slots = 0 if slots <= have_slots else max(slots, 2 * have_slots) - have_slots
        more_length = 0 if length <= have_length else max(length, 2 * have_length) - have_length
        if more_slots or more_length:
            padding = (0, 0, 0, more_length, 0, 0, 0, more_slots)
            self.keys, self.values = F.pad(self.keys, padding), F.pad(self.values, padding)


@dataclass(frozen=True)
class Branches:
    """Several ways to go on behind the first positions of a row, none of which sees the others (tree attention, Miao et al.
    2024).

    at: [T] behind how many of them; depths: [T] how far behind these each new position stands; sees: [T, T] which of the new
    ones it sees.
    """

    at: Tensor
    depths: Tensor
    sees: Tensor


@dataclass(frozen=True)
class Rows:
    """Where the rows of one step live: slots [B], first free place of each [B]. Only a row by itself may have `branches`."""

    cache: KVCache
    slots: Tensor
    starts: Tensor
    branches: Branches | None = None


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

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], bias: Tensor, index: int, rows: Rows | None) -> Tensor:
        """[B, T, width] -> the same; bias [B or 1, 1, T, L] is 0 where a position may look, -inf elsewhere."""
        batch, time, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, turn), rotate(k, turn)
        if rows is not None:
            k, v = self._through_cache(k, v, index, rows, bias.shape[-1])
        # Explicit products: on a CPU torch's fused attention is slower for short sequences.
        weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias, dim=-1)
        x = x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(batch, time, width)))
        gate, value = self.up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.dropout(self.down(F.silu(gate) * value))

    @staticmethod
    def _through_cache(k: Tensor, v: Tensor, index: int, rows: Rows, length: int) -> tuple[Tensor, Tensor]:
        positions = rows.starts[:, None] + torch.arange(k.shape[2], device=k.device)
        keys, values = rows.cache.keys[index], rows.cache.values[index]
        keys[rows.slots[:, None], :, positions] = k.transpose(1, 2)
        values[rows.slots[:, None], :, positions] = v.transpose(1, 2)
        if len(rows.slots) == 1:
            slot = int(rows.slots[0])
            return keys[slot : slot + 1, :, :length], values[slot : slot + 1, :, :length]
        return keys[rows.slots, :, :length], values[rows.slots, :, :length]


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, hidden: int, dropout: float = 0.0) -> None:
        """`dropout`: of what a layer adds, in training."""
        super().__init__()
        self.heads, self.head_dim = heads, width // heads
        self.layers = nn.ModuleList(Layer(width, heads, hidden, dropout) for _ in range(layers))
        self.norm = nn.RMSNorm(width)

    def new_cache(self, device: torch.device) -> KVCache:
        return KVCache(len(self.layers), self.heads, self.head_dim, device)

    def forward(self, x: Tensor, tap: int = 0, rows: Rows | None = None) -> tuple[Tensor, Tensor]:
        """[B, T, width] -> (last layer, normalised; output of layer `tap`, counted from 1), both [B, T, width].

        With `rows`, row b continues its slot at `starts[b]`; padding behind a row's real inputs writes positions that
        its next step overwrites, and nothing before them looks there.
        """
        steps = torch.arange(x.shape[1], device=x.device)
        if rows is None:
            positions = steps[None]
            seen = steps
        else:
            positions = rows.starts[:, None] + steps
            length = int(rows.starts.max()) + x.shape[1]
            rows.cache.reserve(int(rows.slots.max()) + 1, length)
            seen = torch.arange(length, device=x.device)
        allowed = seen[None, None, None, :] <= positions[:, None, :, None]
        if rows is not None and rows.branches is not None:
            tree, first = rows.branches, len(seen) - len(steps)
            positions = (tree.at + tree.depths)[None]
            allowed = torch.cat([seen[:first] < tree.at[:, None], tree.sees], dim=1)[None, None]
        bias = torch.zeros((), device=x.device).masked_fill(~allowed, float("-inf"))
        cosine, sine = rotary(positions, self.head_dim)
        turn = (cosine[:, None], sine[:, None])
        tapped = x
        for index, layer in enumerate(self.layers):
            x = layer(x, turn, bias, index, rows)
            if index + 1 == tap:
                tapped = x
        return self.norm(x), tapped
