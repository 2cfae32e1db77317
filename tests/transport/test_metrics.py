"""Every figure follows from what happened: who came, who spoke, when the first sound left, when the last."""

import asyncio

import pytest

from realtime_server.engine.observing import Kind, Noted
from realtime_server.transport.metrics import LOOK_EVERY_S, Both, Metrics


def happened(metrics: Metrics, *notes: tuple[Kind, str, float], session_id: str = "s") -> None:
    for kind, name, at in notes:
        metrics.note(Noted(session_id, kind, name, at, 0.002))


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


SPEAKS: tuple[tuple[Kind, str, float], ...] = (
    ("opened", "call", 0.0), ("sent", "input_audio_buffer.speech_started", 1.0),
    ("sent", "input_audio_buffer.speech_stopped", 2.0), ("sent", "input_audio_buffer.committed", 2.0),
    ("sent", "response.created", 2.1), ("sent", "response.output_audio.delta", 2.25), ("sent", "response.output_audio.delta", 2.5),
)  # fmt: skip


def test_the_first_sound_is_counted_from_where_the_user_stopped() -> None:
    metrics = Metrics()
    happened(metrics, *SPEAKS, ("sent", "response.done", 3.0))
    assert value(metrics, "realtime_first_audio_seconds_sum", after="speech") == pytest.approx(0.25)
    assert value(metrics, "realtime_first_audio_seconds_count", after="speech") == 1
    assert value(metrics, "realtime_turns_total") == value(metrics, "realtime_responses_total") == 1
    assert value(metrics, "realtime_interruptions_total") == 0


def test_or_from_where_it_was_asked_for() -> None:
    metrics = Metrics()
    happened(
        metrics, ("opened", "call", 0.0), ("received", "response.create", 1.0), ("sent", "response.created", 1.1),
        ("sent", "response.output_audio.delta", 1.5), ("sent", "response.done", 2.0),
    )  # fmt: skip
    assert value(metrics, "realtime_first_audio_seconds_sum", after="request") == pytest.approx(0.5)


def test_an_interruption_lasts_to_the_last_sound() -> None:
    metrics = Metrics()
    begun: tuple[Kind, str, float] = ("sent", "input_audio_buffer.speech_started", 2.6)
    happened(metrics, *SPEAKS, begun, ("sent", "response.output_audio.delta", 2.64), ("sent", "response.done", 2.7))
    assert value(metrics, "realtime_interruption_seconds_sum") == pytest.approx(0.04)
    happened(metrics, ("ended", "call", 4.0), *SPEAKS, begun, ("sent", "response.done", 2.7))
    assert value(metrics, "realtime_interruptions_total") == 2
    assert value(metrics, "realtime_interruption_seconds_sum") == pytest.approx(0.04)


def test_sessions_are_those_that_are_open() -> None:
    metrics = Metrics()
    for name in ("a", "b"):
        happened(metrics, ("opened", "call", 0.0), session_id=name)
    happened(metrics, ("ended", "call", 1.0), ("sent", "response.done", 1.0), session_id="a")
    assert (value(metrics, "realtime_sessions"), value(metrics, "realtime_sessions_opened_total")) == (1, 2)
    assert value(metrics, "realtime_responses_total") == 0


def test_work_and_refusals_are_counted_by_name() -> None:
    metrics = Metrics()
    happened(
        metrics, ("step", "step", 0.0), ("command", "Respond", 0.0), ("refused", "rate_limit_exceeded", 0.0), session_id=""
    )
    assert value(metrics, "realtime_engine_step_seconds_sum") == pytest.approx(0.002)
    assert value(metrics, "realtime_engine_commands_total", command="Respond") == 1
    assert value(metrics, "realtime_refusals_total", reason="rate_limit_exceeded") == 1


def test_no_session_is_named() -> None:
    metrics = Metrics()
    happened(metrics, *SPEAKS, session_id="somebody")
    assert b"somebody" not in metrics.text()


def test_the_loops_delay_is_measured_until_it_is_not() -> None:
    async def measured() -> Metrics:
        metrics = Metrics()
        stop = metrics.watch(asyncio.get_running_loop())
        looked = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * LOOK_EVERY_S, looked.set)
        await looked.wait()
        stop()
        return metrics

    assert value(asyncio.run(measured()), "realtime_event_loop_delay_seconds_count")


def test_two_observers_are_both_told() -> None:
    one, other = Metrics(), Metrics()
    Both(one, other).note(Noted("s", "opened", "call", 0.0, 0.0))
    assert value(one, "realtime_sessions") == value(other, "realtime_sessions") == 1
