"""Log-mel frames: what a network hears. Streaming and offline are the same code, so they are equal by construction."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

LOG_FLOOR = 1e-6


@lru_cache
def mel_filters(rate_hz: int, fft_size: int, mels: int, low_hz: float, high_hz: float) -> FloatArray:
    """[fft_size // 2 + 1, mels] triangular filters, each normalised to unit sum (HTK mel scale)."""
    low_mel, high_mel = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (low_hz, high_hz))
    points = 700.0 * (10.0 ** (np.linspace(low_mel, high_mel, mels + 2) / 2595.0) - 1.0)
    bins = np.arange(fft_size // 2 + 1) * rate_hz / fft_size
    rising = (bins[:, None] - points[:-2]) / np.diff(points)[:-1]
    falling = (points[2:] - bins[:, None]) / np.diff(points)[1:]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A low filter can be narrower than one bin: give it the nearest bin rather than nothing.
    nearest = np.round(points[1:-1] * fft_size / rate_hz).astype(int)
    empty = filters.sum(0) < 1e-8
    filters[nearest[empty], np.flatnonzero(empty)] = 1.0
    return np.asarray(filters / filters.sum(0), dtype=np.float32)


class LogMel:
    """Samples in chunks of any size -> log-mel frames [n, mels]; frame t covers samples [t*hop, t*hop + window).

    Power is that of the Hann-windowed frame divided by the window's energy, so white noise of variance v gives v.
    """

    def __init__(self, rate_hz: int = 16_000, window: int = 400, hop: int = 160, mels: int = 80) -> None:
        self.window, self.hop = window, hop
        self._fft_size = 1 << (window - 1).bit_length()
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(window) + 0.5) / window)
        self._hann = (hann / np.sqrt(np.sum(hann**2))).astype(np.float32)
        self._filters = mel_filters(rate_hz, self._fft_size, mels, 20.0, rate_hz / 2)
        self._pending = np.zeros(0, np.float32)

    def push(self, samples: FloatArray) -> FloatArray:
        pending = np.concatenate([self._pending, samples]) if len(self._pending) else samples
        frames = (len(pending) - self.window) // self.hop + 1 if len(pending) >= self.window else 0
        self._pending = pending[frames * self.hop :].copy()
        if frames == 0:
            return np.zeros((0, self._filters.shape[1]), np.float32)
        view = np.lib.stride_tricks.sliding_window_view(pending, self.window)[:: self.hop][:frames]
        power = np.abs(np.fft.rfft(view * self._hann, self._fft_size)).astype(np.float32) ** 2
        return np.asarray(np.log(power @ self._filters + LOG_FLOOR), np.float32)
