"""A shell that plays the answers itself: what was heard is what was said, and each sound has one beginning and one end.

The orders of the events are stored beside this file; `python -m tests.session.test_playout` writes them anew.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from realtime_server import messages as m
from tests.helpers import FRAME, Talk, transcript, types

STORED = Path(__file__).parent / "playouts"
PER_MS = m.AUDIO_RATE_HZ // 1000
STEP = 20 * PER_MS
"""It tells every 20 ms what has been played."""


class Player:
    """Plays in virtual time, and tells the session what has been played of it."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.queue: deque[list[Any]] = deque()
        self.played: dict[str, int] = {}
        self._seen = 0

    def take(self) -> None:
        for command in self.talk.commands[self._seen :]:
            if isinstance(command, m.Play):
                self.queue.append([command.item_id, len(command.samples)])
            elif isinstance(command, m.StopPlaying):
                self.queue.clear()
        self._seen = len(self.talk.commands)

    def advance(self, ms: int) -> None:
        self.take()
        left = ms * PER_MS
        while left and self.queue:
            now = min(left, STEP, self.queue[0][1])
            item_id = self.queue[0][0]
            left -= now
            self.queue[0][1] -= now
            self.played[item_id] = self.played.get(item_id, 0) + now
            self.report(m.Played(item_id, self.played[item_id]))
            if not self.queue[0][1]:
                self.queue.popleft()
            if not self.queue:
                self.report(m.Drained())
        self.talk.now += ms / 1000

    def report(self, output: m.ShellOutput) -> None:
        self.talk.session.shell_output(output, self.talk.now)
        self.talk.drain()
        self.take()


def played(**fields: Any) -> tuple[Talk, Player]:
    talk = Talk(playback="shell")
    if fields:
        talk.say("session.update", session={"type": "realtime", **fields})
    talk.events.clear()
    return talk, Player(talk)


def turn(talk: Talk, player: Player) -> None:
    """As `Talk.speak_a_turn`, with the sound as samples."""
    speak(talk, *[0.0] * 12, *[0.9] * 16, *[0.0] * 8)
    player.take()


def speak(talk: Talk, *probabilities: float) -> None:
    talk.session.shell_output(m.UserAudio(np.zeros(FRAME * len(probabilities), np.int16)), talk.now)
    talk.drain()
    for probability in probabilities:
        talk.engine(m.SpeechProbability(talk.resets, FRAME, probability))


def p01_heard_to_its_end() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there.", frames=4)
    player.advance(1000)
    return talk


def p02_played_faster_than_it_is_made() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=2, finish=False)
    player.advance(1000)
    response_id = talk.last(m.Respond).response_id
    talk.engine(m.AudioDelta(response_id, np.full(1920, 3277, np.int16), 23))
    player.advance(1000)
    talk.engine(m.ResponseFinished(response_id, "completed"))
    return talk


def p03_interrupted_while_it_is_made() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=6, finish=False)
    player.advance(240)
    speak(talk, *[0.9] * 4)
    return talk


def p04_interrupted_while_it_only_plays() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=6)
    player.advance(240)
    speak(talk, *[0.9] * 4)
    return talk


def p05_cleared_by_the_client() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=6, finish=False)
    player.advance(100)
    talk.say("response.cancel")
    talk.say("output_audio_buffer.clear")
    talk.say("output_audio_buffer.clear")
    return talk


def p06_cleared_without_a_cancellation() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=6, finish=False)
    player.advance(100)
    talk.say("output_audio_buffer.clear")
    return talk


def p07_cancelled_and_left_to_play() -> Talk:
    talk, player = played()
    turn(talk, player)
    talk.answer("Hello there, my friend.", frames=6, finish=False)
    player.advance(100)
    talk.say("response.cancel")
    player.advance(1000)
    return talk


def p08_pushed_to_talk() -> Talk:
    talk, player = played(audio={"input": {"turn_detection": None}})
    talk.session.shell_output(m.UserAudio(np.zeros(12_000, np.int16)), talk.now)
    talk.say("input_audio_buffer.commit")
    talk.say("response.create")
    talk.answer("Hello.", frames=1)
    player.advance(100)
    return talk


SCENARIOS: dict[str, Callable[[], Talk]] = {
    name[1:].replace("_", "-"): scenario
    for name, scenario in list(globals().items())
    if name[:1] == "p" and name[1:3].isdigit()
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_sequence(name: str) -> None:
    assert transcript(SCENARIOS[name]().events) == (STORED / f"{name}.txt").read_text()


def test_nothing_is_stored_that_nobody_plays() -> None:
    assert {path.stem for path in STORED.glob("*.txt")} == set(SCENARIOS)


def test_the_next_answer_knows_what_was_heard() -> None:
    talk = p03_interrupted_while_it_is_made()
    (truncated,) = [event for event in talk.events if event["type"] == "conversation.item.truncated"]
    assert truncated["audio_end_ms"] == 240
    speak(talk, *[0.0] * 8)
    said = [item.parts for item in talk.last(m.Respond).context.items if item.role == "assistant"]
    assert said == [(m.Text("Hello there"),)]


def test_whose_client_plays_gets_its_sound() -> None:
    talk = Talk()
    talk.speak_a_turn()
    assert "response.output_audio.delta" in types(talk.answer())
    assert not [command for command in talk.commands if isinstance(command, m.Play)]
    # What a shell tells of it means nothing there.
    talk.session.shell_output(m.Played("item", 1), 0.0)
    talk.session.shell_output(m.Drained(), 0.0)
    assert talk.drain() == []


def test_the_user_is_asked_again_when_he_has_heard_the_answer_and_said_nothing() -> None:
    talk, player = played(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
    turn(talk, player)
    talk.answer("Hello there.", frames=10)
    assert talk.session.next_deadline() == 3600
    player.advance(600)
    assert talk.session.next_deadline() == 3600
    player.advance(400)
    deadline = talk.session.next_deadline()
    assert deadline is not None
    assert 5.5 < deadline < 6.1


def test_a_microphone_that_nobody_commits_is_let_go_unheard() -> None:
    talk, _ = played(audio={"input": {"turn_detection": None}})
    for _ in range(62):
        talk.session.shell_output(m.UserAudio(np.zeros(240_000, np.int16)), 0.0)
    assert talk.drain() == []
    talk.say("input_audio_buffer.commit")
    (item,) = [command.item for command in talk.crossed if isinstance(command, m.AddItem)]
    assert isinstance(item, m.Message)
    assert isinstance(item.parts[0], m.Audio)
    assert len(item.parts[0].samples) == 600 * m.AUDIO_RATE_HZ


class AnyPlayout(RuleBasedStateMachine):
    """Any order of speaking, answering, playing and clearing."""

    def __init__(self) -> None:
        super().__init__()
        self.talk, self.player = played()
        self.read = 0
        self.state: dict[str, str] = {}

    @rule(probability=st.sampled_from([0.0, 0.95]), frames=st.integers(1, 20))
    def speak(self, probability: float, frames: int) -> None:
        speak(self.talk, *[probability] * frames)
        self.player.take()

    @rule(ms=st.integers(1, 400))
    def listen(self, ms: int) -> None:
        self.player.advance(ms)

    @rule(kind=st.sampled_from(["response.create", "response.cancel", "output_audio_buffer.clear"]))
    def say(self, kind: str) -> None:
        self.talk.say(kind)
        self.player.take()

    @rule(frames=st.integers(0, 5), finish=st.booleans(), outside=st.booleans())
    def answer(self, frames: int, finish: bool, outside: bool) -> None:
        if outside:
            self.talk.say("response.create", response={"conversation": "none"})
        if any(isinstance(command, m.Respond) for command in self.talk.commands):
            self.talk.answer("One two three.", frames, finish)
        self.player.take()

    @invariant()
    def every_sound_begins_and_ends_once(self) -> None:
        for event in self.talk.events[self.read :]:
            kind, response_id = event["type"], event.get("response_id", "")
            assert kind != "response.output_audio.delta"
            if kind == "output_audio_buffer.started":
                assert response_id not in self.state
                self.state[response_id] = "playing"
            elif kind in ("output_audio_buffer.stopped", "output_audio_buffer.cleared"):
                assert self.state[response_id] == "playing"
                self.state[response_id] = kind
            elif kind == "conversation.item.truncated":
                assert event["audio_end_ms"] == self.player.played.get(event["item_id"], 0) // PER_MS
        self.read = len(self.talk.events)

    @invariant()
    def what_waits_belongs_to_what_plays(self) -> None:
        if self.player.queue:
            assert "playing" in self.state.values()


AnyPlayout.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestAnyPlayout = AnyPlayout.TestCase


if __name__ == "__main__":
    STORED.mkdir(exist_ok=True)
    for scenario_name, play in SCENARIOS.items():
        (STORED / f"{scenario_name}.txt").write_text(transcript(play().events))
