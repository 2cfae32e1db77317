"""What was heard in a session, kept so that every answer hears it: a turn stands in a prompt as it stood while it was said."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from typing import Any

from torch import Tensor

from realtime_server.engine.families.wren.letters import evidence, likeness
from realtime_server.engine.families.wren.script import USER
from realtime_server.engine.runtime.steps import FRAME, Stream, Think, prefill

MOST_FRAMES = 2000
"""Of all turns that are kept: as many positions as a prompt has, which make 2 MB."""
FRAMES_AT_ONCE = 25
"""Of one step: others move in between."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A turn that was heard, up to where it seemed to be over."""

    key: str
    mark: int
    """The id of its frames in streams: no other turn of the session has it."""
    frames: Tensor
    """[n, width]"""
    tokens: list[int]
    """Of its transcript, which stands behind the frames."""
    transcript: str
    letters: Tensor | None = None
    """Log-probabilities [2 n, labels]; None where no frame was heard."""
    doubt: float = 0.0
    """Where it neither sounds like its transcript nor was sure to be written so."""

    @property
    def ids(self) -> list[int]:
        """As it stands in a stream."""
        return [*[self.mark] * len(self.frames), USER, *self.tokens]

    def evidence(self, options: list[str], function: str, parameter: str) -> list[float]:
        """What the sound says for each of some values of a function's parameter: see `letters`."""
        if self.letters is None:
            return [0.0] * len(options)
        return evidence(self.letters, self.transcript, options, function, parameter)

    def likeness(self, options: list[str]) -> list[float]:
        """How much better these fit what was heard than some of the words that were written: see `letters`."""
        return [-math.inf] * len(options) if self.letters is None else likeness(self.letters, self.transcript, options)


class Recordings:
    """The newest turns that were heard, by their keys."""

    def __init__(self) -> None:
        self._kept: dict[str, Recording] = {}
        self._marks = count(FRAME - 1, -1)

    def mark(self) -> int:
        """The id of the next turn's frames."""
        return next(self._marks)

    def keep(self, recording: Recording) -> None:
        self._kept.pop(recording.key, None)
        self._kept[recording.key] = recording
        while len(self._kept) > 1 and sum(len(kept.frames) for kept in self._kept.values()) > MOST_FRAMES:
            del self._kept[next(iter(self._kept))]

    def get(self, key: str) -> Recording | None:
        return self._kept.get(key)


def replay(stream: Stream, before: list[int], recording: Recording) -> Generator[Think, Any, None]:
    """Appends what the stream lacks of these ids and of the turn behind them."""
    frames, at = recording.frames, len(before)
    yield from prefill(stream, before[len(stream.ids) :])
    while (there := len(stream.ids) - at) < len(frames):
        part = frames[there : there + FRAMES_AT_ONCE]
        yield Think(stream, [recording.mark] * len(part), part)
    yield from prefill(stream, recording.ids[len(stream.ids) - at :])
