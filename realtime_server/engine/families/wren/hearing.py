"""A user turn being heard: samples in chunks of any size -> mel frames -> frames for the network."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from realtime_server.audio.mel import LOG_FLOOR, FloatArray, LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine.families.wren.steps import Heard
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.messages import AUDIO_RATE_HZ, Samples

EAR_RATE_HZ = 16_000
FRAME_SAMPLES = AUDIO_RATE_HZ * 80 // 1000
"""Of the inner language's audio, in one frame of the network."""
HEARD_AT_ONCE = 25 * FRAME_SAMPLES
"""Samples of one step: who sends a minute at once must not keep everybody else waiting for it."""
MAY_HAVE_ENDED, SEEMS_ENDED = 0.5, 0.8
"""The end-of-turn scores from which on what was said is drafted, and is taken to be over."""
FAR_FROM_ENDED = 0.05
"""Below, two frames are heard at once: that takes half the time, and before what is said is over the score has gone up."""


class FrameMaker:
    """Samples at AUDIO_RATE_HZ -> windows of mel frames, each new 80 ms frame with the history it depends on."""

    def __init__(self) -> None:
        self._resampler = Resampler(AUDIO_RATE_HZ, EAR_RATE_HZ)
        self._mel = LogMel(EAR_RATE_HZ)
        self._history: FloatArray = np.full((MEL_HISTORY, 80), np.log(LOG_FLOOR), np.float32)

    def push(self, samples: Samples, last: bool = False) -> FloatArray | None:
        """[MEL_HISTORY + 8 n, mels] for the n >= 1 frames that became whole; None when none did."""
        mel = np.concatenate([self._history, self._mel.push(self._resampler.push(samples, last=last))])
        frames = (len(mel) - MEL_HISTORY) // MEL_STRIDE
        if frames == 0:
            self._history = mel
            return None
        used = MEL_HISTORY + frames * MEL_STRIDE
        self._history = mel[frames * MEL_STRIDE :]
        return mel[:used]


@dataclass
class Intake:
    """A turn's audio, as far as it was not heard yet."""

    frames: FrameMaker = field(default_factory=FrameMaker)
    waiting: deque[Samples] = field(default_factory=deque)
    committed: bool = False

    @property
    def complete(self) -> bool:
        """Has everything been taken, and comes nothing more?"""
        return self.committed and not self.waiting

    @property
    def ready(self) -> bool:
        """Is there something that `take` would give at once?"""
        return bool(self.waiting) and (self.committed or sum(map(len, self.waiting)) >= 2 * FRAME_SAMPLES)

    def take(self, ended: float) -> FloatArray | None:
        """The next of what waits, as frames, if it is enough; the resampler's rest too at the end of a committed turn. `ended`:
        the end-of-turn score so far."""
        enough = 2 * FRAME_SAMPLES if ended < FAR_FROM_ENDED else 1
        if not self.committed and sum(map(len, self.waiting)) < enough:
            return None
        taken = [self.waiting.popleft()] if self.waiting else [np.zeros(0, np.int16)]
        while self.waiting and sum(map(len, taken)) + len(self.waiting[0]) <= HEARD_AT_ONCE:
            taken.append(self.waiting.popleft())
        samples = np.concatenate(taken)
        if len(samples) > HEARD_AT_ONCE:
            self.waiting.appendleft(samples[HEARD_AT_ONCE:])
            samples = samples[:HEARD_AT_ONCE]
        return self.frames.push(samples, last=self.complete)


@dataclass
class Sound:
    """What a turn sounded like."""

    frames: list[Tensor] = field(default_factory=list)
    """[n, width]"""
    number: int = 0
    """Of its frames."""
    score: float = 0.0
    """The end-of-turn score behind them."""
    letters: list[Tensor] = field(default_factory=list)
    """Log-probabilities [2 n, labels]."""
    spoken: bool = False
    """It has letters."""
    over: int | None = None
    """Up to the first frame behind the last letter at which what was said seems to be over."""

    @property
    def end(self) -> int:
        """How many frames are read. How long a turn is silent before it is committed does not matter: what was written when it
        seemed to be over stands."""
        return self.number if self.over is None else self.over

    def add(self, frames: Tensor, heard: Heard) -> None:
        """New frames [n, width] and what they told."""
        spoken = heard.letters.argmax(-1).view(-1, 2).any(1).tolist()
        for letter, score in zip(spoken, heard.ended.tolist(), strict=True):
            self.number += 1
            if letter:
                self.spoken, self.over = True, None
            elif self.spoken and self.over is None and score > SEEMS_ENDED:
                self.over = self.number
            self.score = score
        self.frames.append(frames)
        self.letters.append(heard.letters)

    def read(self) -> Tensor | None:
        """[T, labels] letters up to its end; None where no frame was heard."""
        return torch.cat(self.letters)[: 2 * self.end] if self.letters else None
