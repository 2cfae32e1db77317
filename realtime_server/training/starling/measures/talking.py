"""Talks held with the product: each turn said, answered, taken down and judged."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime_server.audio.mel import FloatArray
from realtime_server.audio.resample import Resampler
from realtime_server.training.starling.caller import RATE_HZ, Caller, Exchange, calling
from realtime_server.training.starling.scoring import answered_rightly, called_rightly, transcript_errors
from realtime_server.training.starling.sets.talks import Json, Talk, Turn

PEAK = 0.4


class Recordings:
    """What `voices.py` made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index: dict[str, dict[str, Any]] = json.loads((folder / "index.json").read_text())

    def voice(self, said: str) -> str:
        return str(self._index[said]["voice"])

    def samples(self, said: str) -> FloatArray:
        return read(self._folder / str(self._index[said]["file"]))


def read(path: Path) -> FloatArray:
    """Any recording as 24 kHz mono samples."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples = Resampler(rate, RATE_HZ).push(audio.mean(1), last=True)
    return (samples * (PEAK / max(1e-4, float(np.abs(samples).max())))).astype(np.float32)


@dataclass(frozen=True)
class Judged:
    kind: str
    voice: str
    turn: Turn
    heard: str
    answer: str
    calls: list[Json]
    right: bool

    @property
    def detail(self) -> Json:
        calls = [{"name": call["name"], "arguments": call["arguments"]} for call in self.calls]
        return {
            "kind": self.kind, "voice": self.voice, "said": self.turn.said, "heard": self.heard, "answer": self.answer,
            "calls": calls, "right": self.right,
        }  # fmt: skip


async def hold(address: str, talk: Talk, recordings: Recordings) -> list[Judged]:
    """One session."""
    judged = []
    async with calling(address, talk.instructions, talk.tools) as caller:
        for turn in talk.turns:
            exchange = await caller.say(recordings.samples(turn.said))
            calls = await all_calls(caller, turn, exchange)
            right = called_rightly(turn.calls, calls) and (bool(turn.calls) or answered_rightly(turn, exchange.answer))
            voice = recordings.voice(turn.said)
            judged.append(Judged(talk.kind, voice, turn, exchange.heard, exchange.answer, calls, right))
    return judged


async def all_calls(caller: Caller, turn: Turn, exchange: Exchange) -> list[Json]:
    """Those made at once and those made one after the other; all have returned something in the end."""
    calls = list[Json]()
    while exchange.calls:
        calls += exchange.calls
        if len(calls) > len(turn.calls) + 1:
            break
        exchange = await caller.give(exchange.calls, turn.result)
    return calls


def word_errors(judged: Iterable[Judged]) -> float:
    counts = [transcript_errors(one.turn.said, one.heard) for one in judged]
    return round(sum(errors for errors, _ in counts) / max(1, sum(words for _, words in counts)), 3)
