"""Sound in pieces equals sound at once; power is the envelope's, pitch is the F0's."""

import numpy as np
import pytest

from realtime_server.engine.nets.vocoder import (
    BINS,
    ENVELOPE_FLOOR,
    ENVELOPE_MELS,
    FRAME_SIZE,
    HOP,
    PARAMETERS,
    RATE_HZ,
    Tempo,
    Vocoder,
    VoiceShape,
    whole,
)


def frames(count: int, f0_hz: float, voiced: bool, log_power: float = -5.0) -> np.ndarray:
    rows = np.zeros((count, FRAME_SIZE), np.float32)
    rows[:, :BINS] = log_power
    rows[:, BINS] = np.log(f0_hz)
    rows[:, BINS + 1] = voiced
    rows[:, BINS + 2 :] = 0.05
    return rows


def test_the_codecs_bands_become_bins_without_their_floor() -> None:
    rows = np.random.default_rng(1).normal(0, 1, (5, PARAMETERS)).astype(np.float32)
    loud, floor = whole(rows), rows.copy()
    floor[:, :ENVELOPE_MELS] = np.log(ENVELOPE_FLOOR)
    assert loud.shape == (5, FRAME_SIZE)
    assert np.array_equal(loud[:, BINS:], rows[:, ENVELOPE_MELS:])
    assert (loud[:, :BINS].max(1) <= rows[:, :ENVELOPE_MELS].max(1) + 1e-5).all()
    assert (loud[:, :BINS].min(1) >= rows[:, :ENVELOPE_MELS].min(1) - 1e-3).all()
    # A band that has nothing but the floor has next to nothing.
    assert (whole(floor)[:, :BINS] < np.log(ENVELOPE_FLOOR) - 4).all()


@pytest.mark.parametrize("formants", [0.9, 1.2])
def test_a_shorter_tract_moves_formants_up(formants: float) -> None:
    rows = frames(60, 100, voiced=False, log_power=-9.0)
    rows[:, :BINS] -= ((np.arange(BINS) - 64) / 8.0) ** 2
    sound = Vocoder(VoiceShape(formants=formants)).decode(rows)
    power = np.abs(np.fft.rfft(sound)) ** 2
    middle = (np.fft.rfftfreq(len(sound), 1 / RATE_HZ) * power).sum() / power.sum()
    assert middle == pytest.approx(formants * 64 * RATE_HZ / 1024, rel=0.02)


def test_pieces_equal_the_whole() -> None:
    rows = np.concatenate([frames(16, 120, True), frames(8, 120, False), frames(16, 200, True)])
    rows += np.random.default_rng(0).normal(0, 0.1, rows.shape).astype(np.float32)
    pieces = Vocoder()
    # Noise is drawn a piece at a time: the same pieces must be the same sound, and no piece may click at its border.
    parts = [pieces.decode(rows[n : n + 8]) for n in range(0, len(rows), 8)]
    again = Vocoder()
    assert np.array_equal(np.concatenate(parts), np.concatenate([again.decode(rows[n : n + 8]) for n in range(0, 40, 8)]))
    assert np.allclose(np.concatenate(parts), Vocoder().decode(rows), atol=1e-5)
    assert len(parts[0]) == 8 * HOP


@pytest.mark.parametrize("voiced", [True, False])
def test_power(voiced: bool) -> None:
    sound = Vocoder().decode(frames(200, 150, voiced))[RATE_HZ // 2 :]
    assert np.log(np.mean(sound**2)) == pytest.approx(-5.0, abs=0.4)


@pytest.mark.parametrize("speed", [0.25, 0.8, 1.0, 1.5])
def test_tempo_changes_the_length_and_not_the_pitch(speed: float) -> None:
    tempo = Tempo(speed)
    rows = frames(160, 150, True)
    rows[:, 0] = np.arange(160)
    played = np.concatenate([tempo.push(rows[n : n + 8]) for n in range(0, 160, 8)])
    assert len(played) == pytest.approx(160 / speed, abs=1)
    assert np.allclose(np.exp(played[:, BINS]), 150, rtol=1e-5)
    assert (np.diff(played[:, 0]) >= 0).all()


@pytest.mark.parametrize(("f0", "shape"), [(100, VoiceShape()), (180, VoiceShape()), (150, VoiceShape(pitch=1.2))])
def test_pitch(f0: float, shape: VoiceShape) -> None:
    sound = Vocoder(shape).decode(frames(100, f0, True))[4800:]
    spectrum = np.fft.rfft(sound, 1 << 17)
    autocorrelation = np.fft.irfft(np.abs(spectrum) ** 2)
    lags = np.arange(RATE_HZ // 400, RATE_HZ // 60)
    lag = lags[autocorrelation[lags].argmax()]
    assert RATE_HZ / lag == pytest.approx(f0 * shape.pitch, rel=0.02)
