"""What a sequence asks of the device: some positions of a thinking stream, or one frame of a speaking one."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.engine.nets.transformer import KVCache

FRAME = -1
"""In a stream's ids: a position where a heard frame stands, not a token."""
READ_AT_ONCE = 128
"""Positions of a context that one step takes in: a long one must not keep everybody else waiting."""


class Slots:
    """The rows of a KV cache that are free."""

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


@dataclass
class Stream:
    """A thinking stream: a slot, and what stands at each of its positions."""

    slot: int
    ids: list[int]


@dataclass(frozen=True, eq=False)
class Encode:
    """Hear windows of sound, mel [MEL_HISTORY + 8 n, mels]; the answer is frames [n, width]."""

    mel: NDArray[np.float32]


@dataclass(frozen=True)
class Think:
    """Append these positions; the answer is the logits [vocabulary] behind the last, or [n, vocabulary] behind `every` one.

    `frames` [n, width] go with FRAME ids; the answer to them is `Heard`.
    """

    stream: Stream
    ids: list[int]
    frames: Tensor | None = None
    every: bool = False


@dataclass(frozen=True)
class Try:
    """Some ways to go on, each as if it stood alone behind the first `at` positions; the stream stays as it is.

    The answer is, for each way, the log-probabilities [len(way), vocabulary] behind every one of its ids.
    """

    stream: Stream
    ways: list[tuple[int, list[int]]]
    """Of each: `at`, and its ids."""


@dataclass(frozen=True)
class Heard:
    """What frames told: end-of-turn scores [n]; log-probabilities of letters [2 n, labels]."""

    ended: Tensor
    letters: Tensor


Timbre = tuple[tuple[int, float], ...]
"""Rows of the decoder, and each one's share of the sound; none: the sound is the codec's own."""


@dataclass(frozen=True)
class Speak:
    """One frame at `position`, behind the tokens of those `before` it [<= FRAMES_BEFORE, books]; the answer is `Spoken`."""

    slot: int
    position: int
    before: NDArray[np.int64]
    window: Tensor
    speaker: int
    timbre: Timbre
    noise: NDArray[np.float32]
    advance_noise: NDArray[np.float32]


Step = Encode | Think | Try | Speak


@dataclass(frozen=True)
class Spoken:
    """A frame's tokens [books], the pointer's advance, and the vocoder frames [STACK, FRAME_SIZE] that the tokens stand for."""

    codes: NDArray[np.int64]
    advance: int
    frames: NDArray[np.float32]


@dataclass(frozen=True)
class Broken:
    """The answer to a step that failed, by itself too."""

    error: Exception


def read(stream: Stream, ids: list[int]) -> Generator[Think, Any, None]:
    """Appends them piece by piece; no logits are wanted."""
    for first in range(0, len(ids), READ_AT_ONCE):
        yield Think(stream, ids[first : first + READ_AT_ONCE])
