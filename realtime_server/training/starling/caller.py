"""A caller at the product's WebSocket: speaks, and takes down what comes back."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from realtime_server.audio.mel import FloatArray
from realtime_server.training.starling.sets.talks import Json, Tool

RATE_HZ = 24_000
CHUNK_S = 0.04
LEAD_IN_S, SILENCE_S = 0.3, 1.5
"""Before and behind what is said, where it is not said at the pace of speech."""
LIMIT_S = 30.0
"""Without any event, a turn is given up."""
QUIET_S = 3.0
"""Where all is said and nothing was taken for speech in this time, nothing will be."""


@dataclass
class Exchange:
    """One turn of the user and what became of it. Times are of the clock, in seconds."""

    transcripts: dict[str, str | None] = field(default_factory=dict)
    """Of each turn that the server found in what was said; None until it is told."""
    output: list[Json] = field(default_factory=list)
    """The items of the last response that was not interrupted."""
    started: int = 0
    stopped: int = 0
    created: int = 0
    done: int = 0
    stopped_at: float = 0.0
    first_audio_at: float | None = None
    audio_s: float = 0.0
    behind_s: float = 0.0
    """How late the latest piece of sound came, for one who plays them as they come."""

    @property
    def heard(self) -> str:
        return " ".join(filter(None, self.transcripts.values()))

    @property
    def answer(self) -> str:
        parts = [part for item in self.output for part in item.get("content", ())]
        return " ".join(part.get("transcript") or part.get("text") or "" for part in parts).strip()

    @property
    def calls(self) -> list[Json]:
        return [item for item in self.output if item["type"] == "function_call"]

    @property
    def first_audio_ms(self) -> float | None:
        """After `speech_stopped`."""
        return None if self.first_audio_at is None else (self.first_audio_at - self.stopped_at) * 1000

    @property
    def complete(self) -> bool:
        """All turns that began have ended, are transcribed and answered."""
        transcribed = all(text is not None for text in self.transcripts.values())
        return 0 < self.started == self.stopped and self.done >= max(self.created, self.stopped) and transcribed

    def take(self, event: Json, now: float) -> None:
        match event["type"]:
            case "input_audio_buffer.speech_started":
                self.started += 1
                self.first_audio_at, self.audio_s, self.behind_s = None, 0.0, 0.0
            case "input_audio_buffer.speech_stopped":
                self.stopped += 1
                self.stopped_at = now
            case "input_audio_buffer.committed":
                self.transcripts.setdefault(event["item_id"], None)
            case "conversation.item.input_audio_transcription.completed":
                self.transcripts[event["item_id"]] = event["transcript"]
            case "conversation.item.input_audio_transcription.failed":
                self.transcripts[event["item_id"]] = ""
            case "response.created":
                self.created += 1
            case "response.output_audio.delta":
                self._sound(len(base64.b64decode(event["delta"])) / 2 / RATE_HZ, now)
            case "response.done":
                self.done += 1
                if event["response"]["status"] != "cancelled":
                    self.output = [*event["response"]["output"]]

    def _sound(self, seconds: float, now: float) -> None:
        if self.first_audio_at is None:
            self.first_audio_at = now
        self.behind_s = max(self.behind_s, now - self.first_audio_at - self.audio_s)
        self.audio_s += seconds


class Caller:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, samples: FloatArray, limit_s: float = LIMIT_S) -> Exchange:
        """24 kHz, faster than it is spoken."""
        await self._send_sound(np.concatenate([_silence(LEAD_IN_S), samples, _silence(SILENCE_S)]))
        exchange = Exchange()
        while not exchange.complete:
            if not await self._take(exchange, limit_s if exchange.started else min(limit_s, QUIET_S)):
                break
        return exchange

    async def say_live(self, samples: FloatArray) -> Exchange:
        """At the pace of speech, and silence behind it until all of the answer is there."""
        exchange = Exchange()
        microphone = asyncio.create_task(self._microphone(np.concatenate([_silence(LEAD_IN_S), samples])))
        try:
            while not exchange.complete and await self._take(exchange, LIMIT_S):
                pass
        finally:
            microphone.cancel()
            await asyncio.gather(microphone, return_exceptions=True)
        return exchange

    async def give(self, calls: list[Json], result: str, limit_s: float = LIMIT_S) -> Exchange:
        """What each of these calls returned; -> what is answered to it."""
        for call in calls:
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": result}
            await self._send(type="conversation.item.create", item=output)
        await self._send(type="response.create")
        exchange = Exchange()
        while not exchange.done and await self._take(exchange, limit_s):
            pass
        return exchange

    async def _take(self, exchange: Exchange, limit_s: float) -> bool:
        """False where nothing came."""
        try:
            text = await asyncio.wait_for(self._socket.recv(), limit_s)
        except TimeoutError:
            return False
        exchange.take(json.loads(text), time.perf_counter())
        return True

    async def _microphone(self, samples: FloatArray) -> None:
        size, due = int(RATE_HZ * CHUNK_S), time.perf_counter()
        while True:
            chunk, samples = samples[:size], samples[size:]
            await self._send_sound(np.pad(chunk, (0, size - len(chunk))))
            due += CHUNK_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _send_sound(self, samples: FloatArray) -> None:
        pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
        for start in range(0, len(pcm), RATE_HZ):
            await self._send(type="input_audio_buffer.append", audio=base64.b64encode(pcm[start : start + RATE_HZ]).decode())

    async def _send(self, **event: Any) -> None:
        await self._socket.send(json.dumps(event))


def _silence(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


@asynccontextmanager
async def calling(address: str, instructions: str, tools: tuple[Tool, ...] = ()) -> AsyncIterator[Caller]:
    """A session with server VAD as it is by default, its transcripts asked for."""
    async with connect(address, max_size=None, max_queue=None) as socket:
        sound = {"input": {"transcription": {"model": "default"}, "turn_detection": {"type": "server_vad"}}}
        session = {"type": "realtime", "instructions": instructions, "tools": [tool.event for tool in tools], "audio": sound}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        while (event := json.loads(await asyncio.wait_for(socket.recv(), LIMIT_S)))["type"] != "session.updated":
            if event["type"] == "error":
                raise SystemExit(f"the session is refused: {event['error']['message']}")
        yield Caller(socket)
