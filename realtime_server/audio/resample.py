"""A streaming resampler: chunks of any size in, what is ready out."""

import numpy as np
import soxr
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Resampler:
    """One stream from one rate to another (the SoX resampler); equal rates pass through untouched."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ") if from_hz != to_hz else None

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray:
        """`last` drains what the filter still holds; the stream is over then."""
        if self._stream is None:
            return samples
        result: FloatArray = self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32), last=last)
        return result
