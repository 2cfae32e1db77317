"""Chunks of any size -> frames of one size."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Framer:
    """Collects samples and hands out whole frames; what is left waits for more."""

    def __init__(self, frame_samples: int) -> None:
        self.frame_samples = frame_samples
        self._pending: FloatArray = np.zeros(0, np.float32)

    def push(self, samples: FloatArray) -> FloatArray:
        """[n] samples -> [frames, frame_samples], frames may be 0."""
        pending = np.concatenate([self._pending, samples]) if len(self._pending) else samples
        frames = len(pending) // self.frame_samples
        self._pending = pending[frames * self.frame_samples :].copy()
        return pending[: frames * self.frame_samples].reshape(frames, self.frame_samples)
