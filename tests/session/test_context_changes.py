"""Told in changes, each once, a model is given the same contexts as if each had been gathered anew."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from realtime_server import messages as m
from realtime_server.session.entry import Entry
from realtime_server.session.limits import Limits
from tests.helpers import Talk, silence, text_session
from tests.session.test_properties import AnyTalk


def gathered(entries: Iterable[Entry]) -> tuple[m.ContextItem, ...]:
    """The plain way: every item, at every turn."""
    return tuple(item for entry in entries if (item := entry.context_item()) is not None)


def assert_same(given: tuple[m.ContextItem, ...], wanted: tuple[m.ContextItem, ...]) -> None:
    """Sound is the very same array: shared, not copied."""
    assert len(given) == len(wanted)
    for mine, other in zip(given, wanted, strict=True):
        if not isinstance(mine, m.Message) or not isinstance(other, m.Message):
            assert mine == other
            continue
        assert (mine.item_id, mine.role, len(mine.parts)) == (other.item_id, other.role, len(other.parts))
        for part, wished in zip(mine.parts, other.parts, strict=True):
            if isinstance(part, m.Audio) and isinstance(wished, m.Audio):
                assert (part.key, part.transcript) == (wished.key, wished.transcript)
                assert part.samples is wished.samples
            else:
                assert part == wished


def sound_in(commands: Iterable[m.Command]) -> int:
    """Samples that crossed with items."""
    items: list[Any] = []
    for command in commands:
        if isinstance(command, m.AddItem | m.ReplaceItem):
            items.append(command.item)
        elif isinstance(command, m.Respond):
            items += [item for item in command.context.items or () if not isinstance(item, str)]
    return sum(len(part.samples) for item in items for part in getattr(item, "parts", ()) if isinstance(part, m.Audio))


class ToldTalk(AnyTalk):
    """Any talk, with sound and calls among its items, so little kept sound that some is let go, and both ways to gather."""

    limits = Limits(items=5, kept_audio_s=1)

    @initialize()
    def begin(self) -> None:
        self.wanted: list[tuple[m.ContextItem, ...]] = []
        self.compared = 0
        self.put_in = 0

    def watch(self, command: m.Command) -> None:
        if isinstance(command, m.Listen | m.Respond):
            named = command.context.items
            conversation = self.talk.conversation
            self.wanted.append(gathered(conversation) if named is None else tuple(map(self._found, named)))

    def _found(self, item: str | m.ContextItem) -> m.ContextItem:
        if not isinstance(item, str):
            return item
        entry = self.talk.conversation.find(item)
        assert entry is not None
        (found,) = gathered([entry])
        return found

    def _put(self, item: dict[str, Any], after: str | None = None) -> None:
        self.talk.say("conversation.item.create", item=item, previous_item_id=after)

    @rule(ms=st.integers(0, 900), spoken=st.none() | st.text(max_size=3), after=st.none() | st.just("root"))
    def create_sound(self, ms: int, spoken: str | None, after: str | None) -> None:
        self.put_in += 24 * ms
        part = {"type": "input_audio", "audio": silence(ms), "transcript": spoken}
        self._put({"type": "message", "role": "user", "content": [part, {"type": "input_text", "text": "and"}]}, after)

    @rule(pick=st.integers(0, 99))
    def create_call(self, pick: int) -> None:
        after = self.items[pick % len(self.items)] if self.items else None
        self._put({"type": "function_call", "call_id": f"call{pick}", "name": "f", "arguments": "{}"}, after)
        self._put({"type": "function_call_output", "call_id": f"call{pick}", "output": "1"})

    @rule(picks=st.lists(st.integers(0, 9), max_size=3), ms=st.integers(0, 200))
    def beside(self, picks: list[int], ms: int) -> None:
        """Answers some of the items, and one of its own."""
        self.put_in += 24 * ms
        own = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": silence(ms)}]}
        ids = [self.items[n % len(self.items)] for n in picks if self.items]
        named = [{"type": "item_reference", "id": item_id} for item_id in ids]
        before = len(self.wanted)
        self.talk.say("response.create", response={"conversation": "none", "input": [*named, own]})
        for wanted in self.wanted[before:]:
            assert [item.item_id for item in wanted[:-1]] == ids

    @invariant()
    def the_contexts_are_the_same(self) -> None:
        given = [command.context.items for command in self.talk.commands if isinstance(command, m.Listen | m.Respond)]
        for mine, wanted in list(zip(given, self.wanted, strict=True))[self.compared :]:
            assert_same(mine, wanted)
        self.compared = len(given)

    @invariant()
    def no_sound_crosses_twice(self) -> None:
        heard = sum(len(command.samples) for command in self.talk.commands if isinstance(command, m.Hear))
        assert sound_in(self.talk.crossed) <= heard + self.put_in


ToldTalk.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestToldTalk = ToldTalk.TestCase


@given(st.integers(1, 12), st.booleans())
@settings(max_examples=10)
def test_what_crosses_grows_with_what_is_said_and_not_with_the_history(turns: int, answered: bool) -> None:
    talk = Talk()
    for _ in range(turns):
        talk.speak_a_turn()
        if answered:
            talk.engine(m.TranscriptDone(talk.last(m.Listen).item_id, "words", 1))
            talk.answer()
    turn = talk.last(m.Respond).context.items[0].parts[0].samples
    assert sound_in(talk.crossed) == turns * len(turn)


def test_a_transcription_has_no_context_to_tell_of() -> None:
    talk = Talk(transcription=True)
    talk.speak_a_turn()
    assert not [command for command in talk.crossed if isinstance(command, m.ContextChange)]
    assert talk.last(m.Listen).context.items == ()


def test_words_are_told_when_they_are_needed_and_not_one_by_one() -> None:
    talk = text_session(output_modalities=["text"])
    talk.say("response.create")
    response_id = talk.last(m.Respond).response_id
    talk.engine(*[m.TextDelta(response_id, "word ") for _ in range(50)], m.ResponseFinished(response_id, "completed"))
    changes = [type(command) for command in talk.crossed if isinstance(command, m.ContextChange)]
    assert changes == [m.AddItem]
    talk.say("response.create")
    (item,) = talk.last(m.Respond).context.items
    assert item.parts == (m.Text("word " * 50),)
    assert sum(isinstance(command, m.ReplaceItem) for command in talk.crossed) == 1
