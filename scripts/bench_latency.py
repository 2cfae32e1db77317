"""Percentiles of what a user waits for, for several numbers of sessions at once, audio sent at the pace of speech.

- decided: from the end of speech in the audio to `speech_stopped` (the silence that the client asked for is part of it)
- answer: from `speech_stopped` to the first audio delta
- barge-in: from `speech_started` to the last audio delta of the interrupted answer that still comes after it, 0 if none does
- detected: from the first sample of the interrupting speech to `speech_started`

The server runs in a process of its own; the clients share this one.
"""

import argparse
import asyncio
import base64
import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from websockets.asyncio.client import ClientConnection, connect

RATE_HZ = 24_000
CHUNK_S = 0.04
SILENCE_MS = 200
QUESTIONS = Path(__file__).parent.parent / "tests" / "recordings"


ROWS = {
    "decided": "end of speech → `speech_stopped` (200 of it are the silence asked for)",
    "answer": "`speech_stopped` → first audio delta",
    "detected": "start of an interrupting speech → `speech_started`",
    "barge_in": "`speech_started` → last audio delta of the interrupted answer",
}
"""As the README's table has them."""


@dataclass
class Times:
    decided: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    detected: list[float] = field(default_factory=list)
    barge_in: list[float] = field(default_factory=list)


def question(name: str) -> tuple[np.ndarray, float]:
    """24 kHz samples, and the second at which the speech in them ends."""
    audio, rate = soundfile.read(QUESTIONS / f"{name}.flac", dtype="float32")
    samples = soxr.resample(audio, rate, RATE_HZ) * (0.4 / np.abs(audio).max())
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[loud[0] : loud[-1] + 1].astype(np.float32), (loud[-1] + 1 - loud[0]) / RATE_HZ


class Microphone:
    """Sends 40 ms every 40 ms: silence, until something is to be said."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._waiting = socket, np.zeros(0, np.float32)
        self.speech_starts = self.speech_ends = 0.0

    def say(self, samples: np.ndarray) -> None:
        self._waiting = samples
        self.speech_starts = time.perf_counter()
        self.speech_ends = self.speech_starts + len(samples) / RATE_HZ

    async def run(self) -> None:
        size, due = int(RATE_HZ * CHUNK_S), time.perf_counter()
        while True:
            chunk, self._waiting = self._waiting[:size], self._waiting[size:]
            chunk = np.pad(chunk, (0, size - len(chunk)))
            pcm = (chunk * 32767).astype("<i2").tobytes()
            event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
            await self._socket.send(json.dumps(event))
            due += CHUNK_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def until(socket: ClientConnection, kind: str) -> tuple[dict[str, Any], float]:
    while True:
        event = json.loads(await socket.recv())
        if event["type"] == kind:
            return event, time.perf_counter()


async def one_session(url: str, turns: int, times: Times, delay: float) -> None:
    async with connect(url, max_size=None) as socket:
        await until(socket, "session.created")
        vad = {"type": "server_vad", "silence_duration_ms": SILENCE_MS}
        session = {"type": "realtime", "audio": {"input": {"turn_detection": vad}}}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        microphone = Microphone(socket)
        running = asyncio.ensure_future(microphone.run())
        await asyncio.sleep(0.5 + delay)
        try:
            for n in range(turns):
                await spoken_turn(socket, microphone, times, ("capital-of-france", "three-plus-four", "your-name")[n % 3])
                await barge_in(socket, microphone, times)
        finally:
            running.cancel()


async def spoken_turn(socket: ClientConnection, microphone: Microphone, times: Times, name: str) -> None:
    samples, _ = question(name)
    microphone.say(samples)
    _, stopped = await until(socket, "input_audio_buffer.speech_stopped")
    _, first = await until(socket, "response.output_audio.delta")
    times.decided.append(stopped - microphone.speech_ends)
    times.answer.append(first - stopped)
    await until(socket, "response.done")


async def barge_in(socket: ClientConnection, microphone: Microphone, times: Times) -> None:
    """A long answer is asked for as speech begins: it sounds by the time that the detector has made up its mind."""
    content = [{"type": "input_text", "text": "count to twelve"}]
    item = {"type": "message", "role": "user", "content": content}
    samples, _ = question("capital-of-japan")
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create"}))
    microphone.say(samples)
    started = last = 0.0
    while True:
        event = json.loads(await socket.recv())
        now = time.perf_counter()
        if event["type"] == "input_audio_buffer.speech_started":
            started = last = now
            times.detected.append(now - microphone.speech_starts)
        elif event["type"] == "response.output_audio.delta" and started:
            last = now
        elif event["type"] == "response.done":
            break
    if event["response"]["status"] == "cancelled":
        times.barge_in.append(last - started)
    await until(socket, "input_audio_buffer.speech_stopped")
    await until(socket, "response.done")


async def measure(url: str, sessions: int, turns: int) -> Times:
    times = Times()
    spread = np.random.default_rng(0).uniform(0, 2, sessions)
    await asyncio.gather(*[one_session(url, turns, times, float(delay)) for delay in spread])
    return times


def row(name: str, values: list[float]) -> str:
    if not values:
        return f"{name:>10}   none"
    p50, p95 = np.percentile(np.array(values) * 1000, (50, 95))
    return f"{name:>10}   p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   ({len(values)} times)"


def table(measured: dict[int, Times]) -> str:
    """The README's table of p50 / p95 in milliseconds, a column for each number of sessions."""
    heads = ["1 session" if sessions == 1 else f"{sessions} at once" for sessions in measured]
    lines = ["| " + " | ".join(["from → to", *heads]) + " |", "|---" * (len(heads) + 1) + "|"]
    for name, text in ROWS.items():
        values = [np.array(getattr(times, name)) * 1000 for times in measured.values()]
        cells = [" / ".join(f"{p:.0f}" for p in np.percentile(v, (50, 95))) if len(v) else "none" for v in values]
        lines.append("| " + " | ".join([text, *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 4, 16], help="how many at once (1 4 16)")
    parser.add_argument("--turns", type=int, default=6, help="of each session (%(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="where the measured server listens (%(default)s)")
    options = parser.parse_args()
    command = [sys.executable, "-m", "realtime_server.cli", "serve", "--port", str(options.port), "--log-level", "info"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        if not any("= ready" in line for line in server.stderr):
            raise SystemExit("the server did not start")
        time.sleep(1)
        print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, silence {SILENCE_MS} ms")
        measured = {}
        for sessions in options.sessions:
            times = measured[sessions] = asyncio.run(
                measure(f"ws://127.0.0.1:{options.port}/v1/realtime", sessions, options.turns)
            )
            print(f"{sessions} session{'s' if sessions > 1 else ''} at once")
            for name in ROWS:
                print(row(name, getattr(times, name)))
        print(table(measured))
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
