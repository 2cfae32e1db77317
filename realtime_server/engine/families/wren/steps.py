"""What Wren's sequences ask of the device, besides `Think`: to hear, to try several ways to go on, to speak one frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.engine.runtime.steps import Step, Stream


@dataclass(frozen=True, eq=False)
class Encode(Step):
    """Hear windows of sound, mel [MEL_HISTORY + 8 n, mels]; the answer is frames [n, width]."""

    mel: NDArray[np.float32]

    @property
    def positions(self) -> int:
        return (len(self.mel) - MEL_HISTORY) // MEL_STRIDE


@dataclass(frozen=True)
class Try(Step):
    """Some ways to go on, each as if it stood alone behind the first `at` positions; the stream stays as it is.

    The answer is, for each way, the log-probabilities [len(way), vocabulary] behind every one of its ids.
    """

    stream: Stream
    ways: list[tuple[int, list[int]]]
    """Of each: `at`, and its ids."""

    @property
    def positions(self) -> int:
        return sum(len(ids) for _, ids in self.ways)


@dataclass(frozen=True)
class Heard:
    """The answer to a `Think` of frames, what they told: end-of-turn scores [n]; log-probabilities of letters [2 n, labels]."""

    ended: Tensor
    letters: Tensor


Timbre = tuple[tuple[int, float], ...]
"""Rows of the decoder, and each one's share of the sound; none: the sound is the codec's own."""


@dataclass(frozen=True)
class Speak(Step):
    """One frame at `position`, behind the tokens of those `before` it [<= FRAMES_BEFORE, books]; the answer is `Spoken`."""

    slot: int
    position: int
    before: NDArray[np.int64]
    window: Tensor
    speaker: int
    timbre: Timbre
    noise: NDArray[np.float32]
    advance_noise: NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """A frame's tokens [books], the pointer's advance, and the vocoder frames [STACK, FRAME_SIZE] that the tokens stand for."""

    codes: NDArray[np.int64]
    advance: int
    frames: NDArray[np.float32]
