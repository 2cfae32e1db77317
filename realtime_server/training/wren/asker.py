"""Puts one question at a time to the model, as a session would: the one place where measuring reaches into it."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realtime_server import messages as m
from realtime_server.audio.formats import as_float
from realtime_server.audio.mel import FloatArray
from realtime_server.engine.families.wren.hearing import FRAME_SAMPLES
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.turns import HeardTurn
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.training.wren import augment

FRAME_S = FRAME_SAMPLES / m.AUDIO_RATE_HZ


@dataclass(frozen=True)
class Answer:
    heard: str
    text: str
    call: str | None
    arguments: dict[str, Any]
    sound: FloatArray
    characters: int
    doubt: float = 0.0


class Asker:
    """Puts one question at a time to the model, as a session would."""

    def __init__(self, model: WrenModel) -> None:
        self.model = model
        self._number = 0

    def ask(self, mel: FloatArray, context: m.Context, voice: str = "marin", audio: bool = False) -> Answer:
        """mel [n, 80] of what was said, heard as far as can be before it is committed."""
        name, turn = self._listen(mel, context)
        turn.intake.waiting.append(_samples(len(mel) // MEL_STRIDE))
        self._run()
        self.model.run(name, m.Commit(name))
        answer = self._answer(name, f"resp{self._number}", _with_spoken(context, name), voice, audio)
        return replace(answer, doubt=turn.heard.doubt if turn.heard else 0.0)

    def transcribe(self, mel: FloatArray, frames_at_once: int) -> tuple[str, str]:
        """What a live turn is told while these frames come in, before it is committed; and its whole transcript."""
        name, turn = self._listen(mel, m.Context("", (), ()), live=True)
        early: list[m.Output] = []
        for _ in range(len(mel) // MEL_STRIDE // frames_at_once):
            turn.intake.waiting.append(_samples(frames_at_once))
            early += self._run()
        self.model.run(name, m.Commit(name))
        late = self._run()
        self.model.end(name)
        told = "".join(o.text for o in early if isinstance(o, m.TranscriptDelta))
        return told, next(o.text for o in late if isinstance(o, m.TranscriptDone))

    def in_real_time(self, mel: FloatArray, context: m.Context, voice: str = "marin") -> tuple[float | None, float]:
        """A question whose frames come as they are said, committed with the last of them: seconds from there to the first sound
        of the answer, None without one; and seconds of sound. The clock goes while the model works, and jumps to the next frame
        where it waits."""
        name, turn = self._listen(mel, context)
        frames = len(mel) // MEL_STRIDE
        now, come, first, samples = 0.0, 0, None, 0
        while True:
            while come < frames and now >= (come + 1) * FRAME_S:
                turn.intake.waiting.append(_samples(1))
                come += 1
                if come == frames:
                    self.model.run(name, m.Commit(name))
                    asked = _with_spoken(context, name)
                    self.model.run(name, m.Respond(f"resp{self._number}", asked, True, voice, "auto", None))
            began = time.perf_counter()
            step = self.model.step()
            now += time.perf_counter() - began
            for _, output in step or ():
                if isinstance(output, m.AudioDelta):
                    first = now - frames * FRAME_S if first is None else first
                    samples += len(output.samples)
            if step is None:
                if come == frames:
                    break
                now = max(now, (come + 1) * FRAME_S)
        self.model.end(name)
        return first, samples / m.AUDIO_RATE_HZ

    def write(self, text: str, context: m.Context, voice: str = "marin", audio: bool = True) -> Answer:
        self._number += 1
        said = m.Message(f"item{self._number}", "user", (m.Text(text),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        return self._answer(f"s{self._number}", f"resp{self._number}", full, voice, audio)

    def go_on(self, context: m.Context, voice: str = "marin", audio: bool = False) -> Answer:
        """The reply to what the context ends with, as to a function's result."""
        self._number += 1
        return self._answer(f"s{self._number}", f"resp{self._number}", context, voice, audio)

    def _listen(self, mel: FloatArray, context: m.Context, live: bool = False) -> tuple[str, HeardTurn]:
        """A new session's turn, which will have these frames; the name of both."""
        self._number += 1
        name = f"s{self._number}"
        self.model.run(name, m.Listen(name, context, live))
        turn: HeardTurn = self.model._sessions[name].turns[name]
        turn.intake.frames = _Ready(mel)  # type: ignore[assignment]
        return name, turn

    def _run(self) -> list[m.Output]:
        """Until nothing moves any more."""
        outputs: list[m.Output] = []
        while (step := self.model.step()) is not None:
            outputs += [output for _, output in step]
        return outputs

    def _answer(self, session: str, response: str, context: m.Context, voice: str, audio: bool) -> Answer:
        self.model.run(session, m.Respond(response, context, audio, voice, "auto", None))
        outputs = self._run()
        self.model.end(session)
        heard = next((o.text for o in outputs if isinstance(o, m.TranscriptDone)), "")
        text = "".join(o.text for o in outputs if isinstance(o, m.TextDelta))
        call = next((o.name for o in outputs if isinstance(o, m.CallStarted)), None)
        arguments = "".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta))
        sounds = [o for o in outputs if isinstance(o, m.AudioDelta)]
        sound = as_float(np.concatenate([o.samples for o in sounds])) if sounds else np.zeros(0, np.float32)
        return Answer(heard, text, call, json.loads(arguments or "{}"), sound, sounds[-1].characters if sounds else 0)


def _with_spoken(context: m.Context, item_id: str) -> m.Context:
    """What is asked about is the turn that the model has heard as this item."""
    spoken = m.Audio(_samples(0), None, item_id)
    return replace(context, items=(*context.items, m.Message(item_id, "user", (spoken,))))


def _samples(frames: int) -> m.Samples:
    """As many as there are in so many frames."""
    return np.zeros(frames * FRAME_SAMPLES, np.int16)


class _Ready:
    """A frame maker whose frames are made already: it gives out as many as there are in the samples, or all."""

    def __init__(self, mel: FloatArray) -> None:
        self._mel, self._left = augment.windows(mel), len(mel) // MEL_STRIDE

    def push(self, samples: m.Samples, last: bool = False) -> FloatArray | None:
        count = self._left if last else min(self._left, len(samples) // FRAME_SAMPLES)
        if not count:
            return None
        mel = self._mel[: MEL_HISTORY + count * MEL_STRIDE]
        self._mel, self._left = self._mel[count * MEL_STRIDE :], self._left - count
        return mel
