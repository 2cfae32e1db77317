"""Any interleaving of client events, engine outputs and deadlines: what must always hold."""

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from realtime_server.session.quota import Quota
from tests.helpers import TEXT_ITEM, silence
from tests.session.watched import WatchedTalk

OPENERS = {
    "response.output_item.added": "response.output_item.done",
    "response.content_part.added": "response.content_part.done",
}


class AnyTalk(RuleBasedStateMachine):
    limits = Limits(items=5)
    """The conversation is soon full."""

    def __init__(self) -> None:
        super().__init__()
        # A key that runs out of requests now and then, and a model that scores the ends of turns.
        abilities = m.Abilities(scores_turn_end=True)
        self.talk = WatchedTalk(self.watch, self.limits, quota=Quota(20, 30_000), abilities=abilities)
        self.read = 0
        self.ids: set[str] = set()
        self.running: set[str] = set()
        self.ended: set[str] = set()
        self.open: dict[tuple[str, str], int] = {}
        self.items: list[str] = []
        self.cut: set[str] = set()

    def watch(self, command: m.Command) -> None:
        """Whatever the session asks for, as it does."""

    @rule(frames=st.integers(1, 12), probability=st.sampled_from([0.0, 0.4, 0.95]))
    def hear(self, frames: int, probability: float) -> None:
        self.talk.hear(*[probability] * frames)

    @rule(kind=st.sampled_from(["input_audio_buffer.commit", "input_audio_buffer.clear", "response.cancel", "response.create"]))
    def simple_event(self, kind: str) -> None:
        self.talk.say(kind)

    @rule(after=st.none() | st.just("root"))
    def create_item(self, after: str | None) -> None:
        self.talk.say("conversation.item.create", item=TEXT_ITEM, previous_item_id=after)

    @rule(pick=st.integers(0, 99), ms=st.integers(0, 500))
    def truncate_or_delete(self, pick: int, ms: int) -> None:
        if self.items:
            item_id = self.items[pick % len(self.items)]
            self.talk.say("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
            if pick % 3 == 0:
                self.talk.say("conversation.item.delete", item_id=item_id)

    @rule(score=st.sampled_from([0.1, 0.9]), heard=st.integers(0, 200_000), pick=st.integers(0, 3))
    def score_the_end(self, score: float, heard: int, pick: int) -> None:
        turns = [c for c in self.talk.commands if isinstance(c, m.Listen)]
        if turns:
            self.talk.engine(m.TurnEnd(turns[-1 - pick % len(turns)].item_id, heard, score))

    @rule(detection=st.sampled_from([None, {"type": "server_vad", "interrupt_response": False}, {"type": "server_vad"},
                                     {"type": "semantic_vad", "eagerness": "high"}]),
          modality=st.sampled_from(["audio", "text"]))  # fmt: skip
    def update(self, detection: Any, modality: str) -> None:
        session = {"type": "realtime", "output_modalities": [modality], "audio": {"input": {"turn_detection": detection}}}
        self.talk.say("session.update", session=session)

    @rule()
    def out_of_band(self) -> None:
        self.talk.say("response.create", response={"conversation": "none", "output_modalities": ["text"]})

    @rule()
    def push(self) -> None:
        self.talk.say("input_audio_buffer.append", audio=silence(120))

    @rule(pick=st.integers(0, 9), what=st.sampled_from(["text", "audio", "call", "finish", "fail"]))
    def engine(self, pick: int, what: str) -> None:
        """Output for any response ever asked for: those that are over must stay silent."""
        asked = [c for c in self.talk.commands if isinstance(c, m.Respond)]
        if not asked:
            return
        request = asked[-1 - pick % len(asked)]
        rid = request.response_id
        match what:
            case "text":
                self.talk.engine(m.Prompted(rid, 10, 3), m.TextDelta(rid, "word "))
            case "audio" if request.audio:
                self.talk.engine(m.TextDelta(rid, "word "), m.AudioDelta(rid, np.zeros(1920, np.int16), 5))
            case "call":
                self.talk.engine(m.CallStarted(rid, "f"), m.CallArgumentsDelta(rid, "{}"), m.CallDone(rid))
            case "finish":
                self.talk.engine(m.ResponseFinished(rid, "completed"))
            case "fail":
                self.talk.engine(m.ResponseFailed(rid, "server_error", "no"))

    @rule(pick=st.integers(0, 9), failed=st.booleans())
    def transcribe(self, pick: int, failed: bool) -> None:
        """Of any turn ever heard: those that are written, failed or thrown away are not heard of again."""
        turns = [c.item_id for c in self.talk.commands if isinstance(c, m.Listen)]
        if turns:
            item_id = turns[-1 - pick % len(turns)]
            self.talk.engine(m.TranscriptFailed(item_id, "no") if failed else m.TranscriptDone(item_id, "words", 1))

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.talk.wait_until(self.talk.now + seconds)

    @invariant()
    def the_events_tell_one_story(self) -> None:
        for event in self.talk.events[self.read :]:
            self._check(event)
        self.read = len(self.talk.events)
        told = [entry.id for entry in self.talk.conversation]
        assert told == self.items
        assert len(self.running) <= 17

    def _check(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        assert event["event_id"] not in self.ids
        self.ids.add(event["event_id"])
        if kind == "response.created":
            assert event["response"]["id"] not in self.running | self.ended
            self.running.add(event["response"]["id"])
        elif kind == "response.done":
            response_id, usage = event["response"]["id"], event["response"]["usage"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] >= 0
            assert not [key for key, count in self.open.items() if key[0] == response_id and count]
            self.running.remove(response_id)
            self.ended.add(response_id)
        elif kind.startswith("response."):
            assert event["response_id"] in self.running
        # Of what was truncated nothing more comes, not even its end.
        assert not (kind.startswith("response.") and event.get("item_id") in self.cut)
        response_id = event.get("response_id", "")
        for opener, closer in OPENERS.items():
            if kind in (opener, closer):
                key = (response_id, opener)
                self.open[key] = self.open.get(key, 0) + (1 if kind == opener else -1)
                assert self.open[key] in (0, 1)
        if kind == "conversation.item.added":
            before = event["previous_item_id"]
            self.items.insert(0 if before is None else self.items.index(before) + 1, event["item"]["id"])
        elif kind == "conversation.item.truncated":
            self.cut.add(event["item_id"])
        elif kind == "conversation.item.deleted":
            self.items.remove(event["item_id"])


AnyTalk.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAnyTalk = AnyTalk.TestCase
