"""What a speaking sequence asks of the device: one frame of speech."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.engine.runtime.steps import Step

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
