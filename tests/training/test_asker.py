"""The model is asked as a session would, at once or as time goes by."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.wren import writing
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.nets.wren import MEL_STRIDE
from realtime_server.training.wren.asker import Asker

CONTEXT = m.Context("Your name is Robin.", (), ())


@given(frames=st.integers(1, 8), rest=st.integers(0, MEL_STRIDE - 1), seed=st.integers(0, 9))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_comes_in_time_is_answered_as_what_comes_at_once(tiny_model: WrenModel, frames: int, rest: int, seed: int) -> None:
    asker = Asker(tiny_model)
    mel = np.random.default_rng(seed).normal(-6.0, 3.0, (frames * MEL_STRIDE + rest, 80)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "LONGEST_REPLY", 3)
        answer = asker.ask(mel, CONTEXT, audio=True)
        wait_s, sound_s = asker.in_real_time(mel, CONTEXT)
    assert sound_s == len(answer.sound) / m.AUDIO_RATE_HZ
    assert (wait_s is not None) == (sound_s > 0)
    assert wait_s is None or wait_s > 0
    assert tiny_model.slots.in_use == tiny_model.runner.speaker.slots.in_use == 0
