"""A causal transformer whose rows may stand at different positions: pre-norm, rotary positions, gated MLP.

Training runs it over whole sequences; serving runs it over slots of a `KVCache`, any number of them in one step.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KVCache:
    """Keys and values of many sequences, one slot each: [layers, heads, length, head_dim] of either kind.

    A slot grows by itself, so a long sequence costs the others nothing, and what it took is free again when it is released.
    """

    def __init__(self, layers: int, heads: int, head_dim: int, device: torch.device, length: int = 256) -> None:
        self._layers, self._heads, self._head_dim = layers, heads, head_dim
        self._device, self._least = device, length
        self._slots: dict[int, tuple[Tensor, Tensor]] = {}

    def reserve(self, slot: int, length: int) -> None:
        """Makes room for so many positions."""
        have = self.length(slot)
        if length > have:
            more = max(length, 2 * have, self._least) - have
            room = torch.zeros(self._layers, self._heads, more, self._head_dim, device=self._device)
            held = self._slots.get(slot)
            self._slots[slot] = (
                (room, room.clone()) if held is None else (torch.cat([held[0], room], 2), torch.cat([held[1], room], 2))
            )

    def release(self, slot: int) -> None:
        """Whatever it held is gone."""
        self._slots.pop(slot, None)

    def length(self, slot: int) -> int:
        """How many positions it has room for."""
        held = self._slots.get(slot)
        return 0 if held is None else held[0].shape[2]

    @property
    def positions(self) -> int:
        """For how many positions there is room in all slots together."""
        return sum(keys.shape[2] for keys, _ in self._slots.values())

    def through(self, layer: int, places: list[tuple[int, int]], k: Tensor, v: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Writes k, v [B, heads, T, head_dim] behind the first `start` positions of each (slot, start).

        What the rows hold then, [B, heads, length, head_dim], zeros behind the end of a shorter one.
        """
        rows = []
        for n, (slot, start) in enumerate(places):
            keys, values = (held[layer] for held in self._slots[slot])
            keys[:, start : start + k.shape[2]] = k[n]
            values[:, start : start + k.shape[2]] = v[n]
            rows.append((keys, values, min(length, start + k.shape[2])))
        if len(rows) == 1:
            keys, values, end = rows[0]
            return keys[None, :, :length], values[None, :, :length]
        all_keys, all_values = k.new_zeros(2, len(rows), k.shape[1], length, k.shape[3])
        for n, (keys, values, end) in enumerate(rows):
            all_keys[n, :, :end] = keys[:, :end]
            all_values[n, :, :end] = values[:, :end]
        return all_keys, all_values


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
    """Where the rows of one step live: (slot, first free place) of each. Only a row by itself may have `branches`."""

    cache: KVCache
    places: list[tuple[int, int]]
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
            k, v = rows.cache.through(index, rows.places, k, v, bias.shape[-1])
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

    def new_cache(self, device: torch.device) -> KVCache:
        return KVCache(len(self.layers), self.heads, self.head_dim, device)

    def forward(self, x: Tensor, tap: int = 0, rows: Rows | None = None) -> tuple[Tensor, Tensor]:
        """[B, T, width] -> (last layer, normalised; output of layer `tap`, counted from 1), both [B, T, width].

        With `rows`, row b continues its slot behind its start; padding behind a row's real inputs writes positions that
        its next step overwrites, and nothing before them looks there.
        """
        steps = torch.arange(x.shape[1], device=x.device)
        if rows is None:
            positions = steps[None]
            seen = steps
        else:
            starts = [start for _, start in rows.places]
            positions = torch.tensor(starts, device=x.device)[:, None] + steps
            for slot, start in rows.places:
                rows.cache.reserve(slot, start + x.shape[1])
            seen = torch.arange(max(starts) + x.shape[1], device=x.device)
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
