"""Order, truncation and what the engine is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.protocol import items as wire
from realtime_server.protocol.errors import ClientError
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry
from realtime_server.session.limits import Limits
from realtime_server.session.recording import Recording

names = st.text("abc", min_size=1, max_size=2)


def user(item_id: str, text: str = "hi") -> Entry:
    return Entry(wire.UserMessage(id=item_id, content=(wire.InputText(text=text),)))


def spoken(item_id: str, text: str, frames: int) -> Entry:
    """An answer of 80 ms frames, its letters spread evenly over them."""
    recording = Recording()
    for n in range(frames):
        recording.append(np.full(1920, 3277, np.int16), len(text) * (n + 1) // frames)
    return Entry(wire.AssistantMessage(id=item_id, content=(wire.OutputAudio(transcript=text),)), {0: recording})


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


def test_truncation_is_exact_in_sound_words_and_context() -> None:
    conversation = Conversation("conv", Limits())
    conversation.insert(spoken("a", "one two three four", 18), None)
    conversation.truncate("a", 0, 18 * 80 // 2)
    entry = conversation.get("a", "retrieve")
    assert entry.recordings[0].length == entry.kept == 9 * 1920
    assert entry.item.content[0].transcript == "one two"
    assert entry.context_item() == m.Message("a", "assistant", (m.Text("one two"),))
    conversation.truncate("a", 0, 0)
    assert entry.item.content[0].transcript == ""


@pytest.mark.parametrize(
    ("item_id", "index", "ms", "code"),
    [
        ("nobody", 0, 0, "item_truncate_invalid_item_id"),
        ("user", 0, 0, "unsupported_content_type"),
        ("a", 1, 0, "invalid_value"),
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


def test_what_the_client_puts_in_is_bounded_in_number_and_bytes() -> None:
    conversation = Conversation("conv", Limits(items=2, item_bytes=100))
    conversation.insert(user("a"), None)
    conversation.insert(Entry(user("b").item, size=100), None)
    for bad in (Entry(user("c").item, size=1), user("c")):
        with pytest.raises(ClientError) as caught:
            conversation.insert(bad, None)
        assert caught.value.code == "conversation_too_long"
    conversation.delete("b")
    conversation.insert(Entry(user("c").item, size=100), None)


@given(st.lists(st.sampled_from(["insert", "say", "delete"]), max_size=40), st.integers(1, 4))
def test_what_is_said_finds_room_always(steps: list[str], most: int) -> None:
    conversation = Conversation("conv", Limits(items=most))
    conversation.insert(Entry(wire.SystemMessage(id="system", content=())), None)
    model = ["system"]
    for n, step in enumerate(steps):
        match step:
            case "insert" if len(model) < most:
                conversation.insert(user(f"{n}"), None)
                model.append(f"{n}")
            case "insert":
                with pytest.raises(ClientError):
                    conversation.insert(user(f"{n}"), None)
            case "say":
                old = conversation.make_room()
                assert (old is not None) == (len(model) >= most and len(model) > 1)
                if old is not None:
                    assert old.id == model.pop(1)
                conversation.add(user(f"{n}"))
                model.append(f"{n}")
            case _ if len(model) > 1:
                conversation.delete(model.pop())
        assert [entry.id for entry in conversation] == model


def test_old_audio_is_let_go_and_its_words_stay() -> None:
    conversation = Conversation("conv", Limits(kept_audio_s=1))
    conversation.insert(spoken("a", "hello", 10), None)
    conversation.insert(spoken("b", "again", 10), None)
    a, b = conversation
    assert (a.kept, b.kept) == (0, 10 * 1920)
    assert a.item.content[0].transcript == "hello"
    conversation.truncate("a", 0, 0)
    assert a.item.content[0].transcript == ""


def test_an_item_that_is_being_made_keeps_its_audio() -> None:
    conversation = Conversation("conv", Limits(kept_audio_s=1))
    running = spoken("a", "hello", 10)
    running.change(status="in_progress")
    conversation.add(running)
    conversation.insert(spoken("b", "again", 20), None)
    assert running.kept == 10 * 1920


def test_the_beginning_has_a_name_that_no_item_takes() -> None:
    with pytest.raises(ClientError) as caught:
        Conversation("conv", Limits()).insert(user("root"), None)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "item.id")


def test_words_of_an_assistant_go_by_any_clients_name() -> None:
    for kind in ("output_text", "text", "input_text"):
        item = wire.AssistantMessage.model_validate({"content": [{"type": kind, "text": "Rome."}]})
        assert [part.text for part in item.content if isinstance(part, wire.OutputText)] == ["Rome."]
