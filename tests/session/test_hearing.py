"""A model that decides by itself when it speaks: it hears everything, once, and each time it begins the client has a response."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.session.quota import Quota
from tests.helpers import FRAME, TOOL, Talk, types

DUPLEX = m.Abilities(turns="engine")
SOUND = np.full(1920, 3277, np.int16)
SPOKEN = [
    "response.created", "rate_limits.updated", "response.output_item.added", "conversation.item.added",
    "response.content_part.added", "response.output_audio_transcript.delta", "response.output_audio.delta",
]  # fmt: skip
CLOSED = [
    "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
    "conversation.item.done", "response.output_item.done", "response.done",
]  # fmt: skip


class Parrot:
    """The model's part: it says its word whenever the sound of its stream has grown by half a second, and never when asked to."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.heard = self.begun = 0
        self.stream: str | None = None

    def play(self) -> None:
        """All that it was given since."""
        commands, self.talk.commands = self.talk.commands, []
        for command in commands:
            assert not isinstance(command, m.Commit | m.Forget | m.Respond)
            if isinstance(command, m.Listen):
                assert self.stream is None
                self.stream = command.item_id
            elif isinstance(command, m.Hear):
                assert command.item_id == self.stream
                self.heard += len(command.samples)
        while self.heard // 12_000 > self.begun:
            self.begun += 1
            word = f"word{self.begun}"
            self.talk.engine(m.ResponseBegun(word), m.TextDelta(word, "Hello."), m.AudioDelta(word, SOUND, 6))
            if self.begun % 2:
                self.talk.engine(m.ResponseFinished(word, "completed"))


@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from([0.0, 0.95])), max_size=12), st.booleans())
def test_it_hears_all_of_it_once_and_is_never_asked(pieces: list[tuple[int, float]], detected: bool) -> None:
    talk = Talk(abilities=DUPLEX)
    if not detected:
        talk.say("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    parrot = Parrot(talk)
    for frames, probability in pieces:
        talk.hear(*[probability] * frames)
        parrot.play()
    assert parrot.heard == FRAME * sum(frames for frames, _ in pieces)
    kinds = types(talk.events)
    assert kinds.count("response.created") == parrot.begun
    # Every second one goes on until the next begins.
    assert kinds.count("response.done") == parrot.begun - (parrot.begun > 0 and parrot.begun % 2 == 0)
    assert "error" not in kinds


def test_turns_are_reported_and_interrupt_nobody() -> None:
    talk = Talk(abilities=DUPLEX)
    talk.engine(m.ResponseBegun("mine"), m.TextDelta("mine", "Hello."))
    events = talk.speak_a_turn()
    assert types(events) == [
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.added", "conversation.item.done",
    ]  # fmt: skip
    assert types(talk.engine(m.ResponseFinished("mine", "completed")))[-1] == "response.done"


def test_what_it_says_is_a_response_like_any_other() -> None:
    talk = Talk(abilities=DUPLEX)
    talk.say("session.update", session={"type": "realtime", "tools": [TOOL]})
    events = talk.engine(m.ResponseBegun("mine"), m.TextDelta("mine", "Hello."), m.AudioDelta("mine", SOUND, 6))
    assert types(events) == SPOKEN
    response_id = events[0]["response"]["id"]
    assert response_id.startswith("resp_")
    assert {event["response_id"] for event in events if "response_id" in event} == {response_id}
    events = talk.say("response.cancel", response_id=response_id)
    assert types(events) == CLOSED
    assert talk.last(m.Cancel) == m.Cancel("mine")
    assert talk.engine(m.TextDelta("mine", "late"), m.ResponseFinished("mine", "completed")) == []


def test_the_next_one_ends_the_one_before() -> None:
    talk = Talk(abilities=DUPLEX)
    talk.engine(m.ResponseBegun("one"), m.TextDelta("one", "Hel"), m.AudioDelta("one", SOUND, 3))
    events = talk.engine(m.ResponseBegun("two"))
    assert types(events) == [*CLOSED, "response.created", "rate_limits.updated"]
    assert (events[5]["response"]["status"], events[5]["response"]["status_details"]["reason"]) == (
        "cancelled",
        "turn_detected",
    )


def test_whose_client_wants_text_is_not_played() -> None:
    talk = Talk(abilities=DUPLEX)
    talk.say("session.update", session={"type": "realtime", "output_modalities": ["text"]})
    events = talk.engine(m.ResponseBegun("one"), m.AudioDelta("one", SOUND, 0), m.TextDelta("one", "Hello."))
    assert "response.output_text.delta" in types(events)
    assert "response.output_audio.delta" not in types(events)


def test_who_has_nothing_left_hears_nothing() -> None:
    talk = Talk(abilities=DUPLEX, quota=Quota(1, 1000))
    talk.engine(m.ResponseBegun("one"), m.ResponseFinished("one", "completed"))
    events = talk.engine(m.ResponseBegun("two"), m.TextDelta("two", "Hello."))
    assert types(events) == ["response.created", "rate_limits.updated", "response.done"]
    assert events[-1]["response"]["status"] == "failed"
    assert talk.last(m.Cancel) == m.Cancel("two")
