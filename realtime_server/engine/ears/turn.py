"""A user's turn as an ear takes it in: sound in chunks of any size, where in it he speaks, and what was written of it."""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_server.audio.resample import Resampler
from realtime_server.engine.ears.features import FRAMES_PER_S, RATE_HZ, LogMel
from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.transcribing import Window
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.messages import AUDIO_RATE_HZ, Samples

PAUSE = 20
"""Quiet frames (200 ms) behind which a turn may be over."""
SAME = 8
"""Frames by which its end may seem to move as the quiet is better known."""
BEFORE, BEHIND = 30, 30
"""Frames of what is not speech that a window has on either side, at most."""
SILENCE, LEAST = 100, 600
"""Frames put behind them, and more where a window would be shorter: the ear learned from long ones, which end in silence. With
400 one word in a hundred more is wrong; with 800 three in a thousand fewer, and a short turn costs a third more."""
GROWN = FRAMES_PER_S
"""Frames that a live turn grows by between two drafts."""
LONGEST = 24 * FRAMES_PER_S
"""Frames of a window, of the 30 s that the ear can hear at once: longer turns are written piece by piece."""
STATES_KEPT = 4
"""Windows of a turn whose states are kept: a minute and a half."""


@dataclass
class Turn:
    """`waiting`: sound that is not taken in yet; `committed`: no more will come. live: words are wanted before that."""

    live: bool = False
    language: str = "en"
    keywords: Keywords = Keywords()
    waiting: deque[Samples] = field(default_factory=deque)
    committed: bool = False
    mel: LogMel = field(default_factory=LogMel)
    begin: int = 0
    """The frame from which on nothing is settled."""
    settled: list[Transcript] = field(default_factory=list)
    draft: "Draft | None" = None
    told: int = 0
    """How many tokens of the draft the client has."""

    def __post_init__(self) -> None:
        self._resampler: Resampler | None = Resampler(AUDIO_RATE_HZ, RATE_HZ)

    def take(self) -> None:
        """Takes in what waits, as far as a window reaches; the resampler's rest too at the end of a committed turn."""
        while self.waiting and self._resampler and self.mel.number - self.begin < LONGEST:
            self.mel.push(self._resampler.push(self.waiting.popleft()))
        if self.committed and not self.waiting and self._resampler:
            self.mel.push(self._resampler.push(np.zeros(0, np.int16), last=True))
            self._resampler = None

    def settle(self, frame: int, said: Transcript | None = None) -> None:
        """What was said before this frame is not written again. Of a long turn only the newest states are kept."""
        self.begin, self.draft, self.told = frame, None, 0
        self.mel.forget(frame)
        if said is not None:
            self.settled.append(said)
        for n, old in enumerate(self.settled[:-STATES_KEPT]):
            self.settled[n] = replace(old, states=old.states[:0])

    def speech(self) -> "Speech":
        frames = self.mel.spoken(self.begin)
        places = frames.nonzero().flatten()
        if not len(places):
            return Speech(self.begin, self.begin, 0, self.mel.number)
        first, last = int(places[0]), int(places[-1])
        return Speech(self.begin + first, self.begin + last + 1, int(frames.sum()), self.mel.number)

    def window(self, speech: "Speech") -> Window:
        """What is not settled, without the silence around it but for a little."""
        start = max(self.begin, speech.first - BEFORE)
        end = min(speech.heard, speech.end + BEHIND)
        tokens = self.draft.transcript.tokens if self.draft else ()
        mel = self.mel.window(start, end, max(SILENCE, LEAST - (end - start)))
        return Window(mel, (speech.end - start) / FRAMES_PER_S, self.language, self.keywords, tokens, self.told)


@dataclass(frozen=True)
class Speech:
    """Of what is not settled: its first frame, the one behind its last, how many of those between are loud, and how many frames
    were heard in all."""

    first: int
    end: int
    loud: int
    heard: int

    @property
    def pauses(self) -> bool:
        return self.loud > 0 and self.heard - self.end >= PAUSE


@dataclass(frozen=True)
class Draft:
    """What was written of this speech."""

    transcript: Transcript
    speech: Speech

    def holds(self, speech: Speech) -> bool:
        """Has nothing been said since?"""
        return speech.end - self.speech.end <= SAME
