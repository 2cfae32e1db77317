"""Keys and values of many sequences that stand at different positions: one slot each, any of them in one forward.

There are two ways to keep them, behind one interface. On a CPU slots grow one by one: what a long conversation holds costs
the others nothing, and is given back when it ends. On a GPU all slots are one tensor of a fixed shape, written and read by
index: nothing is copied together for a step over all slots, and no address or shape changes from step to step, as a CUDA graph
demands. Neither knows how long a sequence is: whoever steps says behind which position, so that to crop a sequence is to say
less, and a paused one takes no part.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Places = list[tuple[int, int]]
"""Of the rows of one step: slot, and position of the first new one."""


class CacheFull(Exception):
    """A slot that the cache has no room for."""


@dataclass(frozen=True)
class Shape:
    """Of what one position holds; `heads` are those of keys and values."""

    layers: int
    heads: int
    head_dim: int


class Window(Protocol):
    """The rows of one step in a cache."""

    @property
    def length(self) -> int:
        """How many positions of each row are shown."""
        ...

    def through(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Writes k, v [B, heads, T, head_dim] in their places. All that these rows hold then: [B, heads, length, head_dim]."""
        ...


class KVCache(Protocol):
    def open(self, places: Places, time: int) -> Window:
        """Makes room for `time` new positions in each place. Raises CacheFull."""
        ...

    def release(self, slot: int) -> None:
        """Whatever it held is gone."""
        ...

    def copy(self, source: int, slot: int, length: int) -> None:
        """The first positions of one slot are those of another, too. Raises CacheFull."""
        ...


class GrowingCache:
    """A tensor for each slot, [layers, heads, length, head_dim] of either kind."""

    def __init__(self, shape: Shape, device: torch.device, dtype: torch.dtype = torch.float32, least: int = 256) -> None:
        """`least`: positions of a slot that holds any."""
        self._shape, self._device, self._dtype, self._least = shape, device, dtype, least
        self._slots: dict[int, tuple[Tensor, Tensor]] = {}

    def open(self, places: Places, time: int) -> "GrownWindow":
        for slot, start in places:
            self._reserve(slot, start + time)
        starts = [start for _, start in places]
        return GrownWindow([self._slots[slot] for slot, _ in places], starts, max(starts) + time)

    def _reserve(self, slot: int, length: int) -> None:
        have = self.length(slot)
        if length <= have:
            return
        more = max(length, 2 * have, self._least) - have
        shape = (self._shape.layers, self._shape.heads, more, self._shape.head_dim)
        room = torch.zeros(shape, dtype=self._dtype, device=self._device)
        held = self._slots.get(slot)
        self._slots[slot] = (
            (room, room.clone()) if held is None else (torch.cat([held[0], room], 2), torch.cat([held[1], room], 2))
        )

    def release(self, slot: int) -> None:
        self._slots.pop(slot, None)

    def copy(self, source: int, slot: int, length: int) -> None:
        self._reserve(slot, length)
        for held, given in zip(self._slots[slot], self._slots[source], strict=True):
            held[:, :, :length] = given[:, :, :length]

    def length(self, slot: int) -> int:
        """How many positions it has room for."""
        held = self._slots.get(slot)
        return 0 if held is None else held[0].shape[2]

    @property
    def positions(self) -> int:
        """For how many positions there is room in all slots together."""
        return sum(keys.shape[2] for keys, _ in self._slots.values())


@dataclass(frozen=True)
class GrownWindow:
    """Gathers the rows' tensors; zeros stand behind the end of a shorter one."""

    held: list[tuple[Tensor, Tensor]]
    starts: list[int]
    length: int

    def through(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        rows = []
        for n, ((keys, values), start) in enumerate(zip(self.held, self.starts, strict=True)):
            end = start + k.shape[2]
            keys[layer, :, start:end], values[layer, :, start:end] = k[n], v[n]
            rows.append((keys[layer], values[layer], end))
        if len(rows) == 1:
            keys, values, end = rows[0]
            return keys[None, :, : self.length], values[None, :, : self.length]
        all_keys, all_values = k.new_zeros(2, len(rows), k.shape[1], self.length, k.shape[3])
        for n, (keys, values, end) in enumerate(rows):
            all_keys[n, :, :end] = keys[:, :end]
            all_values[n, :, :end] = values[:, :end]
        return all_keys, all_values


class FixedCache:
    """One tensor for all slots, [layers, slots, length + 1, heads, head_dim] of either kind.

    The last position of a slot is nobody's: there goes the padding that would stand behind its end.
    """

    def __init__(self, shape: Shape, slots: int, length: int, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self.slots, self.length, self._device = slots, length, device
        room = (2, shape.layers, slots, length + 1, shape.heads, shape.head_dim)
        self._keys, self._values = torch.zeros(room, dtype=dtype, device=device)

    def open(self, places: Places, time: int) -> "FixedWindow":
        if any(slot >= self.slots or start >= self.length for slot, start in places):
            raise CacheFull(f"There is room for {self.slots} sequences of {self.length} positions.")
        slots, starts = torch.tensor(places, device=self._device).T
        positions = (starts[:, None] + torch.arange(time, device=self._device)).clamp(max=self.length)
        whole = [slot for slot, _ in places] == list(range(self.slots))
        return FixedWindow(self._keys, self._values, slots, positions, whole, self.length)

    def release(self, slot: int) -> None:
        """Nothing to do: what stands there is overwritten before it is seen."""

    def copy(self, source: int, slot: int, length: int) -> None:
        if slot >= self.slots:
            raise CacheFull(f"There is room for {self.slots} sequences of {self.length} positions.")
        for held in (self._keys, self._values):
            held[:, slot, :length] = held[:, source, :length]


@dataclass(frozen=True)
class FixedWindow:
    """Rows by index: slots [B], positions [B, T]; `whole` where they are all slots in their order, and nothing is gathered."""

    keys: Tensor
    values: Tensor
    slots: Tensor
    positions: Tensor
    whole: bool
    length: int

    def through(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return self._through(self.keys[layer], k), self._through(self.values[layer], v)

    def _through(self, held: Tensor, new: Tensor) -> Tensor:
        held[self.slots[:, None], self.positions] = new.transpose(1, 2)
        return (held if self.whole else held[self.slots])[:, : self.length].transpose(1, 2)


class Slots:
    """The rows of a cache that are free."""

    def __init__(self, cache: KVCache) -> None:
        self.cache = cache
        self._free: list[int] = []
        self._made = 0

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self._made += 1
        return self._made - 1

    def give_back(self, slot: int) -> None:
        self.cache.release(slot)
        self._free.append(slot)

    @property
    def in_use(self) -> int:
        return self._made - len(self._free)


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
    """Where the rows of one step live. Only a row by itself, in a growing cache, may have `branches`.

    Padding behind a row's real inputs writes positions that its next step overwrites, and nothing before them looks there.
    """

    cache: KVCache
    places: Places
    branches: Branches | None = None

    def enter(self, time: int, device: torch.device) -> tuple[Tensor, Tensor, Window]:
        """So many new inputs behind each: their positions [B, T], what they see [B, 1, T, length], where they are written."""
        window, steps = self.cache.open(self.places, time), torch.arange(time, device=device)
        seen = torch.arange(window.length, device=device)
        if self.branches is not None:
            tree, first = self.branches, len(seen) - time
            sees = torch.cat([seen[:first] < tree.at[:, None], tree.sees], dim=1)
            return (tree.at + tree.depths)[None], sees[None, None], window
        positions = torch.tensor([start for _, start in self.places], device=device)[:, None] + steps
        return positions, seen <= positions[:, None, :, None], window
