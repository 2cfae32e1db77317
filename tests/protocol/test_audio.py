"""base64 in JSON, and the words in which it is refused."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.protocol import audio
from realtime_server.protocol.errors import ClientError


@given(st.binary(min_size=1, max_size=50))
def test_bytes_come_back(data: bytes) -> None:
    assert audio.decode(audio.encode(data), "audio/pcm", "audio", 50) == data


def test_samples_are_written_as_they_are_on_the_wire() -> None:
    assert audio.encode(np.array([1, -2], "<i2")) == base64.b64encode(b"\x01\x00\xfe\xff").decode()


@pytest.mark.parametrize(("text", "says"), [
    ("", "(G.711 mu-law at 8kHz) but got empty bytes."), ("!!", "(G.711 mu-law at 8kHz) but got an invalid value."),
    ("AAA", "(G.711 mu-law at 8kHz) but got an invalid value."), ("é", "but got an invalid value."),
    ("A" * 100, "more than 60 bytes of audio in one event."),
])  # fmt: skip
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(ClientError) as caught:
        audio.decode(text, "audio/pcmu", "item.content[0].audio", 60)
    assert caught.value.message.startswith("Invalid 'item.content[0].audio'")
    assert caught.value.message.endswith(says)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "item.content[0].audio")
