"""A text that is spoken while it is still being written, by a tiny random talker."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.nets.talker import LETTERS_AHEAD, Talker, TalkerConfig
from realtime_server.engine.talker.reply import Reply
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.speaking import speak
from realtime_server.engine.talker.spoken_form import SpokenForm
from realtime_server.engine.talker.steps import Speak
from realtime_server.engine.talker.voices import Voice
from tests.conftest import tiny_codec, tiny_decoder

VOICE = Voice(speaker=1, timbre={"low": 0.5, "high": 0.5})
TEXT = "It is seven thirty in the morning."


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    torch.manual_seed(5)
    config = TalkerConfig(width=32, talker_layers=2, heads=2, hidden=48, codebooks=2, codes=16)
    return Speaker(Talker(config).eval(), tiny_codec(), tiny_decoder(), torch.device("cpu"))


def request(name: str = "r") -> Any:
    return m.Respond(name, m.Context("", (), ()), True, "marin", "auto", None)


def all_of(speaker: Speaker, reply: Reply, more: list[str]) -> list[m.AudioDelta]:
    """Speaks it; whenever it waits, more of the text is written."""
    slot = speaker.slots.take()
    steps = speak(request(), slot, VOICE, speaker, reply, 0)
    rest, step = iter(more), next(steps)
    try:
        while True:
            if isinstance(step, Speak):
                step = steps.send(speaker.speak([step])[0])
            else:
                write(reply, next(rest, None))
                step = next(steps)
    except StopIteration:
        speaker.slots.give_back(slot)
    return [output for output in reply.outputs if isinstance(output, m.AudioDelta)]


def write(reply: Reply, text: str | None) -> None:
    reply.text += text or ""
    if reply.form is not None:
        reply.form.add(text) if text is not None else reply.form.close()
    reply.written = text is None


@given(size=st.integers(1, 40), normalised=st.booleans())
def test_it_sounds_the_same_however_it_is_written(speaker: Speaker, size: int, normalised: bool) -> None:
    pieces = [TEXT[n : n + size] for n in range(0, len(TEXT), size)]
    spoken = all_of(speaker, Reply(form=SpokenForm() if normalised else None), pieces)
    whole = all_of(speaker, Reply(TEXT, written=True), [])
    assert np.array_equal(np.concatenate([d.samples for d in spoken]), np.concatenate([d.samples for d in whole]))
    counted = [d.characters for d in spoken]
    assert counted == sorted(counted)
    assert counted[-1] == len(TEXT)


def test_it_waits_until_enough_is_written(speaker: Speaker) -> None:
    steps = speak(request(), 0, VOICE, speaker, Reply(TEXT[:LETTERS_AHEAD]), 0)
    assert next(steps) is None


def test_what_has_digits_is_spoken_to_its_end(speaker: Speaker) -> None:
    text = "It costs $12.50 at 7:30 pm."
    spoken = all_of(speaker, Reply(form=SpokenForm()), [text[n : n + 3] for n in range(0, len(text), 3)])
    assert spoken[-1].characters == len(text)


def test_speech_ends_at_the_limit(speaker: Speaker) -> None:
    reply = Reply(TEXT, written=True, limit=8)
    spoken = all_of(speaker, reply, [])
    assert reply.ran_out
    assert len(spoken) == 5


@given(st.lists(st.integers(0, 3), min_size=2, max_size=4))
def test_together_as_alone(speaker: Speaker, starts: list[int]) -> None:
    bodies = [speak(request(), speaker.slots.take(), VOICE, speaker, Reply(TEXT[n:], written=True), n) for n in starts]
    firsts = [next(body) for body in bodies]
    together = speaker.speak(firsts)  # type: ignore[arg-type]
    for first, one in zip(firsts, together, strict=True):
        (alone,) = speaker.speak([first])  # type: ignore[list-item]
        np.testing.assert_allclose(one.frames, alone.frames, atol=1e-3)
