"""Toy's voice: a tone for each token."""

import numpy as np

from realtime_server.audio.formats import as_pcm
from realtime_server.audio.resample import Resampler
from realtime_server.messages.samples import AUDIO_RATE_HZ, Samples

VOICE_HZ = 16_000
TOKEN_S = 0.08
PITCHES_HZ = {"voice_low": 110.0, "voice_high": 220.0}
USUAL_HZ = 160.0


class Voice:
    """The state of one stream of sound: the tone's phase, and the resampler's filter."""

    def __init__(self, pitch_hz: float, speed: float) -> None:
        self._pitch_hz, self._length = pitch_hz, int(VOICE_HZ * TOKEN_S / speed)
        self._resampler = Resampler(VOICE_HZ, AUDIO_RATE_HZ)
        self._phase = 0.0

    def say(self, token: int) -> Samples:
        turns = self._phase + np.arange(1, self._length + 1) * self._pitch_hz * (1 + token % 12 / 12) / VOICE_HZ
        self._phase = turns[-1] % 1
        return as_pcm(self._resampler.push((0.2 * np.sin(2 * np.pi * turns)).astype(np.float32)))

    def end(self) -> Samples:
        """What the resampler still holds."""
        return as_pcm(self._resampler.push(np.zeros(0, np.float32), last=True))
