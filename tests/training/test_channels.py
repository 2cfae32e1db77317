"""A room and a telephone do to speech what they say, and keep all of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.training.wren.augment import AFTER_S, BEFORE_S
from realtime_server.training.wren.channels import (
    LONGEST_TAIL_S,
    RATE_HZ,
    SIGNAL_TO_NOISE_DB,
    level,
    reverberated,
    room,
    some_room,
    telephone,
)

BEFORE, AFTER = int(BEFORE_S * RATE_HZ), int(AFTER_S * RATE_HZ)


def speech(seed: int, seconds: float = 2.0) -> np.ndarray:
    """Syllables of noise."""
    random = np.random.default_rng(seed)
    swell = np.abs(np.sin(np.arange(int(seconds * RATE_HZ)) / RATE_HZ * 9))
    return (random.normal(0, 0.1, len(swell)) * swell).astype(np.float32)


@given(st.integers(0, 50), st.floats(0.5, 3.0))
@settings(max_examples=20)
def test_a_room_is_as_noisy_as_it_says(seed: int, seconds: float) -> None:
    # Pink noise is mostly slow: a moment of it tells little of its level.
    quiet = 3 * RATE_HZ
    audio = np.pad(speech(seed, seconds), (quiet, 0))
    heard = room(audio, np.random.default_rng(seed))
    assert len(heard) == BEFORE + len(audio) + AFTER
    noise, said = level(heard[: BEFORE + quiet]), level(heard[BEFORE + quiet : -AFTER])
    ratio_db = 10 * np.log10(said**2 / noise**2 - 1)
    assert abs(ratio_db - SIGNAL_TO_NOISE_DB) < 3
    assert level(heard[-1600:]) < said


def test_rooms_go_on_after_the_last_sound_and_die_away() -> None:
    power = np.zeros(AFTER)
    for seed in range(40):
        audio = np.random.default_rng(seed).normal(0, 0.1, RATE_HZ).astype(np.float32)
        power += room(audio, np.random.default_rng(seed))[-AFTER:] ** 2
    first, soon, last = (float(power[at : at + 800].mean()) for at in (0, 1600, AFTER - 800))
    assert first > 1.3 * soon
    assert first > 1.5 * last


@given(st.integers(0, 50), st.floats(-3.0, 20.0), st.floats(0.1, 1.0))
@settings(max_examples=20)
def test_what_comes_back_is_as_far_below_the_direct_sound_as_it_says(seed: int, direct_db: float, decay_s: float) -> None:
    click = np.zeros(2 * RATE_HZ, np.float32)
    click[100] = 1.0
    heard = reverberated(click, decay_s, direct_db, np.random.default_rng(seed))
    assert abs(heard[:101] - click[:101]).max() < 1e-6
    assert abs(-10 * np.log10(np.sum(heard[101:] ** 2)) - direct_db) < 0.5
    assert abs(heard[101 + int(decay_s * RATE_HZ) :]).max() < 1e-6


@given(st.integers(0, 50))
@settings(max_examples=20)
def test_some_room_keeps_the_speech_where_it_was(seed: int) -> None:
    audio = speech(seed)
    heard = some_room(audio, np.random.default_rng(seed))
    assert len(heard) == len(audio) + int(LONGEST_TAIL_S * RATE_HZ)
    assert np.corrcoef(heard[: len(audio)], audio)[0, 1] > 0.6


@given(st.integers(0, 50))
@settings(max_examples=20)
def test_a_telephone_has_nothing_above_4_khz_and_what_is_below_is_kept(seed: int) -> None:
    audio = speech(seed)
    heard = telephone(audio, np.random.default_rng(0))
    assert abs(len(heard) - (BEFORE + len(audio) + AFTER)) <= 2
    power = np.abs(np.fft.rfft(heard)) ** 2
    given_power = np.abs(np.fft.rfft(audio)) ** 2
    hz = np.fft.rfftfreq(len(heard), 1 / RATE_HZ)
    given_hz = np.fft.rfftfreq(len(audio), 1 / RATE_HZ)
    assert power[hz > 4300].sum() < 1e-3 * power.sum()
    low = power[hz < 3000].sum() / len(heard), given_power[given_hz < 3000].sum() / len(audio)
    assert 0.8 < low[0] / low[1] < 1.2
