"""What is done to recordings leaves them recordings, and what was said in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.wren import augment


@given(st.integers(1, 60), st.integers(0, 1000))
def test_masks_hide_at_most_three_moments(length: int, seed: int) -> None:
    mel = np.random.default_rng(0).normal(-6, 2, (length, 80)).astype(np.float32)
    changed = augment.masked(mel, np.random.default_rng(seed))
    hidden = (changed != mel).any(1)
    assert hidden.sum() <= 36
    assert (np.diff(hidden.astype(int), prepend=0) == 1).sum() <= 3


@given(st.integers(1, 300), st.integers(0, 1000))
def test_another_talker_says_the_same_in_other_time(length: int, seed: int) -> None:
    mel = np.random.default_rng(seed).normal(-6, 2, (length, 80)).astype(np.float32)
    other = augment.another_talker(mel, np.random.default_rng(seed))
    assert other.shape[1] == 80
    assert 0.4 * length - 1 <= len(other) <= 2.5 * length + 1
    assert np.isfinite(other).all()


@given(st.integers(2, 300), st.floats(0.7, 1.4))
def test_an_even_tempo_is_one_tempo(length: int, tempo: float) -> None:
    mel = np.random.default_rng(0).normal(-6, 2, (length, 80)).astype(np.float32)
    one, even = augment.resample(mel, tempo, 1.0), augment.resample(mel, np.full(length, tempo), 1.0)
    shared = min(len(one), len(even))
    assert abs(len(one) - len(even)) <= 1
    assert abs(shared - length / tempo) <= 2
    assert np.allclose(one[:shared], even[:shared], atol=1e-2)
    assert np.allclose(augment.resample(mel, 1.0, 1.0)[:, :79], mel[: length - 1, :79], atol=1e-5)


@pytest.mark.parametrize("change", [augment.clean, augment.spoilt, augment.trimmed])
def test_augmentation_keeps_mel_frames(change: object) -> None:
    assert callable(change)
    mel = np.random.default_rng(0).normal(-6, 2, (150, 80)).astype(np.float32)
    for seed in range(20):
        changed, end = change(mel, np.random.default_rng(seed))
        assert changed.shape[1] == 80
        assert 0 < end < len(changed) - 7
        assert len(changed) > 100
        assert np.isfinite(changed).all()


@given(st.integers(20, 150), st.integers(0, 1000))
def test_around_what_was_trimmed_is_nothing_but_a_quiet_floor(length: int, seed: int) -> None:
    mel = np.random.default_rng(0).uniform(-4, 0, (length, 80)).astype(np.float32)
    changed, end = augment.trimmed(mel, np.random.default_rng(seed))
    floor = changed[-1]
    assert (floor == floor[0]).all() and floor[0] < -11.8
    assert (changed[end:] == floor).all()
    # It begins and ends at once.
    (heard,) = np.nonzero((changed > floor).any(1))
    assert heard[0] >= 2
    assert heard[-1] < end


@given(st.integers(0, 60), st.integers(25, 100), st.integers(0, 60), st.integers(0, 1000))
def test_a_close_cut_takes_the_silence_and_little_of_what_was_said(before: int, said: int, behind: int, seed: int) -> None:
    loud = np.random.default_rng(seed).uniform(-2.0, 0.0, (said, 80)).astype(np.float32)
    mel = np.pad(loud, ((before, behind), (0, 0)), constant_values=augment.FLOOR)
    cut = augment.cut_closely(mel, np.random.default_rng(seed))
    assert said - 8 <= len(cut) <= said
    start = next(n for n in range(5) if np.array_equal(loud[n : n + len(cut)], cut))
    assert start + len(cut) <= said
