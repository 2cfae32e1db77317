"""Streaming resamplers: chunks of any size in, what is ready out."""

from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from realtime_server.audio.formats import FULL_SCALE, FloatArray, Pcm, as_float


class Resampler:
    """One stream from one rate to another, as float in -1..1: an ear's (the SoX resampler). Equal rates pass untouched.

    It holds back up to 40 ms at these rates; 16-bit samples are taken as well.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ") if from_hz != to_hz else None

    def push(self, samples: FloatArray | Pcm, last: bool = False) -> FloatArray:
        """`last` drains what the filter still holds; the stream is over then."""
        floats: FloatArray = as_float(samples) if samples.dtype == np.int16 else samples  # type: ignore[arg-type, assignment]
        if self._stream is None:
            return floats
        result: FloatArray = self._stream.resample_chunk(np.ascontiguousarray(floats, np.float32), last=last)
        return result


SIDE = 24
"""Samples at the lower rate, on each side of the one that is made: 3 ms at 8 kHz, which is all that this filter holds back."""
KAISER_BETA, CUTOFF = 5.65, 0.925
"""-60 dB from half the lower rate on, which is far below G.711's own noise; flat up to 0.85 of it: the telephone's band."""
ONE = 1 << 20
"""Whole-number coefficients in units of this: sums are exact, so that no cut of the stream can change a bit of the result."""
HOPS = 32
"""Hops of the filter that are worked off in one row of the product."""
PIECE = 1 << 14
"""Samples that are worked off at once, so that a long chunk takes no more memory than its result."""


class PcmResampler:
    """One stream of 16-bit samples between rates of which one is a whole multiple of the other; equal rates pass untouched.

    A polyphase filter of our own: a library's holds back up to 75 ms, which a speech detector behind it would be late by.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._up, self._down = max(1, to_hz // from_hz), max(1, from_hz // to_hz)
        if from_hz * self._up != to_hz * self._down:
            raise ValueError(f"neither of {from_hz} and {to_hz} Hz is a multiple of the other")
        self._matrix = _toeplitz(self._up, self._down)
        self._side = SIDE * self._down
        self._begin()

    def _begin(self) -> None:
        """As before the first sample: silence behind it."""
        self._known: Pcm = np.zeros(self._side, np.int16)
        self._taken = self._made = 0

    @property
    def held(self) -> int:
        """How many more samples a drain would bring."""
        return -(-self._taken * self._up // self._down) - self._made

    def push(self, samples: Pcm, last: bool = False) -> Pcm:
        """`last` drains what the filter still holds; what is pushed after that is another stream."""
        if self._up == self._down:
            return samples
        made = [self._filter(samples[start : start + PIECE]) for start in range(0, len(samples), PIECE)]
        if last:
            wanted = self.held
            made.append(self._filter(np.zeros(self._side, np.int16))[:wanted])
            self._begin()
        return np.concatenate(made) if made else samples[:0]

    def _filter(self, samples: Pcm) -> Pcm:
        known, window = np.concatenate([self._known, samples]), 2 * self._side + 1
        hops = max(0, (len(known) - window) // self._down + 1)
        rows = -(-hops // HOPS)
        width = window + (HOPS - 1) * self._down
        padded = np.zeros(max(0, rows - 1) * HOPS * self._down + width)
        used = min(len(known), len(padded))
        padded[:used] = known[:used]
        windows = np.lib.stride_tricks.sliding_window_view(padded, width)[:: HOPS * self._down][:rows]
        sums = (np.ascontiguousarray(windows) @ self._matrix).ravel()[: hops * self._up]
        self._known = known[hops * self._down :]
        self._taken, self._made = self._taken + len(samples), self._made + len(sums)
        return np.clip(np.rint(sums / ONE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


@lru_cache
def _toeplitz(up: int, down: int) -> NDArray[np.float64]:
    """[window + (HOPS - 1) * down, HOPS * up] what each sample of a row gives to each that is made of it."""
    places = np.arange(-SIDE * down, SIDE * down + 1)[:, None] / down
    hop = _low_pass(places - np.arange(up) / up)
    hop = np.rint(hop / hop.sum(0) * ONE)
    matrix = np.zeros((len(hop) + (HOPS - 1) * down, HOPS * up))
    for n in range(HOPS):
        matrix[n * down : n * down + len(hop), n * up : (n + 1) * up] = hop
    return matrix


def _low_pass(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A windowed sinc; distances in samples at the lower rate."""
    inside = np.maximum(0.0, 1.0 - (distance / SIDE) ** 2)
    return np.sinc(distance * CUTOFF) * np.i0(KAISER_BETA * np.sqrt(inside)) * (np.abs(distance) <= SIDE)
