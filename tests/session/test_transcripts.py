"""Each turn's transcript is told once, fails once, and counts against the key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from realtime_server.session.quota import Quota
from tests.helpers import Talk, types

PREFIX = "conversation.item.input_audio_transcription."


def transcribing(kind: str = "transcription", **more: object) -> Talk:
    talk = Talk(transcription=kind == "transcription", **more)  # type: ignore[arg-type]
    talk.say("session.update", session={"type": kind, "audio": {"input": {"transcription": {"model": "whisper-1"}}}})
    return talk


def tokens_left(quota: Quota) -> int:
    return quota.allowances(0.0)[1].remaining


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["delta", "done", "failed"]), max_size=6), st.booleans())
def test_each_turn_ends_once(outputs: list[str], early: bool) -> None:
    talk = transcribing()
    talk.hear(*[0.9] * 10)
    item_id = talk.last(m.Listen).item_id
    kinds: dict[str, m.Output] = {"delta": m.TranscriptDelta(item_id, "a", -0.1), "done": m.TranscriptDone(item_id, "a", 1),
             "failed": m.TranscriptFailed(item_id, "It broke.")}  # fmt: skip
    if early:
        assert talk.engine(kinds["failed"]) == []
    committed = talk.hear(*[0.0] * 8)
    told = [*committed, *talk.engine(*[kinds[name] for name in outputs])]
    seen = [kind.removeprefix(PREFIX) for kind in types(told) if kind.startswith(PREFIX)]
    ends = [n for n, name in enumerate(outputs) if name != "delta"]
    expected = outputs[: ends[0] + 1] if ends else outputs
    assert seen == (["failed"] if early else [{"done": "completed"}.get(name, name) for name in expected])


def test_a_turn_that_was_thrown_away_says_nothing_more() -> None:
    talk = transcribing()
    talk.hear(*[0.9] * 10)
    item_id = talk.last(m.Listen).item_id
    talk.say("input_audio_buffer.clear")
    assert (
        talk.engine(m.TranscriptDelta(item_id, "a", -0.1), m.TranscriptFailed(item_id, "no"), m.TurnEnd(item_id, 9, 0.9)) == []
    )


def test_another_item_under_a_turns_id_is_not_what_was_said() -> None:
    talk = transcribing("realtime")
    talk.speak_a_turn()
    item_id = talk.last(m.Commit).item_id
    talk.say("conversation.item.delete", item_id=item_id)
    talk.say("conversation.item.create", item={"id": item_id, "type": "message", "role": "user", "content": []})
    assert types(talk.engine(m.TranscriptDone(item_id, "a", 1))) == [PREFIX + "completed"]
    assert talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"] == []


def test_a_transcript_counts_its_sound_and_its_words() -> None:
    quota = Quota(100, 1000)
    talk = transcribing(quota=quota)
    talk.speak_a_turn()
    heard = 1000 - tokens_left(quota)
    assert heard == round(sum(len(c.samples) for c in talk.commands if isinstance(c, m.Hear)) / 2400)
    (event,) = talk.engine(m.TranscriptDone(talk.last(m.Commit).item_id, "good day", 7))
    assert event["usage"]["total_tokens"] == heard + 7 == 1000 - tokens_left(quota)
    talk.speak_a_turn()
    talk.engine(m.TranscriptFailed(talk.last(m.Commit).item_id, "It broke."))
    assert tokens_left(quota) == 1000 - heard - 7


def test_a_conversations_transcript_is_no_request_of_its_own() -> None:
    """The answer is."""
    for kind in ("realtime", "transcription"):
        quota = Quota(100, 1000)
        transcribing(kind, quota=quota).speak_a_turn()
        requests, _ = quota.allowances(0.0)
        assert requests.remaining == 99


@pytest.mark.parametrize("kind", ["transcription", "realtime"])
def test_a_spent_key_has_no_transcript(kind: str) -> None:
    talk = transcribing(kind, quota=Quota(1, 1000) if kind == "transcription" else Quota(1000, 1))
    detection = {"type": "server_vad", "create_response": False}
    talk.say("session.update", session={"type": kind, "audio": {"input": {"turn_detection": detection}}})
    talk.speak_a_turn()
    first = talk.last(m.Listen).item_id
    events = talk.speak_a_turn()
    second = talk.last(m.Listen).item_id
    assert types(events)[-3:] == ["conversation.item.added", "conversation.item.done", PREFIX + "failed"]
    assert (events[-1]["item_id"], events[-1]["error"]["code"]) == (second, "rate_limit_exceeded")
    assert types(talk.engine(m.TranscriptDone(first, "a", 1), m.TranscriptDone(second, "b", 1))) == [PREFIX + "completed"]
    # A conversation's turn is heard all the same: it may be answered.
    assert (m.Commit(second) in talk.commands) == (kind == "realtime")
    assert (m.Forget(second) in talk.commands) == (kind == "transcription")


def test_who_hangs_up_pays_for_no_transcript_that_was_not_written() -> None:
    quota = Quota(100, 1000)
    talk = transcribing(quota=quota)
    talk.speak_a_turn()
    assert tokens_left(quota) < 1000
    talk.session.end(0.0)
    assert tokens_left(quota) == 1000


def test_a_client_whose_turns_pile_up_is_not_read_from_until_some_are_written() -> None:
    talk = transcribing(limits=Limits(waiting_turns=3))
    waiting = list[str]()
    for n in range(3):
        assert talk.session.behind is False, n
        talk.speak_a_turn()
        waiting.append(talk.last(m.Commit).item_id)
    assert talk.session.behind
    talk.engine(m.TranscriptFailed(waiting[0], "It broke."))
    assert not talk.session.behind
