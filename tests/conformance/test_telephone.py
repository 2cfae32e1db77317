"""A telephone bridge, in the shape of the public samples: G.711 both ways in frames of 20 ms, configured before it was greeted."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
import soxr

from tests.conformance.clients import Scripted, dial, said
from tests.conformance.conftest import recording
from tests.live import Live

FRAME_BYTES = 160
SUBTYPES = {"audio/pcmu": "ULAW", "audio/pcma": "ALAW"}


def narrow(name: str, audio_format: str) -> bytes:
    """A question as G.711, encoded by libsndfile."""
    wide = np.frombuffer(recording(name), "<i2").astype(np.float32) / 32768
    file = io.BytesIO()
    soundfile.write(file, soxr.resample(wide, 24_000, 8_000), 8_000, format="RAW", subtype=SUBTYPES[audio_format])
    return file.getvalue()


@contextmanager
def call(server: Live, audio_format: str) -> Iterator[Scripted]:
    with dial(server, "model=gpt-realtime") as socket:
        bridge = Scripted(socket)
        kind = {"format": {"type": audio_format}}
        audio = {"input": {**kind, "turn_detection": {"type": "server_vad"}}, "output": {**kind, "voice": "alloy"}}
        session = {"type": "realtime", "output_modalities": ["audio"], "audio": audio, "instructions": "Your name is Robin."}
        bridge.send("session.update", session=session)
        yield bridge


@pytest.mark.parametrize("audio_format", ["audio/pcmu", "audio/pcma"])
def test_a_call(server: Live, audio_format: str) -> None:
    """A barge-in is truncated at what was played, then answered."""
    with call(server, audio_format) as bridge:
        bridge.append(narrow("your-name", audio_format), FRAME_BYTES)
        done = bridge.until("response.done")
        assert said(done) == "My name is Robin."
        assert done["response"]["audio"]["output"]["format"] == {"type": audio_format}
        (item,) = done["response"]["output"]
        assert 0.5 < len(bridge.sound()) / 8_000 < 5
        bridge.append(narrow("capital-of-japan", audio_format), FRAME_BYTES)
        bridge.until("input_audio_buffer.speech_started")
        bridge.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=300)
        assert bridge.until("conversation.item.truncated")["audio_end_ms"] == 300
        assert said(bridge.until("response.done")) == "The capital of Japan is Tokyo."
