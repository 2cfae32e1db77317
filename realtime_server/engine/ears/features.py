"""Log-mel frames as Whisper was trained on them, of sound that comes in chunks of any size."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.audio.formats import FloatArray

RATE_HZ = 16_000
HOP = 160
"""Samples from one frame to the next: 10 ms."""
WINDOW = 400
BEYOND = 2
"""Frames behind a sound's last one that still see its end."""
FRAMES_PER_S = RATE_HZ // HOP
FLOOR = -10.0
"""log10 of the least power; that of nothing at all."""
RANGE = 8.0
"""log10 of power between the loudest frame's loudest band and what still shows."""

LEAST_RANGE, MOST_RANGE = 0.6, 3.0
"""log10 of power from the quiet to the loud: with less there is no speech, and what is so much quieter than speech is none."""
SILENT = -6.5
"""The level of white noise at -70 dB of full scale: nobody speaks so quietly."""
QUIET = 0.35
"""The share of that range that is quiet."""


@lru_cache
def mel_filters(mels: int) -> Tensor:
    """[WINDOW // 2 + 1, mels] triangles of equal area on Slaney's scale: linear to 1 kHz, logarithmic above."""
    top = 15 + np.log(RATE_HZ / 2 / 1000) * 27 / np.log(6.4)
    points = np.linspace(0, top, mels + 2)
    hz = np.where(points < 15, points * 200 / 3, 1000 * np.exp((points - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)[:, None]
    rising, falling = (bins - hz[:-2]) / np.diff(hz)[:-1], (hz[2:] - bins) / np.diff(hz)[1:]
    return torch.from_numpy(np.maximum(0, np.minimum(rising, falling)) * 2 / (hz[2:] - hz[:-2])).float()


def spoken(levels: Tensor) -> Tensor:
    """[n] log10 of each frame's power -> whether it is louder than the quiet between words; none is where all are alike."""
    if len(levels) == 0:
        return torch.zeros(0, dtype=torch.bool)
    floor, top = torch.quantile(levels, torch.tensor([0.05, 0.95])).tolist()
    if top - floor < LEAST_RANGE or top < SILENT:
        return torch.zeros(len(levels), dtype=torch.bool)
    return levels.gt(max(floor + QUIET * (top - floor), top - MOST_RANGE))


class LogMel:
    """`push` takes sound in; frame t is centred on its sample t * HOP. The first frames see it mirrored, as in training.

    Frames are counted from the sound's first one, also where some are forgotten.
    """

    def __init__(self, mels: int = 80) -> None:
        self._filters = mel_filters(mels)
        self._window = torch.hann_window(WINDOW)
        self._pending: Tensor | None = None
        """Samples from the next frame's first on; None until the mirror is whole."""
        self._first = torch.zeros(0)
        self._frames: list[Tensor] = []
        self._levels: list[Tensor] = []
        self._samples = self._forgotten = 0

    @property
    def number(self) -> int:
        """How many frames the sound has, the last of which look beyond its end."""
        return -(-self._samples // HOP)

    def push(self, samples: FloatArray) -> None:
        """Floats in -1..1 at RATE_HZ."""
        self._samples += len(samples)
        new = torch.from_numpy(samples)
        if self._pending is None:
            self._first = torch.cat([self._first, new])
            if len(self._first) <= WINDOW // 2:
                return
            self._pending = F.pad(self._first[None], (WINDOW // 2, 0), mode="reflect")[0]
            self._first = torch.zeros(0)
        else:
            self._pending = torch.cat([self._pending, new])
        whole = (len(self._pending) - WINDOW) // HOP + 1 if len(self._pending) >= WINDOW else 0
        if whole:
            self._frames.append(self._powers(self._pending[: (whole - 1) * HOP + WINDOW]))
            self._levels.append((10 ** self._frames[-1]).mean(-1).log10())
            self._pending = self._pending[whole * HOP :].clone()

    def forget(self, before: int) -> None:
        """Whole frames before this one are asked for no more."""
        if before > self._forgotten and self._frames:
            frames, levels = torch.cat(self._frames), torch.cat(self._levels)
            number = min(before - self._forgotten, len(frames))
            self._frames, self._levels = [frames[number:].clone()], [levels[number:].clone()]
            self._forgotten += number

    def powers(self, start: int = 0) -> Tensor:
        """[number - start + BEYOND, mels] log10 of power; the last frames see silence behind the end."""
        held = torch.cat([*self._frames, self._tail()])
        self._frames = [held[: len(held) - self._open]] if self._frames else []
        return held[start - self._forgotten :]

    def window(self, start: int = 0, end: int | None = None, silence: int = 0) -> Tensor:
        """[n, mels] as the encoder takes them, of these frames and `silence` more behind them; n is even."""
        last = self.number if end is None else min(end, self.number)
        seeing = min(silence, BEYOND) if last == self.number else 0
        powers = self.powers(start)[: last + seeing - start]
        silence += (last - start + silence) % 2 - seeing
        powers = F.pad(powers, (0, 0, 0, silence), value=FLOOR)
        return (powers.clamp(min=float(powers.max()) - RANGE) + 4) / 4

    def spoken(self, start: int = 0) -> Tensor:
        """[n] of each whole frame from `start` on whether it is louder than the quiet between words."""
        self._levels = [torch.cat([torch.zeros(0), *self._levels])]
        return spoken(self._levels[0][start - self._forgotten :])

    @property
    def _open(self) -> int:
        """How many frames of the sound so far are not whole, with those beyond it."""
        return self.number + BEYOND - self._forgotten - sum(map(len, self._frames))

    def _tail(self) -> Tensor:
        pending = self._pending
        if pending is None:
            # Too short to be mirrored.
            pending = F.pad(self._first, (WINDOW // 2, 0))
        missing = (self._open - 1) * HOP + WINDOW - len(pending)
        return self._powers(F.pad(pending, (0, missing)))

    def _powers(self, samples: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(samples.unfold(0, WINDOW, HOP) * self._window)
        power = spectrum.real.square() + spectrum.imag.square()
        bands: Tensor = power @ self._filters
        return bands.clamp(min=10**FLOOR).log10()
