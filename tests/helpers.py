"""Talk drives a Session with a scripted engine and no loop; the SDK's own types check every event on the way."""

import base64
import random
import re
from typing import Any

import numpy as np
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from realtime_server import messages as m
from realtime_server.engine.contexts import Contexts
from realtime_server.engine.contract import ModelCommand
from realtime_server.protocol import codec
from realtime_server.protocol.errors import ClientError
from realtime_server.session.limits import Limits
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart

SDK_EVENT: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
FRAME = 768
"""Samples of one detector frame (32 ms) at AUDIO_RATE_HZ."""
TEXT_ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


def checked(event: Any) -> dict[str, Any]:
    """The event as the client gets it, after the SDK's own types have accepted it strictly."""
    text = codec.encode(event)
    SDK_EVENT.validate_json(text, strict=True)
    assert codec.decode_server_event(text) == event
    return dict(codec.as_data(event))


def pcm(samples: np.ndarray) -> str:
    return base64.b64encode(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes()).decode()


def silence(milliseconds: int) -> str:
    return pcm(np.zeros(24 * milliseconds, np.float32))


class Talk:
    """`say` sends client events, `hear` plays the detector, `engine` the model.

    `events` holds what came, in order, `commands` what detector and model were given, `crossed` what the session issued for that.
    """

    model = "wren"

    def __init__(self, limits: Limits = Limits(), transcription: bool = False, **more: Any) -> None:
        start = SessionStart(self.model, transcription, 3600, now=0.0, **more)
        self.session = Session(start, limits, random.Random(0))
        self.events: list[dict[str, Any]] = []
        self.commands: list[ModelCommand | m.DetectorCommand | m.ShellCommand] = []
        self.crossed: list[m.Command] = []
        self.contexts = Contexts()
        self.now = 0.0
        self.resets = 0
        self.drain()

    def drain(self) -> list[dict[str, Any]]:
        new = [checked(event) for event in self.session.events_to_send()]
        self.events += new
        commands = self.session.commands_to_run()
        self.crossed += commands
        for command in commands:
            if isinstance(command, m.DetectorCommand | m.ShellCommand):
                self.commands.append(command)
            elif (given := self.contexts.take("session", command)) is not None:
                self.commands.append(given)
        self.resets += sum(isinstance(command, m.ResetDetector) for command in commands)
        return new

    def say(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """One client event; what the server answers."""
        import orjson

        try:
            self.session.receive(codec.decode(orjson.dumps({"type": kind, **fields})), self.now)
        except ClientError as error:
            self.session.refuse(error)
        return self.drain()

    def engine(self, *outputs: m.Output) -> list[dict[str, Any]]:
        for output in outputs:
            self.session.engine_output(output, self.now)
        return self.drain()

    def wait_until(self, now: float) -> list[dict[str, Any]]:
        self.now = now
        self.session.handle_deadline(now)
        return self.drain()

    def hear(self, *probabilities: float) -> list[dict[str, Any]]:
        """Audio of as many frames, with these probabilities of speech."""
        new = self.say("input_audio_buffer.append", audio=pcm(np.zeros(FRAME * len(probabilities), np.float32)))
        for probability in probabilities:
            new += self.engine(m.SpeechProbability(self.resets, FRAME, probability))
        return new

    def speak_a_turn(self) -> list[dict[str, Any]]:
        """Half a second of speech, then the silence that ends it."""
        return self.hear(*[0.0] * 12, *[0.9] * 16, *[0.0] * 8)

    def last(self, kind: type[Any]) -> Any:
        return next(command for command in reversed(self.commands) if isinstance(command, kind))

    def answer(self, text: str = "Hello there.", frames: int = 2, finish: bool = True) -> list[dict[str, Any]]:
        """The engine answers the newest response in words and sound."""
        response_id = self.last(m.Respond).response_id
        half = len(text) // 2
        sound = np.full(1920, 3277, np.int16)
        new = self.engine(m.TextDelta(response_id, text[:half]), m.TextDelta(response_id, text[half:]))
        for n in range(frames):
            new += self.engine(m.AudioDelta(response_id, sound, len(text) * (n + 1) // frames))
        if finish:
            new += self.engine(m.ResponseFinished(response_id, "completed"))
        return new


def text_session(**session: Any) -> Talk:
    talk = Talk()
    talk.say("session.update", session={"type": "realtime", **session})
    return talk


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def transcript(events: list[dict[str, Any]]) -> str:
    """A line per event with its ids numbered by first appearance: what the stored sequences look like."""
    names: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        kind = match[1]
        return names.setdefault(match[0], f"{kind}{sum(n.startswith(kind) for n in names.values()) + 1}")

    lines = []
    for event in events:
        parts = [event["type"]]
        for key in (
            "previous_item_id",
            "item_id",
            "response_id",
            "output_index",
            "delta",
            "text",
            "transcript",
            "audio_end_ms",
        ):
            if key in event:
                value = event[key]
                parts.append(f"{key}={value[:12] if key == 'delta' else value}")
        inner = event.get("item") or event.get("response") or {}
        parts += [f"{key}={inner[key]}" for key in ("id", "status", "status_details") if key in inner]
        if "error" in event:
            parts.append(f"code={event['error']['code']}")
        lines.append(re.sub(r"\b(item|resp|call)_[0-9A-Za-z]{21}\b", named, " ".join(parts)))
    return "\n".join(lines) + "\n"
