"""A recording is heard as a session hears it, and what is no speech is made anew with the same seed."""

import numpy as np
import pytest

from realtime_server.audio.formats import as_float
from realtime_server.training.starling.measures.hearing import listen, loud, noises
from tests.engine.ears.tiny import ear, noise, speech


def test_a_recording_is_one_turn() -> None:
    heard = listen(ear(), as_float(speech(1.0, 0.2, 0.6)))
    assert heard.cpu_ms >= heard.late_ms >= 0
    assert len(heard.said.states)


def test_nothing_is_written_of_nothing() -> None:
    assert listen(ear(), as_float(noise(1.0, 1e-4))).said.text == ""


def test_the_same_seed_makes_the_same_noises() -> None:
    once, again = (dict(noises(np.random.default_rng(3))) for _ in range(2))
    assert len(once) == 39
    for name, samples in once.items():
        assert np.array_equal(samples, again[name])
        assert samples.dtype == np.float32
        assert 0 < np.abs(samples).max() <= 3


def test_a_recording_is_made_loud_behind_silence() -> None:
    made = loud(np.array([0.01, -0.02], np.float32))
    assert np.abs(made).max() == pytest.approx(0.5)
    assert not made[:7200].any()
