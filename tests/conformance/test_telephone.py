"""A telephone bridge, in the shape of the public samples: G.711 both ways in frames of 20 ms, configured before it was greeted."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import soxr
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from realtime_server.audio.formats import FORMATS
from tests.conformance.clients import said
from tests.conformance.conftest import recording
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

FRAME_BYTES = 160


class Call:
    def __init__(self, socket: Connection, audio_format: str) -> None:
        self._socket, self._format = socket, audio_format
        self.events: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **fields}))

    def receive(self) -> dict[str, Any]:
        text = self._socket.recv(timeout=WAIT_S)
        SDK_EVENT.validate_json(text, strict=True)
        event = dict(json.loads(text))
        assert event["type"] != "error", event
        self.events.append(event)
        return event

    def until(self, kind: str) -> dict[str, Any]:
        while (event := self.receive())["type"] != kind:
            pass
        return event

    def speak(self, name: str) -> None:
        wide = np.frombuffer(recording(name), "<i2").astype(np.float32) / 32768
        data = FORMATS[self._format].encode(soxr.resample(wide, 24_000, 8_000).astype(np.float32))
        for start in range(0, len(data), FRAME_BYTES):
            payload = base64.b64encode(data[start : start + FRAME_BYTES]).decode()
            self.send("input_audio_buffer.append", audio=payload)


@contextmanager
def call(server: Live, audio_format: str) -> Iterator[Call]:
    with connect(f"{server.ws}?model=gpt-realtime", additional_headers={"Authorization": "Bearer sk-test"}) as socket:
        bridge = Call(socket, audio_format)
        kind = {"format": {"type": audio_format}}
        audio = {"input": {**kind, "turn_detection": {"type": "server_vad"}}, "output": {**kind, "voice": "alloy"}}
        session = {"type": "realtime", "output_modalities": ["audio"], "audio": audio, "instructions": "Your name is Robin."}
        bridge.send("session.update", session=session)
        yield bridge


@pytest.mark.parametrize("audio_format", ["audio/pcmu", "audio/pcma"])
def test_a_call(server: Live, audio_format: str) -> None:
    """A barge-in is truncated at what was played, then answered."""
    with call(server, audio_format) as bridge:
        bridge.speak("your-name")
        done = bridge.until("response.done")
        assert said(done) == "My name is Robin."
        assert done["response"]["audio"]["output"]["format"] == {"type": audio_format}
        (item,) = done["response"]["output"]
        spoken = [event for event in bridge.events if event["type"] == "response.output_audio.delta"]
        sound = b"".join(base64.b64decode(event["delta"]) for event in spoken)
        assert 0.5 < len(sound) / 8_000 < 5
        bridge.speak("capital-of-japan")
        bridge.until("input_audio_buffer.speech_started")
        bridge.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=300)
        assert bridge.until("conversation.item.truncated")["audio_end_ms"] == 300
        assert said(bridge.until("response.done")) == "The capital of Japan is Tokyo."
