"""Order, truncation and what the engine is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol import items as wire
from realtime_server.protocol.errors import ClientError
from realtime_server.session.conversation import Conversation, Entry, Recording, whole_words
from realtime_server.session.limits import Limits

names = st.text("abc", min_size=1, max_size=2)


def user(item_id: str, text: str = "hi") -> Entry:
    return Entry(wire.UserMessage(id=item_id, content=(wire.InputText(text=text),)))


def spoken(item_id: str, text: str, frames: int) -> Entry:
    """An answer of 80 ms frames, its letters spread evenly over them."""
    recording = Recording()
    for n in range(frames):
        recording.append(np.full(1920, 0.1, np.float32), len(text) * (n + 1) // frames)
    return Entry(wire.AssistantMessage(id=item_id, content=(wire.OutputAudio(transcript=text),)), recording)


@given(st.lists(st.tuples(names, names | st.none() | st.just("root")), max_size=30))
def test_inserting_is_list_insertion(steps: list[tuple[str, str | None]]) -> None:
    conversation, model = Conversation("conv", Limits()), list[str]()
    for item_id, after in steps:
        possible = item_id not in model and (after in (None, "root") or after in model)
        if not possible:
            with pytest.raises(ClientError):
                conversation.insert(user(item_id), after)
            continue
        conversation.insert(user(item_id), after)
        at = len(model) if after is None else 0 if after == "root" else model.index(after) + 1
        model.insert(at, item_id)
    assert [entry.id for entry in conversation] == model
    for n, entry in enumerate(conversation):
        assert conversation.previous_id(entry) == (model[n - 1] if n else None)


@given(st.text("ab .,", max_size=30), st.integers(0, 40))
def test_no_word_is_cut_in_half(text: str, characters: int) -> None:
    kept = whole_words(text, characters)
    assert text.startswith(kept)
    assert len(kept) <= max(characters, 0) or characters >= len(text)
    rest = text[len(kept) :]
    assert not (kept and rest and kept[-1].isalnum() and rest[0].isalnum())


def test_truncation_is_exact_in_sound_words_and_context() -> None:
    conversation = Conversation("conv", Limits())
    conversation.insert(spoken("a", "one two three four", 18), None)
    conversation.truncate("a", 0, 18 * 80 // 2)
    entry = conversation.get("a", "retrieve")
    assert entry.recording is not None
    assert entry.recording.length == 9 * 1920
    assert entry.item.content[0].transcript == "one two"
    assert entry.context_item() == m.Message("a", "assistant", (m.Text("one two"),))
    conversation.truncate("a", 0, 0)
    assert entry.item.content[0].transcript == ""


@pytest.mark.parametrize(
    ("item_id", "index", "ms", "code"),
    [
        ("nobody", 0, 0, "item_truncate_invalid_item_id"),
        ("user", 0, 0, "unsupported_content_type"),
        ("a", 1, 0, "unsupported_content_type"),
        ("a", 0, 99_000, "invalid_value"),
    ],
)
def test_truncation_that_cannot_be(item_id: str, index: int, ms: int, code: str) -> None:
    conversation = Conversation("conv", Limits())
    conversation.insert(user("user"), None)
    conversation.insert(spoken("a", "hello", 5), None)
    with pytest.raises(ClientError) as caught:
        conversation.truncate(item_id, index, ms)
    assert caught.value.code == code


def test_items_are_bounded_in_number_and_bytes() -> None:
    conversation = Conversation("conv", Limits(items=2, item_bytes=100))
    conversation.insert(user("a"), None)
    with pytest.raises(ClientError) as caught:
        conversation.insert(Entry(user("b").item, size=101), None)
    assert caught.value.code == "conversation_too_long"
    conversation.insert(user("b"), None)
    with pytest.raises(ClientError):
        conversation.insert(user("c"), None)


def test_old_audio_is_let_go_and_its_words_stay() -> None:
    conversation = Conversation("conv", Limits(kept_audio_s=1))
    conversation.insert(spoken("a", "hello", 10), None)
    conversation.insert(spoken("b", "again", 10), None)
    a, b = conversation
    assert a.recording is None
    assert a.item.content[0].transcript == "hello"
    assert b.recording is not None
