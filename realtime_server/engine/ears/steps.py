"""What an ear asks of the device."""

from dataclasses import dataclass

from torch import Tensor

from realtime_server.engine.nets.whisper import FRAMES_PER_STATE, Encoded
from realtime_server.engine.runtime.steps import Step, Stream


@dataclass(frozen=True, eq=False)
class Encode(Step):
    """Hear a window, mel [2 S, mels]; the answer is `Encoded`."""

    mel: Tensor

    @property
    def positions(self) -> int:
        return len(self.mel) // FRAMES_PER_STATE


@dataclass(frozen=True, eq=False)
class Predict(Step):
    """Append these tokens of a transcript of this sound; the answer is the log-probabilities [n, vocabulary] behind each."""

    stream: Stream
    ids: list[int]
    sound: Encoded

    @property
    def positions(self) -> int:
        return len(self.ids)
