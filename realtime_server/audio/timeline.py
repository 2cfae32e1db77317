"""Audio addressed by absolute sample: position 0 is the first sample ever written, whatever has been dropped since."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Timeline:
    """Samples [start, end) are held, as 16-bit integers; milliseconds exist only in `ms` and `samples`."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.start = self.end = 0
        self._chunks: deque[tuple[int, NDArray[np.int16]]] = deque()

    def append(self, samples: FloatArray) -> None:
        if len(samples):
            self._chunks.append((self.end, np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)))
            self.end += len(samples)

    def slice(self, first: int, last: int) -> FloatArray:
        """Samples [first, last), clipped to what is held."""
        first, last = max(first, self.start), min(last, self.end)
        parts = [
            chunk[max(0, first - at) : max(0, last - at)] for at, chunk in self._chunks if at < last and at + len(chunk) > first
        ]
        whole = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        return whole.astype(np.float32) / np.float32(32768)

    def drop_before(self, position: int) -> None:
        """Lets go of whole chunks that end at or before `position`."""
        while self._chunks and self._chunks[0][0] + len(self._chunks[0][1]) <= position:
            self._chunks.popleft()
        self.start = max(self.start, min(position, self.end))

    def ms(self, position: int) -> int:
        return position * 1000 // self.rate_hz

    def samples(self, milliseconds: int) -> int:
        return milliseconds * self.rate_hz // 1000
