"""Both detectors know speech from silence; many streams in a batch are many streams alone."""

import numpy as np
import pytest
import soundfile
import soxr

from realtime_server.turns.detectors import DETECTORS, FRAME_SAMPLES, FloatArray, Silero, SpeechDetector
from tests.conftest import RECORDINGS


@pytest.fixture(scope="module")
def speech() -> FloatArray:
    """[n, FRAME_SAMPLES] frames of a question, half a second of silence before and after it."""
    audio, rate = soundfile.read(RECORDINGS / "capital-of-france.flac", dtype="float32")
    audio = soxr.resample(audio, rate, 16_000)
    padded = np.concatenate([np.zeros(8192), audio, np.zeros(8192)]).astype(np.float32)
    return padded[: len(padded) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def listen(detector: SpeechDetector, frames: FloatArray) -> list[float]:
    state, result = detector.new_state(), []
    for frame in frames:
        probabilities, (state,) = detector.probabilities(frame[None], [state])
        result += probabilities
    return result


@pytest.mark.parametrize("name", DETECTORS)
def test_speech_is_found_where_it_is(name: str, speech: FloatArray) -> None:
    probabilities = listen(DETECTORS[name](), speech)
    assert max(probabilities[:12]) < 0.5
    assert np.mean(np.array(probabilities[20:-20]) > 0.5) > 0.8
    assert max(probabilities[-5:]) < 0.5


def test_a_batch_is_its_streams_alone(speech: FloatArray) -> None:
    detector = Silero()
    streams = [speech, speech[::-1].copy(), speech * 0.1]
    alone = [listen(detector, stream) for stream in streams]
    states, together = [detector.new_state() for _ in streams], []
    for frames in zip(*streams, strict=True):
        probabilities, states = detector.probabilities(np.stack(frames), states)
        together.append(probabilities)
    assert np.allclose(np.transpose(together), alone, atol=1e-5)
