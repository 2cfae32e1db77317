"""The wire's bytes and back."""

import numpy as np
import pytest

from realtime_server.audio.formats import FORMATS, as_float, as_pcm


@pytest.mark.parametrize("name", FORMATS)
def test_every_code_comes_back(name: str) -> None:
    shape = FORMATS[name]
    data = np.arange(65536, dtype="<u2").tobytes() if shape.bytes_per_sample == 2 else bytes(range(256))
    again = shape.encode(shape.decode(data))
    # mu-law has two zeros, which are one sample.
    assert shape.decode(again).tolist() == shape.decode(data).tolist()


@pytest.mark.parametrize(("name", "code", "sample"), [
    ("audio/pcmu", 0xFF, 0), ("audio/pcmu", 0x80, 32124), ("audio/pcmu", 0x00, -32124), ("audio/pcmu", 0xF0, 120),
    ("audio/pcma", 0xD5, 8), ("audio/pcma", 0x55, -8), ("audio/pcma", 0xAA, 32256), ("audio/pcma", 0x2A, -32256),
])  # fmt: skip
def test_the_recommendations_values(name: str, code: int, sample: int) -> None:
    """G.711, tables 1a to 2b, scaled to 16 bits."""
    assert FORMATS[name].decode(bytes([code]))[0] == sample


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_g711_keeps_speech_within_its_noise(name: str) -> None:
    samples = (0.3 * np.sin(np.arange(8000) * 0.3)).astype(np.float32)
    error = as_float(FORMATS[name].decode(FORMATS[name].encode(as_pcm(samples)))) - samples
    assert 10 * np.log10(np.mean(samples**2) / np.mean(error**2)) > 35


def test_loud_samples_are_clipped() -> None:
    assert as_pcm(np.array([-3.0, 3.0], np.float32)).tolist() == [-32768, 32767]


def test_float_and_back_is_the_same() -> None:
    every = np.arange(-32768, 32768).astype(np.int16)
    assert np.array_equal(as_pcm(as_float(every)), every)
