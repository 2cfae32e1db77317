"""Starling from commands to outputs: what is heard is answered, whoever talks beside, and a guess changes nothing but when."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.families.starling.model import StarlingModel
from tests.engine.ears.tiny import noise, speech
from tests.engine.families.starling.tiny import ARCHITECTURES, starling

Outputs = list[tuple[str, m.Output]]
CONTEXT = m.Context("Be brief.", (), ())
SIZE = {
    "type": "object",
    "properties": {"size": {"enum": ["small", "large"]}},
    "required": ["size"],
    "additionalProperties": False,
}
ORDER = m.Function("order", "Order a thing.", SIZE)


def run(model: StarlingModel) -> Outputs:
    outputs: Outputs = []
    while (told := model.step()) is not None:
        outputs += told
    return outputs


def told(outputs: Outputs, session_id: str) -> list[m.Output]:
    return [output for of, output in outputs if of == session_id]


def respond(items: Sequence[m.ContextItem], response_id: str = "r", limit: int = 20, **fields: object) -> m.Respond:
    values = {"audio": True, "voice": "marin", "tool_choice": "auto", "max_output_tokens": limit, **fields}
    context = m.Context("Be brief.", values.pop("tools", ()), tuple(items))  # type: ignore[arg-type]
    return m.Respond(response_id, context, **values)  # type: ignore[arg-type]


def typed(text: str) -> m.Message:
    return m.Message("typed", "user", (m.Text(text),))


def spoken(item_id: str, samples: m.Samples, transcript: str | None = None) -> m.Message:
    return m.Message(item_id, "user", (m.Audio(samples, transcript, item_id),))


def hear(model: StarlingModel, session_id: str, samples: m.Samples, size: int = 4800) -> Outputs:
    """A turn, in pieces, between which all that can moves."""
    outputs: Outputs = []
    model.run(session_id, m.Listen("turn", CONTEXT))
    for start in range(0, len(samples), size):
        model.run(session_id, m.Hear("turn", samples[start : start + size]))
        outputs += run(model)
    model.run(session_id, m.Commit("turn"))
    return outputs


def words(outputs: Sequence[m.Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, m.TextDelta))


def sound(outputs: Sequence[m.Output]) -> np.ndarray:
    return np.concatenate([output.samples for output in outputs if isinstance(output, m.AudioDelta)])


def test_what_is_heard_is_transcribed_answered_and_spoken() -> None:
    model, samples = starling(), speech(1.0, 0.6)
    outputs = hear(model, "s", samples)
    model.run("s", respond([spoken("turn", samples)], limit=300))
    outputs += run(model)
    kinds = [type(output) for _, output in outputs]
    assert kinds.index(m.TranscriptDone) < kinds.index(m.Prompted) < kinds.index(m.TextDelta) < kinds.index(m.AudioDelta)
    assert kinds[-1] is m.ResponseFinished
    model.end("s")
    assert model.ear.slots.in_use == model.speaker.slots.in_use == model.thinker.lm.slots.in_use == 0


@pytest.mark.parametrize("tools", [(), (ORDER,)])
@pytest.mark.parametrize("choice", ["auto", "none"])
def test_an_answer_that_was_guessed_is_the_one_that_is_asked_for(tools: tuple[m.Function, ...], choice: str) -> None:
    """Heard in pieces it was begun in the pause; given whole it was not; and typed it says the same."""
    samples = speech(1.0, 0.8)
    guessed = starling()
    context = m.Context("Be brief.", tools, ())
    guessed.run("s", m.Listen("turn", context))
    for start in range(0, len(samples), 4800):
        guessed.run("s", m.Hear("turn", samples[start : start + 4800]))
        run(guessed)
    assert guessed._sessions["s"].turns["turn"].guess is not None  # noqa: SLF001
    guessed.run("s", m.Commit("turn"))
    transcript = next(output.text for _, output in run(guessed) if isinstance(output, m.TranscriptDone))
    guessed.run("s", respond([spoken("turn", samples)], tools=tools, tool_choice=choice, limit=None))
    one = told(run(guessed), "s")
    other = starling()
    other.run("s", respond([typed(transcript)], tools=tools, tool_choice=choice, limit=None))
    two = told(run(other), "s")
    assert [o for o in one if not isinstance(o, m.AudioDelta | m.Prompted)] == [
        o for o in two if not isinstance(o, m.AudioDelta | m.Prompted)
    ]
    assert not words(one) or np.array_equal(sound(one), sound(two))


@given(st.lists(st.sampled_from(["Hello.", "What is the time?", "Water the plants"]), min_size=2, max_size=3))
@settings(max_examples=5)
def test_together_as_alone(texts: list[str]) -> None:
    model = starling()
    for n, text in enumerate(texts):
        model.run(f"s{n}", respond([typed(text)]))
    outputs = run(model)
    for n, text in enumerate(texts):
        alone = starling()
        alone.run("s", respond([typed(text)]))
        assert words(told(outputs, f"s{n}")) == words(told(run(alone), "s"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_call_fits_its_schema_whatever_model_thinks(architecture: str) -> None:
    model = starling(architecture)
    for n, choice in enumerate(("required", m.NamedFunction("order"))):
        model.run("s", respond([typed("A large one.")], f"r{n}", 200, tools=(ORDER,), tool_choice=choice))
        outputs = told(run(model), "s")
        started = [output.name for output in outputs if isinstance(output, m.CallStarted)]
        assert started[0] == "order"
        arguments = "".join(output.text for output in outputs if isinstance(output, m.CallArgumentsDelta))
        assert arguments.startswith(('{"size": "small"}', '{"size": "large"}'))
        assert not words(outputs)


def test_what_the_conversation_holds_is_not_read_again() -> None:
    model = starling()
    model.run("s", respond([typed("Hello there, how are you today?")]))
    first = told(run(model), "s")
    said = m.Message("said", "assistant", (m.Text(words(first)),))
    model.run(
        "s", respond([typed("Hello there, how are you today?"), said, m.Message("next", "user", (m.Text("And now?"),))], "r2")
    )
    counts = [output for output in [*first, *told(run(model), "s")] if isinstance(output, m.Prompted)]
    assert counts[0].cached_tokens == 0
    assert counts[1].cached_tokens >= counts[0].text_tokens - 1


def test_sessions_with_the_same_instructions_read_them_once() -> None:
    model, long = starling(), "Be brief and kind to everybody who calls. " * 8
    for session_id in "ab":
        model.run(session_id, m.Respond("r", m.Context(long, (), (typed("Hello."),)), False, "marin", "auto", 5))
        (count,) = [output for output in told(run(model), session_id) if isinstance(output, m.Prompted)]
        assert (count.cached_tokens > 100) is (session_id == "b")


def test_a_recording_is_heard_before_it_is_answered() -> None:
    model = starling()
    model.run("s", respond([spoken("recorded", speech(1.0))]))
    told_of = told(run(model), "s")
    assert isinstance(told_of[-1], m.ResponseFinished)
    assert model._sessions["s"].heard["recorded"] is not None  # noqa: SLF001


def test_noise_is_no_speech_and_silence_says_nothing() -> None:
    model = starling()
    outputs = hear(model, "s", noise(1.0, 1e-4)) + run(model)
    assert [output.text for output in told(outputs, "s") if isinstance(output, m.TranscriptDone)] == [""]


@pytest.mark.parametrize("when", [0, 1, 5, 30])
def test_who_cancels_frees_what_he_had(when: int) -> None:
    model, samples = starling(), speech(1.0, 0.6)
    hear(model, "s", samples)
    model.run("s", respond([spoken("turn", samples)], limit=None))
    for _ in range(when):
        model.step()
    model.run("s", m.Cancel("r"))
    run(model)
    model.run("s", m.Listen("next", CONTEXT))
    model.run("s", m.Forget("next"))
    run(model)
    model.end("s")
    assert model.ear.slots.in_use == model.speaker.slots.in_use == model.thinker.lm.slots.in_use == 0


def test_pictures_and_what_is_too_long_are_refused() -> None:
    model = starling()
    picture = m.Message("seen", "user", (m.Image("data:image/png;base64,AAAA"),))
    for items, code in (([picture], "unsupported_content_type"), ([typed("word " * 3000)], "context_length_exceeded")):
        model.run("s", respond(items))
        failed = [output.code for output in told(run(model), "s") if isinstance(output, m.ResponseFailed)]
        assert failed == [code]


def test_a_turn_in_which_nobody_spoke_is_answered_with_nothing() -> None:
    model, samples = starling(), np.zeros(24_000, np.int16)
    outputs = hear(model, "s", samples)
    model.run("s", respond([spoken("turn", samples)]))
    outputs += run(model)
    assert not [output for _, output in outputs if isinstance(output, m.TextDelta | m.AudioDelta)]
    assert told(outputs, "s")[-1] == m.ResponseFinished("r", "completed")
    model.run("s", respond([spoken("turn", samples), typed("Well?")], "again", limit=3))
    assert words([output for _, output in run(model)])
