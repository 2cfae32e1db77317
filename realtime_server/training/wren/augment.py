"""Makes clean mel frames sound like a room, a microphone and a telephone: all in the log-mel domain, about 1 ms each."""

import numpy as np

from realtime_server.audio.mel import LOG_FLOOR, FloatArray
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE

MELS = 80
FLOOR = float(np.log(LOG_FLOOR))
Random = np.random.Generator


def windows(mel: FloatArray) -> FloatArray:
    """[n, MELS] -> [MEL_HISTORY + MEL_STRIDE * (n // MEL_STRIDE), MELS]: whole frames for the ear, silence before the first."""
    whole = mel[: len(mel) // MEL_STRIDE * MEL_STRIDE].astype(np.float32)
    return np.pad(whole, ((MEL_HISTORY, 0), (0, 0)), constant_values=FLOOR)


def pad(mel: FloatArray, random: Random) -> tuple[FloatArray, int]:
    """Silence before (the turn's prefix padding) and after (the wait for its end); where the silence after begins."""
    before, after = int(random.integers(2, 42)), int(random.integers(8, 70))
    return np.pad(mel, ((before, after), (0, 0)), constant_values=FLOOR), before + len(mel)


def add(mel: FloatArray, noise: FloatArray | np.float32) -> FloatArray:
    """The sum of two sounds, in log power."""
    return np.logaddexp(mel, noise).astype(np.float32)


BEFORE_S, AFTER_S = 0.3, 0.5
"""What server VAD leaves around a turn by default."""


def in_quiet(mel: FloatArray, before: int = round(100 * BEFORE_S), after: int = round(100 * AFTER_S)) -> FloatArray:
    """With so many frames of a quiet room around it."""
    padded = np.pad(mel.astype(np.float32), ((before, after), (0, 0)), constant_values=FLOOR)
    return add(padded, np.float32(-13.0))


def noise_like(mel: FloatArray, level: float, random: Random) -> FloatArray:
    """[T, MELS] log power of coloured noise, slowly swelling, around `level`."""
    tilt = np.linspace(0, random.uniform(-3.0, 1.0), MELS)
    bumps = np.interp(np.arange(MELS), np.linspace(0, MELS, 8), random.normal(0, 0.8, 8))
    swell = np.interp(np.arange(len(mel)), np.linspace(0, len(mel), 5), random.normal(0, 0.5, 5))
    grain = np.log(random.gamma(2.5, 1 / 2.5, mel.shape) + 1e-3)
    return (level + tilt + bumps + swell[:, None] + grain).astype(np.float32)


def noisy(mel: FloatArray, ratio_db: float, random: Random) -> FloatArray:
    """With noise so far below its loud moments."""
    return add(mel, noise_like(mel, float(np.percentile(mel.mean(1), 90)) - ratio_db * 0.23, random))


def microphone(random: Random) -> FloatArray:
    """[MELS] what some microphone adds to the log power of each band."""
    return np.interp(np.arange(MELS), np.linspace(0, MELS, 6), random.normal(0, 0.9, 6)).astype(np.float32)


def resample(mel: FloatArray, tempo: float | np.ndarray, warp: float, wobble: float | np.ndarray = 0.0) -> FloatArray:
    """Faster by `tempo`, one or [T]; formants times `warp`, and moved by `wobble` bands, one or [MELS]."""
    steps = np.full(len(mel), 1 / tempo)
    at = np.cumsum(steps) - steps[0]
    times = np.interp(np.arange(0, at[-1]), at, np.arange(len(mel)))
    low = times.astype(int)
    part = (times - low)[:, None].astype(np.float32)
    mel = mel[low] * (1 - part) + mel[np.minimum(low + 1, len(mel) - 1)] * part
    bins = np.clip(np.arange(MELS) / warp + wobble, 0, MELS - 1.001)
    low = bins.astype(int)
    across = (bins - low).astype(np.float32)
    return mel[:, low] * (1 - across) + mel[:, low + 1] * across


def another_talker(mel: FloatArray, random: Random) -> FloatArray:
    """Another vocal tract, tempo and stress: half of the time one that changes from sound to sound, as people's do."""
    tempo, warp = random.uniform(0.75, 1.3), random.uniform(0.87, 1.15)
    if random.random() < 0.5:
        return resample(mel, tempo, warp)
    knots = np.linspace(0, len(mel), 2 + len(mel) // 15)
    uneven = tempo * np.exp(np.interp(np.arange(len(mel)), knots, random.normal(0, 0.2, len(knots))))
    stress = np.interp(np.arange(len(mel)), knots, random.normal(0, 0.7, len(knots)))[:, None]
    wobble = np.interp(np.arange(MELS), np.linspace(0, MELS, 7), random.normal(0, 0.8, 7))
    return resample((mel + stress).astype(np.float32), uneven, warp, wobble)


def reverberate(mel: FloatArray, random: Random) -> FloatArray:
    """Each frame's power leaks into the next ones: a decay of 0.1 to 0.5 s, 8 to 20 dB below the direct sound."""
    decay = np.exp(-13.8 * 0.01 / random.uniform(0.1, 0.5))
    amount = 10 ** (-random.uniform(0.8, 2.0))
    power = np.exp(mel)
    tail = np.zeros(MELS, np.float32)
    out = np.empty_like(power)
    for t, row in enumerate(power):
        out[t] = row + amount * tail
        tail = tail * decay + row
    return np.log(out + LOG_FLOOR).astype(np.float32)


def clean(mel: FloatArray, random: Random) -> tuple[FloatArray, int]:
    """Another level and a faint noise floor; the frame at which speech ends."""
    mel, end = pad(mel, random)
    mel = mel + np.float32(random.uniform(-1.5, 1.0))
    return add(mel, noise_like(mel, random.uniform(-14.0, -11.0), random)), end


SOFTEST = 5.0
"""Log power (22 dB) below the loudest moment: whoever cuts recordings takes what is softer for silence."""


def cut_closely(mel: FloatArray, random: Random) -> FloatArray:
    """Without the silence around it, and without up to 40 ms of its first and its last sound."""
    loud = mel.mean(1)
    (heard,) = np.nonzero(loud > loud.max() - SOFTEST)
    start, end = heard[0] + random.integers(0, 5), heard[-1] + 1 - random.integers(0, 5)
    return mel[start:end] if end - start > 16 else mel


def spoilt(mel: FloatArray, random: Random) -> tuple[FloatArray, int]:
    """A different talker in a different room at a different microphone; the frame at which speech ends."""
    if random.random() < 0.8:
        mel = another_talker(mel, random)
    if len(mel) > 24 and random.random() < 0.3:
        mel = cut_closely(mel, random)
    mel, end = pad(mel, random)
    if random.random() < 0.5:
        mel = reverberate(mel, random)
    mel = mel + microphone(random) + random.uniform(-2.5, 2.0)
    mel = noisy(mel, random.uniform(3.0, 28.0), random)
    if random.random() < 0.35:
        # A telephone: nothing above 3 to 4 kHz, and mostly nothing below 300 Hz.
        top = int(random.integers(52, 62))
        mel[:, top:] = noise_like(mel, random.uniform(-13.5, -11.0), random)[:, top:]
        if random.random() < 0.6:
            mel[:, :6] -= 3.0
    for _ in range(random.integers(0, 3)):
        start, width = random.integers(0, MELS - 8), random.integers(1, 8)
        mel[:, start : start + width] = mel.mean()
    return np.maximum(mel, FLOOR), end


def trimmed(mel: FloatArray, random: Random) -> tuple[FloatArray, int]:
    """A word that was recorded in a room with some noise and then cut out at what seemed to be its edges, noise and all: at its
    borders every sound begins and ends as abruptly as stops do. With the frame at which it ends."""
    if random.random() < 0.9:
        mel = another_talker(mel, random)
    if random.random() < 0.3:
        mel = reverberate(mel, random)
    mel = mel + microphone(random) + random.uniform(-2.5, 1.0)
    mel = noisy(mel, random.uniform(10.0, 45.0), random)
    bands = MELS
    if random.random() < 0.6:
        bands = int(random.integers(54, 62))
        mel[:, bands:] = FLOOR
        if random.random() < 0.3:
            mel[:, :6] -= 3.0
    # By its power below the limit of its bandwidth, as whoever cuts it sees it.
    power = np.log(np.exp(mel[:, :bands]).mean(1))
    (heard,) = np.nonzero(power > power.max() - random.uniform(4.0, 35.0) * 0.23)
    start, end = max(0, heard[0] - random.integers(0, 4)), heard[-1] + 1 + random.integers(0, 6)
    mel = mel[start:end] if end - start > 16 else mel
    mel, end = pad(mel, random)
    return add(mel, np.float32(random.uniform(-13.5, -12.0))), end


def masked(mel: FloatArray, random: Random) -> FloatArray:
    """Up to three moments of up to 120 ms are gone (SpecAugment's time masks), so that nobody learns recordings by heart."""
    mel = mel.copy()
    for _ in range(random.integers(0, 4)):
        start, width = random.integers(0, len(mel)), random.integers(1, 13)
        mel[start : start + width] = mel.mean()
    return mel


def no_speech(random: Random) -> FloatArray:
    """Noise, hum or tones, to be answered with 'I did not catch that'."""
    mel = np.full((int(random.integers(40, 250)), MELS), FLOOR, np.float32)
    mel = add(mel, noise_like(mel, random.uniform(-13.0, -3.0), random))
    for _ in range(random.integers(0, 5)):
        start, length = random.integers(0, len(mel) - 10), random.integers(10, 80)
        centre, level = random.integers(2, 60), random.uniform(-5.0, 0.0)
        tone = (level - 0.8 * np.abs(np.arange(MELS) - centre)).astype(np.float32)
        mel[start : start + length] = add(mel[start : start + length], tone[None])
    return mel
