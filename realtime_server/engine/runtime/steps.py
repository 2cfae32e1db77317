"""What a sequence asks of the device: any family's step says what it costs, and `Think` is the one that they share."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from realtime_server.engine.runtime.sampling import Sampler

FRAME = -1
"""In a stream's ids: a position where something stands that is no token, such as a heard frame. Any lower number says the same
of other frames: streams begin alike only where what stands there is the same."""


class Step:
    """One thing that many sequences may do in one forward. Unless it says otherwise it has one position and stays whole."""

    @property
    def positions(self) -> int:
        """What it costs, in positions of a forward."""
        return 1

    @property
    def divisible(self) -> bool:
        """May a part of it be done now, and the rest later?"""
        return False

    def split(self, positions: int) -> "tuple[Step, Step | None]":
        """So many of its positions, and the rest, if any; only a divisible step. The answer is that to the last part."""
        raise NotImplementedError(f"{type(self).__name__} stays whole")


@dataclass
class Stream:
    """A growing sequence of positions: the slot of a cache that holds them, and what stands at each.

    Whoever shortens `ids` takes back what stood behind: the next step overwrites it.
    """

    slot: int
    ids: list[int]


@dataclass(frozen=True)
class Think(Step):
    """Append these positions; the answer is the logits [vocabulary] behind the last, or [n, vocabulary] behind `every` one.

    `frames` [n, width] are embeddings of the positions whose ids are FRAME or below, in their order; what the answer to nothing
    but frames is the family says.
    """

    stream: Stream
    ids: list[int]
    frames: Tensor | None = None
    every: bool = False

    @property
    def positions(self) -> int:
        return len(self.ids)

    @property
    def divisible(self) -> bool:
        """A prompt of many tokens is: it is prefilled in chunks, between which everybody else moves."""
        heard = 0 if self.frames is None else len(self.frames)
        return heard < len(self.ids) > 1 and not self.every

    def split(self, positions: int) -> "tuple[Think, Think | None]":
        now, rest = self.ids[:positions], self.ids[positions:]
        heard = sum(token <= FRAME for token in now)
        frames = (None, None) if self.frames is None else (self.frames[:heard], self.frames[heard:])
        return replace(self, ids=now, frames=frames[0]), replace(self, ids=rest, frames=frames[1]) if rest else None


@dataclass(frozen=True)
class Decode(Think):
    """Append these positions and choose what follows; the answer is the token, which the sampler is yet to take.

    `allowed`: [vocabulary] what a grammar lets follow.
    """

    sampler: Sampler = field(default_factory=Sampler)
    allowed: Tensor | None = None

    def split(self, positions: int) -> tuple[Think, Think | None]:
        """Behind a chunk of the prompt nothing is chosen."""
        chunk, rest = super().split(positions)
        return (Think(chunk.stream, chunk.ids, chunk.frames) if rest else self), rest


@dataclass(frozen=True)
class Broken:
    """The answer to a step that failed, by itself too."""

    error: Exception


def prefill(stream: Stream, ids: list[int]) -> Generator[Think, Any, None]:
    """Appends them, if there are any; no logits are wanted."""
    if ids:
        yield Think(stream, ids)
