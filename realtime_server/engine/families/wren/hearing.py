"""A user turn being heard: samples in chunks of any size -> mel frames -> frames for the network."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from realtime_server.audio.mel import LOG_FLOOR, FloatArray, LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine.families.wren.letters import doubt, evidence, likeness
from realtime_server.engine.families.wren.steps import Heard
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.engine.runtime.steps import FRAME, Stream
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


@dataclass(frozen=True)
class Written:
    """What the first `frames` of a turn say: tokens; pieces of words with their log-probabilities, of which the client has
    `told`."""

    frames: int
    tokens: list[int]
    pieces: list[str]
    logprobs: list[float]
    told: int


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


@dataclass
class HeardTurn:
    """One user turn: what comes of its audio, what it sounded like, and what was understood of it."""

    item_id: str
    stream: Stream
    context_ids: list[int]
    key: str
    """Of its recording: the item's id, where it is heard as it is said."""
    mark: int = FRAME
    """The id of its frames in streams: no other turn of the session has it."""
    live: bool = False
    """Words are wanted before the turn is complete."""
    keywords: tuple[str, ...] = ()
    """Words and phrases that are likely to be said, as they are written in a transcript."""
    frames: FrameMaker = field(default_factory=FrameMaker)
    waiting: deque[Samples] = field(default_factory=deque)
    committed: bool = False
    sound: Sound = field(default_factory=Sound)
    draft: list[int] = field(default_factory=list)
    """The tokens that were written last, before anything was looked up."""
    written: Written | None = None
    """What was said before the last pause."""
    reply: list[int] = field(default_factory=list)
    """How the reply to the draft, or to that, would begin."""
    told: list[tuple[int, float]] = field(default_factory=list)
    """Tokens of the transcript that the client has already, with their log-probabilities."""
    transcript: str | None = None
    unread: list[int] = field(default_factory=list)
    """Of what the stream is to end with, what it does not hold yet: the words, where they were written before."""
    doubt: float = 0.0
    cached: int = 0
    """Positions of the context that the stream held already."""
    wanted: bool = False
    """A response waits for its transcript."""
    over: bool = False

    def understood(self, transcript: str, logprobs: list[float]) -> None:
        """`logprobs`: of its tokens. Doubt is where a turn neither sounds like its transcript nor was sure to be written so."""
        self.transcript, sounded = transcript, self.sound.read()
        if sounded is not None and logprobs:
            self.doubt = max(0.0, doubt(sounded, transcript)) * -float(np.mean(logprobs))

    def as_it_stood(self) -> tuple[Tensor, list[int]]:
        """The frames [n, width] that stand before its transcript, and that transcript's tokens; once it is understood."""
        assert self.written is not None
        frames = torch.cat(self.sound.frames) if self.sound.frames else torch.zeros(0)
        return frames[: self.written.frames], self.written.tokens

    def evidence(self, options: list[str], function: str, parameter: str) -> list[float]:
        """What the sound says for each of some values of a function's parameter: see `letters`."""
        sounded = self.sound.read()
        if sounded is None:
            return [0.0] * len(options)
        return evidence(sounded, self.transcript or "", options, function, parameter)

    def likeness(self, options: list[str]) -> list[float]:
        """How much better these fit what was heard than some of the words that were written: see `letters`."""
        sounded = self.sound.read()
        return [-math.inf] * len(options) if sounded is None else likeness(sounded, self.transcript or "", options)

    @property
    def behind(self) -> bool:
        """Is there something that `take` would give at once?"""
        return bool(self.waiting) and (self.committed or sum(map(len, self.waiting)) >= 2 * FRAME_SAMPLES)

    def take(self) -> FloatArray | None:
        """The next of what waits, as frames, if it is enough; the resampler's rest too at the end of a committed turn."""
        enough = 2 * FRAME_SAMPLES if self.sound.score < FAR_FROM_ENDED else 1
        if not self.committed and sum(map(len, self.waiting)) < enough:
            return None
        taken = [self.waiting.popleft()] if self.waiting else [np.zeros(0, np.int16)]
        while self.waiting and sum(map(len, taken)) + len(self.waiting[0]) <= HEARD_AT_ONCE:
            taken.append(self.waiting.popleft())
        samples = np.concatenate(taken)
        if len(samples) > HEARD_AT_ONCE:
            self.waiting.appendleft(samples[HEARD_AT_ONCE:])
            samples = samples[:HEARD_AT_ONCE]
        return self.frames.push(samples, last=self.committed and not self.waiting)
