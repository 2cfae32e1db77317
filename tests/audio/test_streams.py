"""Audio in chunks of any size equals audio at once: resampler, framer, mel, timeline."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.audio.formats import as_float, as_pcm
from realtime_server.audio.framing import Framer
from realtime_server.audio.mel import LogMel
from realtime_server.audio.resample import SIDE, PcmResampler, Resampler
from realtime_server.audio.timeline import LEAST_ROOM, Timeline

SIGNAL = np.random.default_rng(0).normal(0, 0.1, 9000).astype(np.float32)
PCM = as_pcm(SIGNAL)
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


def test_an_ear_takes_16_bits() -> None:
    assert np.array_equal(
        Resampler(24_000, 16_000).push(PCM, last=True), Resampler(24_000, 16_000).push(as_float(PCM), last=True)
    )


RATES = pytest.mark.parametrize(("from_hz", "to_hz"), [(8_000, 24_000), (24_000, 8_000), (24_000, 24_000)])


@RATES
@given(at=cuts)
def test_no_cut_of_a_stream_changes_a_bit(from_hz: int, to_hz: int, at: list[int]) -> None:
    whole = PcmResampler(from_hz, to_hz).push(PCM, last=True)
    stream = PcmResampler(from_hz, to_hz)
    parts = [stream.push(chunk) for chunk in np.split(PCM, at)]
    held = stream.held
    parts.append(stream.push(PCM[:0], last=True))
    assert len(parts[-1]) == held <= SIDE * max(1, to_hz // from_hz)
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) == len(PCM) * to_hz // from_hz


@RATES
def test_after_a_drain_it_is_as_new(from_hz: int, to_hz: int) -> None:
    stream = PcmResampler(from_hz, to_hz)
    stream.push(PCM, last=True)
    assert stream.held == 0
    assert np.array_equal(stream.push(PCM, last=True), PcmResampler(from_hz, to_hz).push(PCM, last=True))


@pytest.mark.parametrize("hz", [100, 1000, 3000, 3400])
def test_the_telephones_band_passes_unchanged_both_ways(hz: int) -> None:
    narrow, wide = (as_pcm(0.25 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)) for rate in (8_000, 24_000))
    for resampler, taken, wanted in ((PcmResampler(8_000, 24_000), narrow, wide), (PcmResampler(24_000, 8_000), wide, narrow)):
        error = as_float(resampler.push(taken, last=True)) - as_float(wanted)
        assert np.sqrt(np.mean(error[200:-200] ** 2)) < 0.25 * 10 ** (-50 / 20)


@pytest.mark.parametrize("hz", [4_100, 6_000, 9_000, 11_500])
def test_what_a_telephone_has_no_band_for_is_gone(hz: int) -> None:
    wide = as_pcm(0.25 * np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000))
    narrow = as_float(PcmResampler(24_000, 8_000).push(wide, last=True))
    assert np.sqrt(np.mean(narrow[200:-200] ** 2)) < 0.25 * 10 ** (-55 / 20)


def test_other_rates_are_for_the_other_resampler() -> None:
    with pytest.raises(ValueError, match="16000"):
        PcmResampler(24_000, 16_000)


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


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 60_000), st.integers(0, 60_000)), max_size=12))
def test_timeline(steps: list[tuple[int, int, int]]) -> None:
    """Of each step: how much is appended, before which sample all is dropped, from where it is read."""
    timeline, model, start = Timeline(24_000), np.zeros(0, np.int16), 0
    views = []
    for n, (length, drop, first) in enumerate(steps):
        piece = np.full(length, n, np.int16)
        timeline.append(piece)
        model = np.concatenate([model, piece])
        views.append((timeline.slice(first, first + 9000), model[max(first, start) : max(first, start, first + 9000)].copy()))
        timeline.drop_before(drop)
        start = max(start, min(drop, len(model)))
        assert (timeline.start, timeline.end) == (start, len(model))
        assert np.array_equal(timeline.slice(0, len(model)), model[start:])
        room = timeline.slice(0, len(model)).base
        assert room is not None
        assert len(room) <= max(LEAST_ROOM, 4 * (len(model) - start))
    # What was read before stays as it was.
    for view, then in views:
        assert np.array_equal(view, then)
        assert not view.flags.writeable


def test_a_timeline_copies_each_sample_few_times() -> None:
    """Sample by sample, it moves about as much as it holds."""

    class Counted(Timeline):
        moved = 0

        def _move(self, wanted: int) -> None:
            self.moved += self.end - self.start
            super()._move(wanted)

    timeline = Counted(24_000)
    for _ in range(100_000):
        timeline.append(PCM[:1])
    assert timeline.moved <= 2 * 100_000


def test_milliseconds_live_at_the_edge_only() -> None:
    timeline = Timeline(24_000)
    assert timeline.samples(timeline.ms(24_000 * 7)) == 24_000 * 7
