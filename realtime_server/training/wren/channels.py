"""The ways that a voice takes: rooms, for training; a room with noise and a telephone line, for measuring.

Whatever else training hears is spoilt as spectra (`augment`). Samples at 16 kHz, with the silence around them as a session's
turn has it.
"""

from collections.abc import Callable

import numpy as np

from realtime_server.audio.formats import FORMATS, as_pcm
from realtime_server.audio.mel import FloatArray
from realtime_server.audio.resample import Resampler
from realtime_server.training.wren.augment import AFTER_S, BEFORE_S

RATE_HZ = 16_000
SIGNAL_TO_NOISE_DB, DIRECT_TO_REVERBERANT_DB = 10.0, 6.0
LONGEST_TAIL_S = 0.2
Channel = Callable[[FloatArray, np.random.Generator], FloatArray]


def room(audio: FloatArray, random: np.random.Generator) -> FloatArray:
    """Speech some steps away from the microphone, 10 dB above pink noise.

    Its response is noise that decays by 60 dB in 0.25 to 0.6 s (Polack 1988), 6 dB below the direct sound.
    """
    reverberant = reverberated(padded(audio), random.uniform(0.25, 0.6), DIRECT_TO_REVERBERANT_DB, random)
    noise = pink(len(reverberant), random)
    noise *= level(reverberant) * 10 ** (-SIGNAL_TO_NOISE_DB / 20) / level(noise)
    return np.asarray(reverberant + noise, np.float32)


def some_room(audio: FloatArray, random: np.random.Generator) -> FloatArray:
    """Any room, small or large, near the microphone or far from it; without noise."""
    longer = np.pad(audio, (0, int(LONGEST_TAIL_S * RATE_HZ)))
    return reverberated(longer, random.uniform(0.15, 0.9), random.uniform(-2.0, 16.0), random).astype(np.float32)


def reverberated(audio: FloatArray, decay_s: float, direct_db: float, random: np.random.Generator) -> np.ndarray:
    """Of the same length; the direct sound is so much above all that follows it."""
    tail = random.normal(size=int(decay_s * RATE_HZ)) * 10 ** (-3 * np.linspace(0, 1, int(decay_s * RATE_HZ)))
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = len(audio) + len(tail)
    return np.asarray(np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)[: len(audio)])


def telephone(audio: FloatArray, _: np.random.Generator) -> FloatArray:
    """8 kHz and G.711's mu-law, there and back."""
    line = FORMATS["audio/pcmu"]
    narrow = Resampler(RATE_HZ, line.rate_hz).push(padded(audio), last=True)
    return Resampler(line.rate_hz, RATE_HZ).push(line.decode(line.encode(as_pcm(narrow))), last=True)


def padded(audio: FloatArray) -> FloatArray:
    return np.pad(audio, (int(BEFORE_S * RATE_HZ), int(AFTER_S * RATE_HZ)))


def pink(length: int, random: np.random.Generator) -> np.ndarray:
    """Noise whose power falls with its frequency."""
    spectrum = np.fft.rfft(random.normal(size=length))
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), length))


def level(audio: np.ndarray) -> float:
    """Root mean square of its moments of 20 ms that are at most 20 dB below the loudest: pauses do not count."""
    moments = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    power = (moments**2).mean(1)
    return float(np.sqrt(power[power >= power.max() / 100].mean()))
