"""Puts one question at a time to the model, as a session would: the one place where measuring reaches into it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realtime_server import messages as m
from realtime_server.audio.mel import FloatArray
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.engine.wren.hearing import HeardTurn
from realtime_server.engine.wren.model import WrenModel
from realtime_server.training.wren import augment


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

    def hear(self, name: str, mel: FloatArray, context: m.Context) -> m.Message:
        """A turn with these frames [n, 80], heard as far as can be before it is committed; the item that it becomes."""
        turn = self._listen(name, context, _Ready(mel))
        turn.waiting.append(np.zeros(1, np.float32))
        self._run()
        return m.Message(name, "user", (m.Audio(np.zeros(0, np.float32), None),))

    def ask(self, mel: FloatArray, context: m.Context, voice: str = "marin", audio: bool = False) -> Answer:
        """mel [n, 80] of what was said."""
        self._number += 1
        name = f"s{self._number}"
        said = self.hear(name, mel, context)
        self.model.run(name, m.Commit(name))
        turn = self.model._sessions[name].turns[name]
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        return replace(self._answer(name, f"resp{self._number}", full, voice, audio), doubt=turn.doubt)

    def transcribe(self, mel: FloatArray, frames_at_once: int) -> tuple[str, str]:
        """What a live turn is told while these frames come in, before it is committed; and its whole transcript."""
        self._number += 1
        name = f"s{self._number}"
        turn = self._listen(name, m.Context("", (), ()), _Ready(mel, frames_at_once), live=True)
        early: list[m.Output] = []
        for _ in range(len(mel) // MEL_STRIDE // frames_at_once):
            turn.waiting.append(np.zeros(1, np.float32))
            early += self._run()
        self.model.run(name, m.Commit(name))
        late = self._run()
        self.model.end(name)
        told = "".join(o.text for o in early if isinstance(o, m.TranscriptDelta))
        return told, next(o.text for o in late if isinstance(o, m.TranscriptDone))

    def write(self, text: str, context: m.Context, voice: str = "marin", audio: bool = True) -> Answer:
        self._number += 1
        said = m.Message(f"item{self._number}", "user", (m.Text(text),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        return self._answer(f"s{self._number}", f"resp{self._number}", full, voice, audio)

    def _listen(self, name: str, context: m.Context, frames: "_Ready", live: bool = False) -> HeardTurn:
        self.model.run(name, m.Listen(name, context, live))
        turn: HeardTurn = self.model._sessions[name].turns[name]
        turn.frames = frames  # type: ignore[assignment]
        return turn

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
        sound = np.concatenate([o.samples for o in sounds]) if sounds else np.zeros(0, np.float32)
        return Answer(heard, text, call, json.loads(arguments or "{}"), sound, sounds[-1].characters if sounds else 0)


class _Ready:
    """A frame maker whose frames are made already: it gives out so many at once, or all."""

    def __init__(self, mel: FloatArray, at_once: int | None = None) -> None:
        self._mel, self._left = augment.windows(mel), len(mel) // MEL_STRIDE
        self._at_once = at_once or self._left

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray | None:
        count = self._left if last else min(self._left, self._at_once)
        if not count:
            return None
        mel = self._mel[: MEL_HISTORY + count * MEL_STRIDE]
        self._mel, self._left = self._mel[count * MEL_STRIDE :], self._left - count
        return mel
