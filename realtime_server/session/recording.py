"""The sound of one part of an item, and how far into its words each moment of it reaches."""

from dataclasses import dataclass, field

import numpy as np

from realtime_server.messages import Samples

SILENCE: Samples = np.zeros(0, np.int16)


@dataclass(eq=False)
class Recording:
    """At AUDIO_RATE_HZ. `key` is what the engine knows it by."""

    key: str = ""
    pieces: list[Samples] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    """(sample, characters): by this sample, so many characters of the transcript have been spoken."""
    length: int = 0
    """In samples, also of those that are no longer kept."""

    def append(self, samples: Samples, characters: int | None = None) -> None:
        self.pieces.append(samples)
        self.length += len(samples)
        if characters is not None:
            self.marks.append((self.length, characters))

    @property
    def kept(self) -> int:
        return self.length if self.pieces else 0

    def samples(self) -> Samples:
        """All that is kept, joined once: nobody may write into it."""
        if len(self.pieces) > 1:
            self.pieces = [np.concatenate(self.pieces)]
        return self.pieces[0] if self.pieces else SILENCE

    def cut(self, length: int) -> int:
        """Keeps the first `length` samples; returns how many characters had been spoken whole by then."""
        if self.pieces:
            self.pieces = [self.samples()[:length].copy()]
        self.length = min(self.length, length)
        spoken = max((characters for sample, characters in self.marks if sample <= length), default=0)
        self.marks = [mark for mark in self.marks if mark[0] <= length]
        return spoken

    def let_go(self) -> None:
        """The sound; what is known of it stays."""
        self.pieces = []


def whole_words(text: str, characters: int) -> str:
    """The first `characters` characters without a word that is cut in half."""
    if characters >= len(text):
        return text
    kept = text[:characters]
    if text[characters].isalnum() and kept and kept[-1].isalnum():
        kept = kept[: max(kept.rfind(" "), 0)]
    return kept.rstrip()
