"""Toy's ears, which tell loud from quiet."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from realtime_server.audio.resample import Resampler
from realtime_server.engine.runtime.sequences import Body
from realtime_server.messages import Output, TranscriptDone
from realtime_server.messages.samples import AUDIO_RATE_HZ, Samples

EARS_HZ = 16_000
FRAME = EARS_HZ // 10
LOUD = 0.01


@dataclass
class Turn:
    """What the commands leave for the sequence that hears."""

    waiting: deque[Samples] = field(default_factory=deque)
    committed: bool = False


class Ears:
    """The state of one stream, which lives as long as the body that made it."""

    def __init__(self) -> None:
        self._resampler = Resampler(AUDIO_RATE_HZ, EARS_HZ)
        self._rest = np.zeros(0, np.float32)
        self.words: list[str] = []

    def push(self, samples: Samples, last: bool = False) -> None:
        heard = np.concatenate([self._rest, self._resampler.push(samples, last)])
        frames, self._rest = np.split(heard, [len(heard) // FRAME * FRAME])
        self.words += ["loud" if loudness > LOUD else "quiet" for loudness in np.abs(frames.reshape(-1, FRAME)).mean(1)]


def hear(turn: Turn, item_id: str, outputs: list[Output]) -> Body:
    ears = Ears()
    while turn.waiting or not turn.committed:
        if turn.waiting:
            ears.push(turn.waiting.popleft())
        else:
            yield None
    ears.push(np.zeros(0, np.int16), last=True)
    outputs.append(TranscriptDone(item_id, " ".join(ears.words), len(ears.words)))


def transcribed(samples: Samples) -> str:
    """Sound that nobody listened to as it came."""
    ears = Ears()
    ears.push(samples, last=True)
    return " ".join(ears.words)
