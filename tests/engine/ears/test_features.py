"""Frames are those of Whisper's own front end, whatever the chunks that the sound comes in."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import WhisperFeatureExtractor

from realtime_server.engine.ears.features import FLOOR, HOP, RANGE, RATE_HZ, LogMel, spoken

chunks = st.lists(st.integers(0, 900), min_size=1, max_size=12)


def sound(samples: int) -> np.ndarray:
    return (np.random.default_rng(samples).standard_normal(samples) * 0.1).astype(np.float32)


@given(chunks, st.booleans())
def test_chunks_of_any_size_are_the_whole(sizes: list[int], looked_at: bool) -> None:
    whole, parts, samples = LogMel(), LogMel(), sound(sum(sizes))
    whole.push(samples)
    for end, size in zip(np.cumsum(sizes), sizes, strict=True):
        parts.push(samples[end - size : end])
        if looked_at:
            parts.powers()
    assert parts.number == whole.number == -(-len(samples) // HOP)
    torch.testing.assert_close(parts.powers(), whole.powers(), atol=1e-4, rtol=1e-4)
    assert torch.equal(parts.spoken(), whole.spoken())


def test_a_window_is_what_whisper_was_trained_on() -> None:
    samples, mel = sound(RATE_HZ), LogMel()
    mel.push(samples)
    extract = WhisperFeatureExtractor()  # type: ignore[no-untyped-call]
    theirs = extract(samples, sampling_rate=RATE_HZ, return_tensors="pt").input_features[0].T
    torch.testing.assert_close(mel.window(silence=50), theirs[:150], atol=2e-3, rtol=0)


@given(st.integers(2000, 6000), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_window_is_even_and_within_its_range(samples: int, start: int, end: int, silence: int) -> None:
    mel = LogMel()
    mel.push(sound(samples))
    window = mel.window(start, start + 1 + end, silence)
    assert len(window) % 2 == 0
    assert len(window) >= silence + 1
    assert float(window.max() - window.min()) <= RANGE / 4 + 1e-5


def test_a_window_behind_its_sound_is_silent() -> None:
    mel = LogMel()
    mel.push(sound(RATE_HZ))
    assert mel.powers().min() >= FLOOR
    assert (mel.window(silence=30)[-28:] == mel.window(silence=30).min()).all()


def test_the_loud_frames_are_spoken() -> None:
    levels = torch.tensor([-6.0] * 30 + [-2.0] * 40 + [-6.0] * 30) + torch.rand(100) * 0.1
    assert spoken(levels).nonzero().flatten().tolist() == list(range(30, 70))


def test_nothing_is_spoken_where_all_is_alike() -> None:
    assert not spoken(torch.full((50,), -2.0) + torch.rand(50) * 0.2).any()
    assert spoken(torch.zeros(0)).shape == (0,)


@given(st.integers(2000, 6000), st.integers(0, 11), st.integers(0, 15))
def test_what_is_forgotten_changes_nothing_behind_it(samples: int, before: int, start: int) -> None:
    kept, less = LogMel(), LogMel()
    for made in (kept, less):
        made.push(sound(samples))
    less.forget(before)
    for made in (kept, less):
        made.push(sound(3000))
    start += before
    assert less.number == kept.number
    assert torch.equal(less.powers(start), kept.powers(start))
    assert torch.equal(less.window(start, silence=8), kept.window(start, silence=8))
    assert torch.equal(less.spoken(start), kept.spoken(start))
