"""Audio in chunks of any size equals audio at once: resampler, framer, mel, timeline."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.audio.framing import Framer
from realtime_server.audio.mel import LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.audio.timeline import Timeline

SIGNAL = np.random.default_rng(0).normal(0, 0.1, 9000).astype(np.float32)
cuts = st.lists(st.integers(0, len(SIGNAL)), max_size=12).map(sorted)


def chunks(at: list[int]) -> list[np.ndarray]:
    return np.split(SIGNAL, at)


@given(cuts)
def test_resampler(at: list[int]) -> None:
    whole = Resampler(24_000, 16_000).push(SIGNAL, last=True)
    stream = Resampler(24_000, 16_000)
    parts = [stream.push(chunk) for chunk in chunks(at)]
    parts.append(stream.push(SIGNAL[:0], last=True))
    assert np.array_equal(np.concatenate(parts), whole)
    assert abs(len(whole) - 6000) <= 1


def test_equal_rates_pass_through() -> None:
    assert Resampler(24_000, 24_000).push(SIGNAL) is SIGNAL


@given(cuts)
def test_framer(at: list[int]) -> None:
    framer = Framer(512)
    parts = [framer.push(chunk) for chunk in chunks(at)]
    assert np.array_equal(np.concatenate(parts).ravel(), SIGNAL[: len(SIGNAL) // 512 * 512])


@given(cuts)
def test_mel(at: list[int]) -> None:
    whole = LogMel().push(SIGNAL)
    stream = LogMel()
    parts = np.concatenate([stream.push(chunk) for chunk in chunks(at)])
    assert parts.shape == whole.shape == ((9000 - 400) // 160 + 1, 80)
    assert np.allclose(parts, whole, atol=1e-5)


def test_mel_of_white_noise_is_its_variance() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 160_000).astype(np.float32)
    assert np.allclose(np.exp(LogMel().push(noise)).mean(0), 0.01, rtol=0.1)


@given(cuts, st.integers(0, 9000), st.integers(0, 9000), st.integers(0, 9000))
def test_timeline(at: list[int], first: int, last: int, drop: int) -> None:
    timeline = Timeline(24_000)
    for chunk in chunks(at):
        timeline.append(chunk)
    timeline.drop_before(drop)
    assert timeline.end == len(SIGNAL)
    assert timeline.start == drop
    kept = SIGNAL[max(first, drop) : max(last, max(first, drop))]
    assert np.allclose(timeline.slice(first, last), kept, atol=1 / 32768)


def test_milliseconds_live_at_the_edge_only() -> None:
    timeline = Timeline(24_000)
    assert timeline.samples(timeline.ms(24_000 * 7)) == 24_000 * 7
