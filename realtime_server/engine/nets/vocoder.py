"""Speech parameters -> 24 kHz samples: a source-filter vocoder in the manner of WORLD (Morise et al., 2016).

Voiced sound is a train of minimum-phase pulses, unvoiced sound is filtered noise; both have the frame's spectral
envelope. There is nothing to train here, and no look-ahead: 10 ms of parameters in, 10 ms of sound out.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from realtime_server.audio.mel import FloatArray, mel_filters

RATE_HZ = 24_000
HOP = 240
FFT_SIZE = 1024
BINS = FFT_SIZE // 2 + 1
ENVELOPE_MELS = 64
BANDS = 3
PARAMETERS = ENVELOPE_MELS + 2 + BANDS
"""One 10 ms frame of the codec: log envelope [64], log F0 in Hz, voicing (> 0.5 is voiced), aperiodicity [3] in 0..1."""
FRAME_SIZE = BINS + 2 + BANDS
"""One 10 ms frame to be made sound of: the same with the log power of every bin."""
ENVELOPE_FLOOR = 3e-7
"""What each band's power has in `PARAMETERS` besides its own, about 45 dB below speech: without it most of the codes' precision
goes into the depth of silences."""


@lru_cache
def envelope_filters() -> FloatArray:
    """[BINS, ENVELOPE_MELS]: power spectrum -> the mean power of each band."""
    return mel_filters(RATE_HZ, FFT_SIZE, ENVELOPE_MELS, 40.0, RATE_HZ / 2)


@lru_cache
def _envelope_matrix() -> FloatArray:
    """[ENVELOPE_MELS, BINS]: log band powers -> log power of every bin."""
    centres = (envelope_filters() * np.arange(BINS)[:, None]).sum(0)
    matrix = np.stack([np.interp(np.arange(BINS), centres, row) for row in np.eye(ENVELOPE_MELS)])
    return matrix.astype(np.float32)


def whole(parameters: FloatArray) -> FloatArray:
    """[..., PARAMETERS] -> [..., FRAME_SIZE], the floor taken off again: twice, since codes fluctuate around it."""
    bands = np.exp(parameters[..., :ENVELOPE_MELS]) - 2 * ENVELOPE_FLOOR
    power = np.log(np.maximum(bands, ENVELOPE_FLOOR / 100)) @ _envelope_matrix()
    return np.concatenate([power, parameters[..., ENVELOPE_MELS:]], axis=-1)


def _in_a_tract(log_power: FloatArray, warp: float) -> FloatArray:
    """[n, BINS] -> the same of a vocal tract `warp` times as short, which moves formants up. No matrix, for whose product BLAS
    would start threads."""
    at = np.minimum(np.arange(BINS) / warp, BINS - 1)
    low = at.astype(int)
    part = (at - low).astype(np.float32)
    return log_power[:, low] * (1 - part) + log_power[:, np.minimum(low + 1, BINS - 1)] * part


@lru_cache
def _band_matrix() -> FloatArray:
    """[BANDS + 2, BINS]: aperiodicity at 0, 3, 6, 9 and 12 kHz -> at every bin."""
    hz = np.arange(BINS) * RATE_HZ / FFT_SIZE
    points = np.array([0.0, 3000.0, 6000.0, 9000.0, 12000.0])
    return np.stack([np.interp(hz, points, row) for row in np.eye(5)]).astype(np.float32)


def minimum_phase(log_power: FloatArray) -> NDArray[np.complex64]:
    """[n, BINS] log power -> [n, BINS] spectrum with that power and minimum phase (by folding the cepstrum)."""
    cepstrum = np.fft.irfft(0.5 * log_power, axis=-1)
    half = FFT_SIZE // 2
    cepstrum[:, 1:half] *= 2.0
    cepstrum[:, half + 1 :] = 0.0
    logarithm = np.fft.rfft(cepstrum, axis=-1)
    return np.exp(logarithm.real) * _unit(logarithm.imag)


def _unit(phase: np.ndarray) -> NDArray[np.complex64]:
    """exp(i phase). numpy has fast sines for single precision, and slow powers of complex numbers."""
    result = np.empty(phase.shape, np.complex64)
    result.real, result.imag = np.cos(phase), np.sin(phase)
    return result


@dataclass(frozen=True)
class VoiceShape:
    """A voice made from a recorded one: F0 times `pitch`, formants times `formants`."""

    pitch: float = 1.0
    formants: float = 1.0


class Tempo:
    """Plays vocoder frames `speed` times as fast, in pieces: frames are interpolated, so the pitch stays."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._next = 0.0

    def push(self, frames: FloatArray) -> FloatArray:
        """[n, FRAME_SIZE] -> about [n / speed, FRAME_SIZE]; what is left over is carried into the next piece."""
        if self._speed == 1.0:
            return frames
        count = len(frames)
        at = np.arange(self._next, count, self._speed)
        self._next = (at[-1] + self._speed if len(at) else self._next) - count
        low = np.minimum(at.astype(int), count - 1)
        part = (at - low)[:, None].astype(np.float32)
        return np.asarray(frames[low] * (1 - part) + frames[np.minimum(low + 1, count - 1)] * part, np.float32)


class Vocoder:
    """One stream. `decode` takes [n, FRAME_SIZE] and returns n * HOP samples; state is the phase and the ringing tail."""

    def __init__(self, shape: VoiceShape = VoiceShape(), seed: int = 0) -> None:
        self._shape = shape
        self._random = np.random.default_rng(seed)
        self._tail = np.zeros(FFT_SIZE, np.float32)
        self._next_pulse = 0.0
        self._turn = (-2 * np.pi / FFT_SIZE * np.arange(BINS)).astype(np.float32)

    def decode(self, rows: FloatArray) -> FloatArray:
        frames, log_power = len(rows), rows[:, :BINS]
        if self._shape.formants != 1.0:
            log_power = _in_a_tract(log_power, self._shape.formants)
        f0 = np.exp(np.clip(rows[:, BINS], 3.5, 6.3)) * np.float32(self._shape.pitch)
        voiced = rows[:, BINS + 1] > 0.5
        bands = np.clip(rows[:, BINS + 2 :], 0.001, 0.999)
        edges = np.concatenate([np.full((frames, 1), 0.001), bands, np.full((frames, 1), 0.999)], axis=1)
        noise_share = np.where(voiced[:, None], (edges.astype(np.float32) @ _band_matrix()) ** 2, 1.0)
        spectrum = minimum_phase(log_power)
        pulse_spectrum = spectrum * np.sqrt(1.0 - np.minimum(noise_share, 1.0))
        noise_spectrum = spectrum * np.sqrt(noise_share)

        out = np.zeros(frames * HOP + FFT_SIZE, np.float32)
        out[: len(self._tail)] += self._tail
        self._add_noise(out, noise_spectrum)
        self._add_pulses(out, pulse_spectrum, f0, voiced)
        self._tail = out[frames * HOP :].copy()
        return out[: frames * HOP]

    def _add_noise(self, out: FloatArray, spectrum: NDArray[np.complex64]) -> None:
        noise = self._random.standard_normal((len(spectrum), HOP)).astype(np.float32)
        filtered = np.fft.irfft(np.fft.rfft(noise, FFT_SIZE, axis=-1) * spectrum, axis=-1)
        for n, piece in enumerate(filtered):
            out[n * HOP : n * HOP + FFT_SIZE] += piece

    def _add_pulses(self, out: FloatArray, spectrum: NDArray[np.complex64], f0: FloatArray, voiced: NDArray[np.bool_]) -> None:
        frames = len(spectrum)
        at, places, owners, gains = self._next_pulse, [], [], []
        while at < frames * HOP:
            frame = int(at) // HOP
            if not voiced[frame]:
                at = float((frame + 1) * HOP)
                continue
            period = RATE_HZ / float(f0[frame])
            places.append(at)
            owners.append(frame)
            gains.append(np.sqrt(period))
            at += period
        self._next_pulse = at - frames * HOP
        if not places:
            return
        whole = np.floor(places).astype(int)
        shift = _unit(self._turn * (np.asarray(places) - whole)[:, None].astype(np.float32))
        pulses = np.fft.irfft(spectrum[owners] * shift * np.asarray(gains, np.float32)[:, None], axis=-1)
        for start, pulse in zip(whole, pulses, strict=True):
            out[start : start + FFT_SIZE] += pulse
