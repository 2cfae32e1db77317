"""Draws the rows of each training step."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch

from realtime_server.engine.wren.script import Script
from realtime_server.training.wren import augment, domain
from realtime_server.training.wren.dataset import (
    Heard,
    Row,
    Speech,
    SpeechSet,
    Thoughts,
    heard_batch,
    written_batch,
    written_row,
)
from realtime_server.training.wren.dialogue import NOT_UNDERSTOOD, Dialogue, Say
from realtime_server.training.wren.own import Own

LONGEST = 1200
"""Mel frames of one utterance."""
OWN_SHARE = 0.25
"""Of the rows, what a user added; with the rest Wren keeps what it knows."""
FORGOTTEN = 0.12
"""The share of spoken frames whose preceding tokens are hidden, so that letters alone must do."""
T = TypeVar("T")


@dataclass(frozen=True)
class Shape:
    """Heard, written and spoken rows of one step, and how many of them go through the network together."""

    heard: int = 16
    written: int = 12
    spoken: int = 40
    thoughts_together: int = 16
    speech_together: int = 40


@dataclass
class Batches:
    """What a step's batches hold depends on the seed and the progress alone."""

    script: Script
    users: list[Heard]
    speech: SpeechSet
    shape: Shape = Shape()
    people: list[Heard] = field(default_factory=list)
    readers: list[Heard] = field(default_factory=list)
    own: Own = Own()
    own_heard: list[Heard] = field(default_factory=list)
    hears: bool = False
    """The model hears already: spoilt audio may come from the first step on."""

    def heard(self, seed: int, progress: float) -> list[Thoughts]:
        rng, random_ = random.Random(seed), np.random.default_rng(seed)
        # Clean first: at equal steps, starting with spoilt audio learns a third as much.
        spoilt = 0.65 if self.hears or progress >= 0.4 else 0.3 if progress >= 0.2 else 0.0
        rows = [self._row(rng, random_, spoilt) for _ in range(self.shape.heard)]
        return [heard_batch(self.script, part) for part in alike(rows, self.shape.thoughts_together, lambda row: row.length)]

    def _row(self, rng: random.Random, random_: augment.Random, spoilt: float) -> Row:
        kind = rng.random()
        if kind < 0.04:
            silence = Dialogue("silence", "", Say(NOT_UNDERSTOOD))
            return Row(augment.no_speech(random_), domain.in_context(silence, rng), 0)
        source = self.users
        if self.people and kind < 0.16:
            source = self.people
        elif self.readers and kind < 0.19:
            source = self.readers
        elif self.own_heard and kind < 0.19 + OWN_SHARE:
            source = self.own_heard
        pick = rng.choice(source)
        mel = pick.mel.astype(np.float32)
        cut = source is not self.readers and rng.random() < 0.1
        if cut:
            mel = mel[: max(16, int(len(mel) * rng.uniform(0.2, 0.8)))]
        changed, end = augment.spoilt(mel, random_) if rng.random() < spoilt else augment.clean(mel, random_)
        return Row(changed[:LONGEST], domain.in_context(pick.dialogue, rng), min(end, LONGEST), cut)

    def written(self, seed: int) -> list[Thoughts]:
        rng = random.Random(-seed - 1)
        dialogues = [self._to_read(rng) for _ in range(self.shape.written)]
        rows = [written_row(self.script, domain.in_context(dialogue, rng)) for dialogue in dialogues]
        return [
            written_batch(part) for part in alike(rows, self.shape.thoughts_together, lambda row: len(row[0]) + len(row[1]))
        ]

    def _to_read(self, rng: random.Random) -> Dialogue:
        return self.own.sample(rng) if self.own and rng.random() < OWN_SHARE else domain.sample_text(rng)

    def spoken(self, seed: int) -> list[Speech]:
        rng, generator = random.Random(seed + 10**9), torch.Generator().manual_seed(seed)
        picks = [rng.randrange(len(self.speech)) for _ in range(self.shape.spoken)]
        parts = alike(picks, self.shape.speech_together, lambda pick: len(self.speech.codes[pick]))
        return [self.speech.batch(part, generator, FORGOTTEN) for part in parts]


def alike(rows: Sequence[T], together: int, length: Callable[[T], int]) -> list[list[T]]:
    """In parts of like lengths, so that little is padding."""
    ordered = sorted(rows, key=length)
    return [ordered[n : n + together] for n in range(0, len(ordered), together)]
