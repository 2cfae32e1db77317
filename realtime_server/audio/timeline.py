"""Audio addressed by absolute sample: position 0 is the first sample ever written, whatever has been dropped since."""

import numpy as np

from realtime_server.audio.formats import Pcm

LEAST_ROOM = 1 << 13


class Timeline:
    """Samples [start, end) are held, in one array; milliseconds exist only in `ms` and `samples`.

    Appending costs the same for each sample, in pieces of whatever size: the array doubles when it is full.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.start = self.end = 0
        self._room: Pcm = np.empty(LEAST_ROOM, np.int16)
        self._origin = 0
        """The position of the room's first sample."""

    def append(self, samples: Pcm) -> None:
        end = self.end + len(samples)
        if end - self._origin > len(self._room):
            self._move(end - self.start)
        self._room[self.end - self._origin : end - self._origin] = samples
        self.end = end

    def slice(self, first: int, last: int) -> Pcm:
        """Samples [first, last), clipped to what is held: a view, which never changes; who keeps it long copies it."""
        first, last = max(first, self.start), min(last, self.end)
        view = self._room[first - self._origin : max(first, last) - self._origin]
        view.flags.writeable = False
        return view

    def drop_before(self, position: int) -> None:
        self.start = max(self.start, min(position, self.end))
        held = self.end - self.start
        if len(self._room) > max(LEAST_ROOM, 4 * held):
            self._move(held)

    def _move(self, wanted: int) -> None:
        """Into an array with room for twice as many samples as are wanted; views of the old one stay as they are."""
        room: Pcm = np.empty(max(LEAST_ROOM, 2 * wanted), np.int16)
        held = self.slice(self.start, self.end)
        room[: len(held)] = held
        self._room, self._origin = room, self.start

    def ms(self, position: int) -> int:
        return position * 1000 // self.rate_hz

    def samples(self, milliseconds: int) -> int:
        return milliseconds * self.rate_hz // 1000
