"""What Wren's sequences ask of the device, besides `Think` and `Speak`: to hear, and to try several ways to go on."""

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
