"""The model as the worker drives it, on tiny random weights: streamed = offline, batched = alone, cancelled = never happened."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.audio.formats import as_float
from realtime_server.engine.families.wren import transcribing
from realtime_server.engine.families.wren.hearing import FrameMaker
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy import rescoring
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.runtime.scheduler import Limits
from tests.conftest import tiny_net, tiny_wren
from tests.engine.families.wren.test_script import SCRIPT

CONTEXT = m.Context("", (), ())
Outputs = list[tuple[str, m.Output]]


def sound(seed: int, seconds: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3277, int(24_000 * seconds)).astype(np.int16)


def run(model: WrenModel, most: int = 2000) -> Outputs:
    outputs: Outputs = []
    for _ in range(most):
        step = model.step()
        if step is None:
            return outputs
        outputs += step
    raise AssertionError("the model did not come to an end")


def respond(item_id: str, response_id: str, context: m.Context = CONTEXT, **more: Any) -> m.Respond:
    items = (*context.items, m.Message(item_id, "user", (m.Audio(sound(0), None, item_id),)))
    fields: dict[str, Any] = {"audio": True, "voice": "marin", "tool_choice": "auto", "max_output_tokens": 60} | more
    return m.Respond(response_id, m.Context(context.instructions, context.tools, items), **fields)


def turn(model: WrenModel, session_id: str, seed: int, cuts: tuple[int, ...] = (), **more: Any) -> Outputs:
    """One spoken turn, its audio in these pieces, the model running in between."""
    outputs: Outputs = []
    item = f"item{seed}"
    model.run(session_id, m.Listen(item, CONTEXT))
    for piece in np.split(sound(seed), cuts):
        model.run(session_id, m.Hear(item, piece))
        outputs += run(model)
    model.run(session_id, m.Commit(item))
    model.run(session_id, respond(item, f"resp{seed}", **more))
    return outputs + run(model)


def told(outputs: Outputs, session_id: str) -> tuple[str, str, np.ndarray]:
    mine = [o for sid, o in outputs if sid == session_id]
    heard = "".join(o.text for o in mine if isinstance(o, m.TranscriptDelta))
    text = "".join(o.text for o in mine if isinstance(o, m.TextDelta))
    parts = [o.samples for o in mine if isinstance(o, m.AudioDelta)]
    return heard, text, np.concatenate(parts) if parts else np.zeros(0, np.int16)


def same(a: tuple[str, str, np.ndarray], b: tuple[str, str, np.ndarray]) -> bool:
    return a[:2] == b[:2] and np.allclose(as_float(a[2]), as_float(b[2]), atol=1e-3)


def test_a_turn_is_heard_answered_and_ended(tiny_model: WrenModel) -> None:
    outputs = [o for _, o in turn(tiny_model, "s", 1)]
    heard = next(o for o in outputs if isinstance(o, m.TranscriptDone))
    assert heard.text == "".join(o.text for o in outputs if isinstance(o, m.TranscriptDelta)).strip()
    finished = outputs[-1]
    assert isinstance(finished, m.ResponseFinished)
    sounds = [o for o in outputs if isinstance(o, m.AudioDelta)]
    assert sounds
    assert [o.characters for o in sounds] == sorted(o.characters for o in sounds)
    assert all(len(o.samples) == 1920 for o in sounds)


@given(st.lists(st.integers(0, 24_000), max_size=6).map(sorted))
@settings(max_examples=15)
def test_frames_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    whole = FrameMaker().push(sound(3), last=True)
    maker, frames = FrameMaker(), 0
    pieces = [maker.push(piece) for piece in np.split(sound(3), cuts)] + [maker.push(sound(3)[:0], last=True)]
    assert whole is not None
    for piece in pieces:
        if piece is not None:
            count = (len(piece) - 7) // 8
            assert np.allclose(piece, whole[8 * frames : 8 * (frames + count) + 7], atol=1e-4)
            frames += count
    assert frames == (len(whole) - 7) // 8


@pytest.mark.parametrize("cuts", [(), (100, 5000, 5001, 17_000), tuple(range(960, 24_000, 960))])
def test_streamed_equals_at_once(tiny_model: WrenModel, cuts: tuple[int, ...]) -> None:
    first = told(turn(tiny_model, "a", 1), "a")
    assert same(told(turn(tiny_model, "b", 1, cuts), "b"), first)


def test_batched_equals_alone(tiny_model: WrenModel) -> None:
    alone = [told(turn(tiny_model, f"alone{n}", n), f"alone{n}") for n in range(4)]
    for n in range(4):
        tiny_model.run(f"s{n}", m.Listen(f"item{n}", CONTEXT))
        tiny_model.run(f"s{n}", m.Hear(f"item{n}", sound(n)))
        tiny_model.run(f"s{n}", m.Commit(f"item{n}"))
        tiny_model.run(f"s{n}", respond(f"item{n}", f"resp{n}"))
    together = run(tiny_model)
    for n in range(4):
        assert same(told(together, f"s{n}"), alone[n])


def test_keywords_are_listened_for_in_live_turns_and_in_recordings(
    tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened_for = list[tuple[str, ...]]()

    class Rescorer(rescoring.Rescorer):
        def __init__(self, *known: Any) -> None:
            super().__init__(*known)
            listened_for.append(self.keywords)

    monkeypatch.setattr(transcribing, "Rescorer", Rescorer)
    context = replace(CONTEXT, keywords=("Zoë", "iced mocha"))
    tiny_model.run("live", m.Listen("item", context))
    tiny_model.run("live", m.Hear("item", sound(1)))
    tiny_model.run("live", m.Commit("item"))
    recorded = replace(context, items=(m.Message("recorded", "user", (m.Audio(sound(1), None, "recorded"),)),))
    tiny_model.run("recorded", m.Respond("resp", recorded, False, "marin", "auto", None))
    run(tiny_model)
    assert listened_for == [("zoe", "iced mocha")] * 2


def test_the_answer_depends_on_the_sound(tiny_model: WrenModel, script: Script) -> None:
    # Not every network that has learned nothing tells these two apart.
    tiny_model.runner.net.load_state_dict(tiny_net(script, 1).state_dict())
    assert not same(told(turn(tiny_model, "s", 1), "s"), told(turn(tiny_model, "s", 2), "s"))


def test_a_cancelled_answer_touches_nobody(tiny_model: WrenModel) -> None:
    alone = told(turn(tiny_model, "alone", 1), "alone")
    for session_id in ("kept", "cut"):
        tiny_model.run(session_id, m.Listen("item1", CONTEXT))
        tiny_model.run(session_id, m.Hear("item1", sound(1)))
        tiny_model.run(session_id, m.Commit("item1"))
        tiny_model.run(session_id, respond("item1", f"resp-{session_id}"))
    outputs: Outputs = []
    while not any(isinstance(o, m.AudioDelta) for _, o in outputs):
        outputs += tiny_model.step() or []
    tiny_model.run("cut", m.Cancel("resp-cut"))
    rest = run(tiny_model)
    assert not [o for sid, o in rest if sid == "cut"]
    assert same(told(outputs + rest, "kept"), alone)


def test_a_held_session_waits_and_then_goes_on(tiny_model: WrenModel) -> None:
    first = told(turn(tiny_model, "a", 1), "a")
    tiny_model.hold("b", True)
    before = turn(tiny_model, "b", 1)
    assert not [o for _, o in before if isinstance(o, m.AudioDelta)]
    tiny_model.hold("b", False)
    assert same(told(before + run(tiny_model), "b"), first)


def test_the_token_limit_ends_the_answer(tiny_model: WrenModel) -> None:
    finished = turn(tiny_model, "s", 1, max_output_tokens=3)[-1][1]
    assert isinstance(finished, m.ResponseFinished)
    assert finished.reason == "max_output_tokens"


def test_a_text_answer_has_no_sound(tiny_model: WrenModel) -> None:
    outputs = turn(tiny_model, "s", 1, audio=False)
    assert not [o for _, o in outputs if isinstance(o, m.AudioDelta)]
    assert isinstance(outputs[-1][1], m.ResponseFinished)


def test_a_context_that_may_not_be_cut_fails_clearly(tiny_model: WrenModel) -> None:
    long = m.Message("a", "user", (m.Text("apple " * 3000),))
    tiny_model.run("s", m.Respond("r", m.Context("", (), (long,), m.Truncation(allowed=False)), False, "marin", "auto", None))
    failed = run(tiny_model)[-1][1]
    assert isinstance(failed, m.ResponseFailed)
    assert failed.code == "context_length_exceeded"


def test_a_slower_voice_takes_longer(tiny_model: WrenModel) -> None:
    usual, slow = (told(turn(tiny_model, f"s{speed}", 1, speed=speed), f"s{speed}")[2] for speed in (1.0, 0.5))
    assert len(slow) == pytest.approx(2 * len(usual), rel=0.02)


def test_what_the_contexts_share_is_not_run_again(tiny_model: WrenModel) -> None:
    message = m.Message("a", "user", (m.Text("hello"),))
    for n, cached in ((1, False), (2, True)):
        request = m.Respond(f"r{n}", m.Context("", (), (message,)), False, "marin", "auto", 20)
        tiny_model.run("s", request)
        (prompted,) = [output for _, output in run(tiny_model) if isinstance(output, m.Prompted)]
        assert (prompted.cached_tokens > 0) is cached


def test_audio_that_came_as_an_item_is_heard(tiny_model: WrenModel) -> None:
    tiny_model.run("s", respond("item", "r"))
    outputs = [o for _, o in run(tiny_model)]
    assert isinstance(next(o for o in outputs if isinstance(o, m.TranscriptDone)), m.TranscriptDone)
    assert isinstance(outputs[-1], m.ResponseFinished)


def test_a_context_with_a_picture_is_listened_behind(tiny_model: WrenModel) -> None:
    """And with figures and brackets that no parser takes."""
    picture = m.Message("a", "user", (m.Image("data:image/png;base64,"),))
    call, result = (
        m.FunctionCall("b", "id", "f", "[" * 5000),
        m.FunctionResult("c", "id", '{"price": 1e999, "n": ' + "9" * 5000 + "}"),
    )
    context = replace(CONTEXT, items=(picture, call, result))
    tiny_model.run("s", m.Listen("item", context))
    tiny_model.run("s", m.Hear("item", sound(1)))
    tiny_model.run("s", m.Commit("item"))
    tiny_model.run("s", respond("item", "r", context, audio=False))
    outputs = [output for _, output in run(tiny_model)]
    assert any(isinstance(output, m.TranscriptDone) for output in outputs)
    assert isinstance(outputs[-1], m.ResponseFinished)
    (prompted,) = [output for output in outputs if isinstance(output, m.Prompted)]
    assert prompted.text_tokens < 1000


def test_who_is_asked_first_answers(tiny_model: WrenModel, script: Script) -> None:
    """As if somebody had greeted."""
    for n, context in enumerate((CONTEXT, m.Context("", (), (m.Message("a", "user", (m.Text("Hello."),)),)))):
        tiny_model.run(f"s{n}", m.Respond("r", context, False, "marin", "auto", 20))
    outputs = run(tiny_model)
    first, second = ([replace(o, response_id="r") for sid, o in outputs if sid == f"s{n}" and isinstance(o, m.Prompted)] for n in (0, 1))  # fmt: skip
    assert first == second
    assert first[0].text_tokens == len(script.system("Wren") + script.user("hello"))


def test_a_call_ends_at_the_token_limit(tiny_model: WrenModel) -> None:
    tool = m.Function(
        "order_drink", "", {"type": "object", "properties": {"size": {"enum": ["small", "large"]}}, "required": ["size"]}
    )
    for limit in (1, 3, 6, 60):
        request = m.Respond(f"r{limit}", replace(CONTEXT, tools=(tool,)), True, "marin", "required", limit)
        tiny_model.run("s", request)
        outputs = [output for _, output in run(tiny_model)]
        assert sum(output.tokens for output in outputs if isinstance(output, m.CallArgumentsDelta)) <= limit
        assert isinstance(outputs[-1], m.ResponseFinished)
        assert outputs[-1].reason == ("completed" if any(isinstance(o, m.CallDone) for o in outputs) else "max_output_tokens")
    assert outputs[-1].reason == "completed"


def test_another_recording_under_the_same_id_is_heard_anew(tiny_model: WrenModel) -> None:
    """Ids of items are the client's: it may delete one and use its id again, or the same for every answer."""

    def hears(key: str) -> bool:
        item = m.Message("q", "user", (m.Audio(sound(1), None, key),))
        tiny_model.run("s", m.Respond(f"r{len(key)}", m.Context("", (), (item,)), False, "marin", "auto", None))
        return any(isinstance(o, m.TranscriptDone) for _, o in run(tiny_model))

    assert [hears(key) for key in ("first", "other", "first", "other")] == [True, True, False, False]


def test_images_fail_the_response_and_only_that(tiny_model: WrenModel) -> None:
    picture = m.Message("a", "user", (m.Image("data:image/png;base64,"),))
    tiny_model.run("s", m.Respond("r", m.Context("", (), (picture,)), True, "marin", "auto", None))
    failed = run(tiny_model)[-1][1]
    assert isinstance(failed, m.ResponseFailed)
    assert failed.code == "unsupported_content_type"
    assert isinstance(turn(tiny_model, "s", 1)[-1][1], m.ResponseFinished)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["listen", "hear", "commit", "forget", "respond", "cancel", "step"]),
                          st.integers(0, 2)), max_size=40))  # fmt: skip
@settings(max_examples=40)
def test_no_order_of_commands_loses_a_slot(steps: list[tuple[str, str, int]]) -> None:
    model = tiny_wren(SCRIPT)
    opened: dict[str, set[str]] = {"a": set(), "b": set()}
    committed: set[tuple[str, str]] = set()
    for number, (session_id, what, n) in enumerate(steps):
        names = sorted(opened[session_id])
        item = names[n % len(names)] if names else ""
        match what:
            case "listen":
                opened[session_id].add(f"item{number}")
                model.run(session_id, m.Listen(f"item{number}", CONTEXT))
            case "hear" if item and (session_id, item) not in committed:
                model.run(session_id, m.Hear(item, sound(n, 0.3)))
            case "commit" if item and (session_id, item) not in committed:
                committed.add((session_id, item))
                model.run(session_id, m.Commit(item))
            case "forget" if item and (session_id, item) not in committed:
                opened[session_id].discard(item)
                model.run(session_id, m.Forget(item))
            case "respond" if (session_id, item) in committed or not item:
                model.run(session_id, respond(item or f"item{number}", f"resp{n}", max_output_tokens=8))
            case "cancel":
                model.run(session_id, m.Cancel(f"resp{n}"))
            case _:
                model.step()
    run(model)
    for session_id in "ab":
        model.end(session_id)
    assert model.slots.in_use == model.runner.speaker.slots.in_use == 0


@given(seed=st.integers(0, 1000), often=st.sampled_from([0.02, 0.2, 0.7]))
@settings(max_examples=10)
def test_a_step_that_fails_costs_its_own_sequence_alone(seed: int, often: float) -> None:
    model, chance = tiny_wren(SCRIPT), np.random.default_rng(seed)
    alone = told(turn(tiny_wren(SCRIPT), "good", 1), "good")
    thought, spoken = model.runner._thought, model.runner.speaker.speak
    mine = model.voices["marin"].speaker
    other = next(name for name, voice in model.voices.items() if voice.speaker != mine)

    def broken(bad: bool) -> None:
        if bad and chance.random() < often:
            raise RuntimeError("a bad row")

    def think(steps: list[Any]) -> list[Any]:
        # The healthy session has slot 1 from its first command to its last.
        broken(any(s.stream.slot != 1 for s in steps))
        return thought(steps)

    def speak(steps: list[Any]) -> list[Any]:
        broken(any(s.speaker != mine for s in steps))
        return spoken(steps)

    model.runner._thought, model.runner.speaker.speak = think, speak  # type: ignore[method-assign]
    outputs: Outputs = []
    for session_id in ("bad", "good"):
        model.run(session_id, m.Listen(f"item{session_id}", CONTEXT))
    for session_id, voice in (("bad", other), ("good", "marin")):
        model.run(session_id, m.Hear(f"item{session_id}", sound(1)))
        model.run(session_id, m.Commit(f"item{session_id}"))
        model.run(session_id, respond(f"item{session_id}", f"resp{session_id}", voice=voice))
    outputs += run(model)
    ended = [o for _, o in outputs if isinstance(o, m.ResponseFinished | m.ResponseFailed)]
    assert sorted(o.response_id for o in ended) == ["respbad", "respgood"]
    assert same(told(outputs, "good"), alone)
    for session_id in ("bad", "good"):
        model.end(session_id)
    assert model.slots.in_use == model.runner.speaker.slots.in_use == 0
    assert model.runner.cache.positions == model.runner.speaker.cache.positions == 0


def test_what_runs_can_be_abandoned(tiny_model: WrenModel) -> None:
    tiny_model.run("a", m.Listen("item", CONTEXT))
    tiny_model.run("b", m.Respond("resp", CONTEXT, True, "marin", "auto", None))
    for _ in range(3):
        tiny_model.step()
    assert {(sid, type(o)) for sid, o in tiny_model.abandon()} == {("a", m.TranscriptFailed), ("b", m.ResponseFailed)}
    assert run(tiny_model) == []


def test_what_comes_at_once_is_heard_in_pieces(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    longest: list[int] = []
    thought = tiny_model.runner._thought

    def think(steps: list[Any]) -> list[Any]:
        longest.append(max(len(s.ids) for s in steps))
        return thought(steps)

    monkeypatch.setattr(tiny_model.runner, "_thought", think)
    history = tuple(m.Message(f"i{n}", "user", (m.Text("one two three four five " * 20),)) for n in range(4))
    tiny_model.run("s", m.Listen("item", m.Context("", (), history)))
    tiny_model.run("s", m.Hear("item", sound(0, 30.0)))
    for _ in range(30):
        tiny_model.step()
    assert max(longest) <= Limits().chunk
    assert len(longest) > 10
