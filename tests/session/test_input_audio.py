"""What is appended is one stream of bytes, however it is cut; a commit is all of it, and a clear leaves nothing."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import PcmResampler
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.session.input_audio import LEAST_PIECE
from realtime_server.session.limits import Limits
from tests.helpers import Talk, silence, types

NOISE = np.random.default_rng(0).integers(0, 256, 20_000, np.uint8).tobytes()
formats = st.sampled_from(list(FORMATS))
cuts = st.lists(st.integers(0, len(NOISE)), max_size=8).map(sorted)


def talk_in(audio_format: str, detection: Any = None, limits: Limits = Limits()) -> Talk:
    talk = Talk(limits)
    heard = {"format": {"type": audio_format}, "turn_detection": detection}
    talk.say("session.update", session={"type": "realtime", "audio": {"input": heard}})
    return talk


def append(talk: Talk, data: bytes, at: Sequence[int] = ()) -> None:
    for start, end in zip([0, *at], [*at, len(data)], strict=True):
        if data[start:end]:
            assert talk.say("input_audio_buffer.append", audio=base64.b64encode(data[start:end]).decode()) == []


def retrieved(talk: Talk, item_id: str) -> bytes:
    return base64.b64decode(talk.say("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]["audio"])


def offline(audio_format: str, data: bytes) -> np.ndarray:
    shape = FORMATS[audio_format]
    return PcmResampler(shape.rate_hz, AUDIO_RATE_HZ).push(shape.decode(data), last=True)


def committed(talk: Talk) -> bytes:
    return retrieved(talk, talk.say("input_audio_buffer.commit")[0]["item_id"])


@settings(max_examples=40)
@given(formats, cuts)
def test_no_cut_changes_what_is_committed_and_heard(audio_format: str, at: list[int]) -> None:
    talk = talk_in(audio_format)
    append(talk, NOISE, at)
    whole = offline(audio_format, NOISE)
    assert committed(talk) == whole.tobytes()
    heard = [c for c in talk.commands if isinstance(c, m.Hear)]
    assert np.array_equal(np.concatenate([c.samples for c in heard]), whole)
    assert all(len(c.samples) >= LEAST_PIECE for c in heard[:-1])


@settings(max_examples=40)
@given(formats, cuts)
def test_no_cut_changes_what_is_detected(audio_format: str, at: list[int]) -> None:
    talk = talk_in(audio_format, {"type": "server_vad"})
    append(talk, NOISE, at)
    shown = np.concatenate([c.samples for c in talk.commands if isinstance(c, m.Detect)])
    whole = offline(audio_format, NOISE)
    assert np.array_equal(shown, whole[: len(shown)])
    # Less than 10 ms wait for more, and the filter's 3 ms.
    assert len(whole) - len(shown) < LEAST_PIECE + 24 * 3


@settings(max_examples=40)
@given(formats, st.integers(1, 9000), st.integers(2400, 9000), st.sampled_from(["clear", "commit"]))
def test_nothing_of_a_turn_is_in_the_next(audio_format: str, first: int, second: int, ending: str) -> None:
    """With whole samples first, since a commit does not end the stream."""
    talk = talk_in(audio_format, limits=Limits(commit_ms=0))
    append(talk, NOISE[: 2 * first])
    talk.say(f"input_audio_buffer.{ending}")
    append(talk, NOISE[: 2 * second])
    assert committed(talk) == offline(audio_format, NOISE[: 2 * second]).tobytes()


def test_half_a_sample_waits_over_a_commit_and_not_over_a_clear() -> None:
    talk = talk_in("audio/pcm")
    append(talk, NOISE[:4801])
    assert committed(talk) == NOISE[:4800]
    append(talk, NOISE[4801:9602])
    assert committed(talk) == NOISE[4800:9602]
    append(talk, NOISE[:1])
    talk.say("input_audio_buffer.clear")
    append(talk, NOISE[:4800])
    assert committed(talk) == NOISE[:4800]


def test_another_format_loses_nothing_but_half_a_sample() -> None:
    talk = talk_in("audio/pcmu")
    append(talk, NOISE[:800])
    talk.say(
        "session.update", session={"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}}}
    )
    append(talk, NOISE[:4801])
    talk.say("session.update", session={"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcma"}}}})
    append(talk, NOISE[:800])
    parts = [offline("audio/pcmu", NOISE[:800]), offline("audio/pcm", NOISE[:4800]), offline("audio/pcma", NOISE[:800])]
    assert committed(talk) == np.concatenate(parts).tobytes()


@pytest.mark.parametrize("name", FORMATS)
def test_a_hundred_milliseconds_are_a_turn_and_not_a_sample_less(name: str) -> None:
    talk, shape = talk_in(name), FORMATS[name]
    data = bytes(shape.rate_hz // 10 * shape.bytes_per_sample)
    append(talk, data[shape.bytes_per_sample :])
    (error,) = talk.say("input_audio_buffer.commit")
    assert error["error"]["code"] == "input_audio_buffer_commit_empty"
    append(talk, data[: shape.bytes_per_sample])
    assert len(committed(talk)) == 4800


def test_a_turn_that_the_detector_ends_is_cut_at_its_sample_and_the_stream_goes_on() -> None:
    talk = Talk()
    talk.say("session.update", session={"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    data = np.random.default_rng(1).integers(0, 256, 256 * 80, np.uint8).tobytes()
    append(talk, data)
    whole, ids = offline("audio/pcmu", data), []
    for probability in [*[0.0] * 12, *[0.9] * 16, *[0.0] * 7, *[0.9] * 16, *[0.0] * 7]:
        events = talk.engine(m.SpeechProbability(talk.resets, 768, probability))
        ids += [e["item_id"] for e in events if e["type"] == "input_audio_buffer.committed"]
    start, middle, end = 12 * 768 - 7200, 35 * 768, 58 * 768
    assert retrieved(talk, ids[0]) == whole[start:middle].tobytes()
    assert retrieved(talk, ids[1]) == whole[middle:end].tobytes()


def test_many_small_appends_are_few_commands() -> None:
    for detection in (None, {"type": "server_vad"}):
        talk = talk_in("audio/pcm", detection)
        for _ in range(24_00):
            talk.say("input_audio_buffer.append", audio="AAA=")
        assert sum(isinstance(c, m.Hear | m.Detect) for c in talk.commands) == 10


def test_too_much_is_refused_whole() -> None:
    talk = talk_in("audio/pcmu", limits=Limits(buffer_s=1))
    append(talk, bytes(7000))
    (error,) = talk.say("input_audio_buffer.append", audio=base64.b64encode(bytes(1001)).decode())
    assert error["error"]["code"] == "input_audio_buffer_full"
    append(talk, bytes(1000))
    assert len(committed(talk)) == 48_000


def test_the_id_of_a_turn_that_is_heard_is_taken() -> None:
    talk = Talk()
    item_id = talk.hear(*[0.9] * 10)[0]["item_id"]
    item = {"id": item_id, "type": "message", "role": "user", "content": []}
    (error,) = talk.say("conversation.item.create", item=item)
    assert error["error"]["code"] == "item_create_duplicate_item_id"
    assert "response.created" in types(talk.hear(*[0.0] * 8))


def test_a_push_to_talk_after_a_pause_has_its_silence() -> None:
    talk = talk_in("audio/pcma")
    talk.say("input_audio_buffer.append", audio=silence(50))
    talk.say("input_audio_buffer.clear")
    assert talk.say("input_audio_buffer.commit")[0]["error"]["message"].endswith("only has 0.00ms of audio.")
