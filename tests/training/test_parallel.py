"""Which of one speaker's frames goes with which of another's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.nets.vocoder import BINS
from realtime_server.training.wren.parallel import features, warped, without_silence

FRAMES = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).normal(0, 3, (seed % 30 + 2, 5)))


@given(FRAMES)
def test_what_is_said_alike_is_found_where_it_is(frames: np.ndarray) -> None:
    assert warped((frames, frames)).tolist() == list(range(len(frames)))
    slower = frames.repeat(2, axis=0)
    assert warped((slower, frames)).tolist() == [n // 2 for n in range(len(slower))]
    assert (warped((frames, slower)) // 2).tolist() == list(range(len(frames)))


@given(FRAMES, FRAMES)
def test_nothing_is_said_before_what_stands_before_it(first: np.ndarray, second: np.ndarray) -> None:
    found = warped((first, second))
    assert len(found) == len(first)
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() < len(second)


def test_features_tell_sounds_apart_and_not_how_fine_they_are() -> None:
    low, high = np.full((2, 3, BINS), -9.0)
    low[:, :50] += 5
    high[:, 200:250] += 5
    assert np.abs(features(low) - features(high)).max() > 1
    ripple = low + 0.5 * (np.arange(BINS) % 2)
    assert np.abs(features(low) - features(ripple))[:, :-1].max() < 0.5


def test_silence_around_a_sentence_is_cut_off() -> None:
    tone = np.sin(np.arange(24_000) * 0.1).astype(np.float32)
    silence = np.zeros(12_000, np.float32)
    assert abs(len(without_silence(np.concatenate([silence, tone, silence]))) - len(tone)) < 5_000
