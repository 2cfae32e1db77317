"""The same sentence spoken by two people: which frame of the one goes with which of the other's."""

import math

import numpy as np

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.nets import vocoder
from realtime_server.training.wren.synthesis import LOUDNESS

QUIET = 0.006
"""Below it, what stands before and behind a sentence is cut off."""
SLANT = 0.3
"""What dynamic time warping pays for standing still in one of the two."""
Features = np.ndarray


def without_silence(audio: FloatArray) -> FloatArray:
    level = (audio * (LOUDNESS / max(1e-4, float(np.sqrt(np.mean(audio**2)))))).astype(np.float32)
    loud = np.flatnonzero(np.sqrt(np.convolve(level**2, np.ones(480) / 480, "same")) > QUIET)
    return np.asarray(level[max(0, loud[0] - 960) : loud[-1] + 2400])


def features(log_power: np.ndarray) -> Features:
    """[n, BINS] -> [n, 21]: mel cepstrum and loudness."""
    bands = np.log(np.exp(log_power.astype(np.float32)) @ vocoder.envelope_filters() + 1e-8)
    count = bands.shape[1]
    turns = np.pi * (np.arange(count)[:, None] + 0.5) * np.arange(1, 21) / count
    return np.concatenate([bands @ np.cos(turns) * math.sqrt(2 / count), 2 * bands.mean(1, keepdims=True)], axis=1)


def warped(pair: tuple[Features, Features]) -> np.ndarray:
    """[n, d], [m, d] -> [n], which of the second's frames each of the first's is (dynamic time warping, Sakoe and Chiba 1978).

    Of several, the middle one.
    """
    first, second = pair
    n, m = len(first), len(second)
    apart = np.sqrt(((first[:, None] - second[None]) ** 2).sum(-1))
    cost, came = np.full((n + 1, m + 1), np.inf), np.zeros((n, m), np.int8)
    cost[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        here = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        there = diagonal - here
        ways = np.stack([cost[here, there], cost[here, there + 1] + SLANT, cost[here + 1, there] + SLANT])
        came[here, there] = ways.argmin(0)
        cost[here + 1, there + 1] = apart[here, there] + ways.min(0)
    met: list[list[int]] = [[] for _ in range(n)]
    i, j = n - 1, m - 1
    while i >= 0 and j >= 0:
        met[i].append(j)
        way = came[i, j]
        i, j = i - (way != 2), j - (way != 1)
    return np.array([frames[len(frames) // 2] for frames in met])
