"""The order of events in each sequence of the protocol (2.1 to 2.18), against a stored transcript, line by line.

Left out: 2.9 (MCP) and 2.16 (DTMF), which this server does not have yet. `python -m tests.session.test_sequences` writes
the transcripts anew; read the difference before committing it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from realtime_server import messages as m
from tests.helpers import TEXT_ITEM, TOOL, Talk, silence, transcript

STORED = Path(__file__).parent / "sequences"
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def session(**fields: Any) -> Talk:
    """A session with these fields, from which the connecting is left out."""
    talk = Talk()
    talk.say("session.update", session={"type": "realtime", **fields})
    talk.events.clear()
    return talk


def respond(talk: Talk) -> str:
    return str(talk.last(m.Respond).response_id)


def write(talk: Talk, *pieces: str, reason: Any = "completed") -> None:
    response_id = respond(talk)
    talk.engine(m.Prompted(response_id, 10, 4), *[m.TextDelta(response_id, piece) for piece in pieces])
    talk.engine(m.ResponseFinished(response_id, reason))


def call(talk: Talk, *names: str) -> list[str]:
    """The answer is these calls; their ids."""
    response_id = respond(talk)
    for name in names:
        talk.engine(m.CallStarted(response_id, name), m.CallArgumentsDelta(response_id, '{"city": '),
                    m.CallArgumentsDelta(response_id, '"Rome"}'), m.CallDone(response_id))  # fmt: skip
    talk.engine(m.ResponseFinished(response_id, "completed"))
    return [e["call_id"] for e in talk.events if e["type"] == "response.function_call_arguments.done"]


def result(talk: Talk, call_id: str, text: str = "sunny") -> None:
    talk.say("conversation.item.create", item={"type": "function_call_output", "call_id": call_id, "output": text})


def s01_connect() -> Talk:
    talk = Talk()
    talk.say("session.update", session={"type": "realtime", "instructions": "Be brief."})
    return talk


def s02_text_turn() -> Talk:
    talk = session(output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    write(talk, "Hel", "lo")
    return talk


def s03_spoken_turn() -> Talk:
    talk = session(audio={"input": {"transcription": {"model": "whisper-1"}}})
    talk.speak_a_turn()
    item_id = talk.last(m.Commit).item_id
    talk.engine(m.TranscriptDelta(item_id, "good", -0.1), m.TranscriptDelta(item_id, " day", -0.1))
    talk.engine(m.TranscriptDone(item_id, "good day", 2))
    talk.answer("Hello.", frames=1)
    return talk


def s03_spoken_turn_without_an_answer() -> Talk:
    talk = session(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
    talk.speak_a_turn()
    return talk


def s04_semantic_vad() -> Talk:
    talk = session(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}})
    talk.hear(*[0.0] * 12, *[0.9] * 16, *[0.0] * 14)
    talk.answer("Hello.", frames=1)
    return talk


def s05_push_to_talk() -> Talk:
    talk = session(audio={"input": {"turn_detection": None}})
    talk.say("input_audio_buffer.append", audio=silence(150))
    talk.say("input_audio_buffer.commit")
    talk.say("response.create")
    talk.answer("Hello.", frames=1)
    return talk


def s05_push_to_talk_over_an_answer() -> Talk:
    talk = session(audio={"input": {"turn_detection": None}})
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.answer("Hello there, friend.", frames=3, finish=False)
    spoken = next(e["item_id"] for e in talk.events if e["type"] == "response.output_audio.delta")
    talk.say("input_audio_buffer.clear")
    talk.say("response.cancel")
    talk.say("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=80)
    talk.say("input_audio_buffer.append", audio=silence(150))
    talk.say("input_audio_buffer.commit")
    talk.say("response.create")
    talk.answer("Hello.", frames=1)
    return talk


def s06_function_call() -> Talk:
    talk = session(tools=[TOOL])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    (call_id,) = call(talk, "get_weather")
    result(talk, call_id)
    talk.say("response.create")
    talk.answer("It is sunny.", frames=1)
    return talk


def s06_words_before_a_call() -> Talk:
    talk = session(tools=[TOOL], output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.engine(m.TextDelta(respond(talk), "One moment."))
    call(talk, "get_weather")
    return talk


def s06_a_call_cancelled_in_the_middle() -> Talk:
    talk = session(tools=[TOOL])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.engine(m.CallStarted(respond(talk), "get_weather"), m.CallArgumentsDelta(respond(talk), '{"city": '))
    talk.say("response.cancel")
    return talk


def s07_parallel_calls() -> Talk:
    talk = session(tools=[TOOL, TOOL | {"name": "get_time"}])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    for call_id in call(talk, "get_weather", "get_time"):
        result(talk, call_id)
    talk.say("response.create")
    talk.answer("Sunny, at noon.", frames=1)
    return talk


def s08_a_late_result() -> Talk:
    talk = session(tools=[TOOL], output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    (call_id,) = call(talk, "get_weather")
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    write(talk, "Still waiting.")
    result(talk, call_id)
    talk.say("response.create")
    write(talk, "It is sunny.")
    return talk


def s10_interruption() -> Talk:
    talk = session()
    talk.speak_a_turn()
    talk.answer("Hello there, friend.", frames=3, finish=False)
    talk.hear(*[0.9] * 4)
    spoken = next(e["item_id"] for e in talk.events if e["type"] == "response.output_audio.delta")
    talk.say("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=80)
    talk.hear(*[0.0] * 8)
    talk.answer("Yes?", frames=1)
    return talk


def s10_interruption_after_the_answer() -> Talk:
    """Done here, still playing at the client: only the truncation is left to do."""
    talk = session()
    talk.speak_a_turn()
    talk.answer("Hello there, friend.", frames=3)
    talk.hear(*[0.0] * 12, *[0.9] * 4)
    spoken = next(e["item_id"] for e in talk.events if e["type"] == "response.output_audio.delta")
    talk.say("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=160)
    return talk


def s10_truncated_while_it_runs() -> Talk:
    """As agents do it by hand: a truncation, then a cancellation or none."""
    talk = session()
    talk.speak_a_turn()
    talk.answer("Hello there, friend.", frames=3, finish=False)
    spoken = next(e["item_id"] for e in talk.events if e["type"] == "response.output_audio.delta")
    talk.say("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=80)
    talk.say("response.cancel")
    talk.answer("Too late.")
    talk.hear(*[0.9] * 16, *[0.0] * 8)
    talk.answer("Yes?", frames=1)
    return talk


def s11_out_of_band() -> Talk:
    """Beside a running answer, which it does not touch, nor does speech touch it."""
    talk = session()
    talk.speak_a_turn()
    talk.answer("Hello there.", frames=1, finish=False)
    override = {"conversation": "none", "metadata": {"topic": "x"}, "input": [TEXT_ITEM], "output_modalities": ["text"]}
    talk.say("response.create", response=override)
    beside = respond(talk)
    talk.engine(m.TextDelta(beside, "greet"))
    talk.hear(*[0.9] * 4)
    talk.engine(m.TextDelta(beside, "ing"), m.ResponseFinished(beside, "completed"))
    return talk


def s12_transcription_only() -> Talk:
    talk = Talk(transcription=True)
    talk.say("session.update", session={"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    talk.speak_a_turn()
    item_id = talk.last(m.Commit).item_id
    talk.engine(m.TranscriptDelta(item_id, "good", -0.1), m.TranscriptDelta(item_id, " day", -0.1))
    talk.engine(m.TranscriptDone(item_id, "good day", 2))
    talk.say("response.create")
    return talk


def s13_image() -> Talk:
    """Taken into the conversation; a model that cannot see says so in the response."""
    talk = session()
    content = [{"type": "input_text", "text": "what is this"}, {"type": "input_image", "image_url": PICTURE}]
    talk.say("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    talk.say("response.create")
    talk.engine(m.ResponseFailed(respond(talk), "unsupported_content_type", "It cannot see images."))
    return talk


def s14_context_that_is_too_long() -> Talk:
    talk = session(truncation="disabled", output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.engine(m.ResponseFailed(respond(talk), "context_length_exceeded", "It does not fit."))
    return talk


def s15_idle_timeout() -> Talk:
    talk = session(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    talk.speak_a_turn()
    talk.answer("Hello.", frames=1)
    talk.hear(*[0.0] * 4)
    talk.wait_until(6)
    talk.answer("Are you there?", frames=1)
    return talk


def s17_token_limit() -> Talk:
    talk = session(max_output_tokens=5, output_modalities=["text"])
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    write(talk, "Once", " upon", reason="max_output_tokens")
    return talk


def s17_token_limit_in_a_call() -> Talk:
    talk = session(tools=[TOOL], max_output_tokens=5)
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.engine(m.CallStarted(respond(talk), "get_weather"), m.CallArgumentsDelta(respond(talk), '{"city": '))
    talk.engine(m.ResponseFinished(respond(talk), "max_output_tokens"))
    return talk


def s17_failure() -> Talk:
    talk = session()
    talk.speak_a_turn()
    talk.answer("Hello there.", frames=1, finish=False)
    talk.engine(m.ResponseFailed(respond(talk), "server_error", "It broke."))
    return talk


def s18_errors_leave_the_session_usable() -> Talk:
    talk = session(output_modalities=["text"])
    talk.say("response.cancel", event_id="mine")
    talk.say("conversation.item.delete", item_id="nobody")
    talk.say("input_audio_buffer.commit")
    talk.say("nonsense")
    talk.say("conversation.item.create", item=TEXT_ITEM)
    talk.say("response.create")
    talk.say("response.create")
    write(talk, "Still here.")
    return talk


def s18_expiry() -> Talk:
    talk = session()
    talk.wait_until(3600)
    return talk


SCENARIOS: dict[str, Callable[[], Talk]] = {
    name[1:].replace("_", "-"): scenario
    for name, scenario in list(globals().items())
    if name[:1] == "s" and name[1:3].isdigit()
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_sequence(name: str) -> None:
    assert transcript(SCENARIOS[name]().events) == (STORED / f"{name}.txt").read_text()


def test_nothing_is_stored_that_nobody_plays() -> None:
    assert {path.stem for path in STORED.glob("*.txt")} == set(SCENARIOS)


if __name__ == "__main__":
    for scenario_name, play in SCENARIOS.items():
        (STORED / f"{scenario_name}.txt").write_text(transcript(play().events))
