"""An exchange is whole when all that was found in what was said is transcribed and answered, however it was cut."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling.caller import RATE_HZ, Exchange

SAID: list[dict[str, Any]] = [
    {"type": "input_audio_buffer.speech_started"}, {"type": "input_audio_buffer.speech_stopped"},
    {"type": "input_audio_buffer.committed", "item_id": "user"}, {"type": "response.created"},
]  # fmt: skip
HEARD = {"type": "conversation.item.input_audio_transcription.completed", "item_id": "user", "transcript": "hello"}
MESSAGE = {"type": "message", "content": [{"type": "output_audio", "transcript": "Hi!"}]}
CALL = {"type": "function_call", "name": "look", "arguments": "{}"}


def done(*output: Any, status: str = "completed") -> dict[str, Any]:
    return {"type": "response.done", "response": {"status": status, "output": list(output)}}


def sound(seconds: float) -> dict[str, Any]:
    return {"type": "response.output_audio.delta", "delta": base64.b64encode(bytes(2 * round(seconds * RATE_HZ))).decode()}


def after(*events: dict[str, Any]) -> Exchange:
    exchange = Exchange()
    for n, event in enumerate(events):
        exchange.take(event, float(n))
    return exchange


@given(st.permutations([HEARD, done(MESSAGE, CALL)]))
def test_it_is_whole_with_the_answer_and_the_transcript_in_any_order(last: list[dict[str, Any]]) -> None:
    assert not after(*SAID, last[0]).complete
    whole = after(*SAID, *last)
    assert whole.complete
    assert (whole.heard, whole.answer, whole.calls) == ("hello", "Hi!", [CALL])


def test_nothing_heard_is_never_whole() -> None:
    assert not Exchange().complete
    assert Exchange().answer == Exchange().heard == ""


def test_a_turn_in_two_pieces_has_both_transcripts_and_the_last_answer() -> None:
    rest = [event | ({"item_id": "rest"} if "item_id" in event else {}) for event in (*SAID, HEARD | {"transcript": "there"})]
    exchange = after(*SAID, HEARD, done(CALL, status="cancelled"), *rest, done(MESSAGE))
    assert exchange.complete
    assert exchange.heard == "hello there"
    assert (exchange.answer, exchange.calls) == ("Hi!", [])


def test_the_wait_is_from_the_end_of_speech_to_the_first_sound() -> None:
    assert after(*SAID).first_audio_ms is None
    assert after(*SAID, sound(0.5)).first_audio_ms == pytest.approx(3000)


def test_sound_is_late_where_what_came_before_has_been_played() -> None:
    assert after(*SAID, sound(1.5), sound(1.5)).behind_s == 0
    assert after(*SAID, sound(0.25), sound(1.0)).behind_s == pytest.approx(0.75)
