"""Puts one question at a time to the model, as a session would: the one place where measuring reaches into it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from realtime_server import messages as m
from realtime_server.audio.mel import FloatArray
from realtime_server.engine.nets.wren import MEL_HISTORY
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
        self.model.run(name, m.Listen(name, context))
        turn: HeardTurn = self.model._sessions[name].turns[name]
        turn.frames = _Ready(mel)  # type: ignore[assignment]
        turn.waiting.append(np.zeros(1, np.float32))
        while self.model.step() is not None:
            pass
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

    def write(self, text: str, context: m.Context, voice: str = "marin", audio: bool = True) -> Answer:
        self._number += 1
        said = m.Message(f"item{self._number}", "user", (m.Text(text),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        return self._answer(f"s{self._number}", f"resp{self._number}", full, voice, audio)

    def _answer(self, session: str, response: str, context: m.Context, voice: str, audio: bool) -> Answer:
        self.model.run(session, m.Respond(response, context, audio, voice, "auto", None))
        outputs = []
        while (step := self.model.step()) is not None:
            outputs += [output for _, output in step]
        self.model.end(session)
        heard = next((o.text for o in outputs if isinstance(o, m.TranscriptDone)), "")
        text = "".join(o.text for o in outputs if isinstance(o, m.TextDelta))
        call = next((o.name for o in outputs if isinstance(o, m.CallStarted)), None)
        arguments = "".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta))
        sounds = [o for o in outputs if isinstance(o, m.AudioDelta)]
        sound = np.concatenate([o.samples for o in sounds]) if sounds else np.zeros(0, np.float32)
        return Answer(heard, text, call, json.loads(arguments or "{}"), sound, sounds[-1].characters if sounds else 0)


class _Ready:
    """A frame maker whose frames are made already."""

    def __init__(self, mel: FloatArray) -> None:
        frames = len(mel) // 8
        self._mel: FloatArray | None = np.pad(
            mel[: frames * 8], ((MEL_HISTORY, 0), (0, 0)), constant_values=augment.FLOOR
        ).astype(np.float32)

    def push(self, samples: FloatArray, last: bool = False) -> FloatArray | None:
        mel, self._mel = self._mel, None
        return mel
