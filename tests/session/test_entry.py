"""A client's items: each part has its own sound, and one event brings no more of it than it may."""

import base64
from typing import Any

import numpy as np
import pytest

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from tests.helpers import Talk, text_session


def spoken(*lengths: int) -> tuple[list[str], dict[str, Any]]:
    """A message with parts of so many samples, each of another level; and each part's base64."""
    sounds = [base64.b64encode(np.full(length, n + 1, "<i2").tobytes()).decode() for n, length in enumerate(lengths)]
    return sounds, {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": a} for a in sounds]}


def test_each_part_comes_back_with_its_own_and_counts_once() -> None:
    talk = text_session()
    sounds, item = spoken(24_000, 12_000)
    item["content"].insert(1, {"type": "input_text", "text": "and"})
    shown = talk.say("conversation.item.create", item={"id": "two", **item})[0]["item"]
    assert [part.get("audio") for part in shown["content"]] == [None] * 3
    content = talk.say("conversation.item.retrieve", item_id="two")[0]["item"]["content"]
    assert [part.get("audio") for part in content] == [sounds[0], None, sounds[1]]
    talk.say("response.create")
    first, words, second = talk.last(m.Respond).context.items[0].parts
    assert words == m.Text("and")
    assert (len(first.samples), len(second.samples)) == (24_000, 12_000)
    assert (set(first.samples), set(second.samples)) == ({1}, {2})
    assert first.key != second.key
    usage = talk.say("response.cancel")[-1]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 15


def test_a_key_is_never_of_two_recordings() -> None:
    talk = text_session(audio={"input": {"turn_detection": None}})
    keys = set()
    for n in range(3):
        talk.say("conversation.item.create", item={"id": "same", **spoken(2400 + n)[1]})
        talk.say("response.create")
        keys.add(talk.last(m.Respond).context.items[0].parts[0].key)
        talk.say("response.cancel")
        talk.say("conversation.item.delete", item_id="same")
    assert len(keys) == 3


def test_a_turn_is_known_by_the_id_under_which_it_was_heard() -> None:
    talk = Talk()
    talk.speak_a_turn()
    assert talk.last(m.Respond).context.items[0].parts[0].key == talk.last(m.Listen).item_id


def test_what_is_known_of_a_part_outlives_its_sound() -> None:
    talk = Talk(Limits(kept_audio_s=1))
    talk.speak_a_turn()
    heard = talk.last(m.Listen).item_id
    talk.engine(m.TranscriptDone(heard, "good day", 2))
    talk.answer()
    talk.say("conversation.item.create", item=spoken(24_000)[1])
    talk.say("response.create")
    old, _, new = talk.last(m.Respond).context.items
    assert (len(old.parts[0].samples), old.parts[0].transcript, old.parts[0].key) == (0, "good day", heard)
    assert len(new.parts[0].samples) == 24_000


@pytest.mark.parametrize(("fields", "param"), [
    ({"type": "conversation.item.create", "item": spoken(24_000, 24_001)[1]}, "item.content[1].audio"),
    ({"type": "response.create", "response": {"input": [spoken(24_000)[1], spoken(1, 24_000)[1]]}}, "response.input[1].content[1].audio"),
    ({"type": "response.create", "response": {"conversation": "none", "input": [spoken(48_001)[1]]}}, "response.input[0].content[0].audio"),
])  # fmt: skip
def test_the_audio_of_one_event_is_bounded(fields: dict[str, Any], param: str) -> None:
    talk = Talk(Limits(item_audio_s=2))
    (error,) = talk.say(**{"kind": fields.pop("type"), **fields})
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", param)
    assert not [c for c in talk.commands if isinstance(c, m.Respond)]


def test_as_much_as_may_be_is_taken() -> None:
    talk = Talk(Limits(item_audio_s=2))
    assert talk.say("conversation.item.create", item=spoken(24_000, 24_000)[1])[0]["type"] == "conversation.item.added"


def test_items_for_one_response_are_bounded_in_number() -> None:
    talk = Talk(Limits(items=2))
    text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    (error,) = talk.say("response.create", response={"input": [text] * 3})
    assert (error["error"]["code"], error["error"]["param"]) == ("array_above_max_length", "response.input")
