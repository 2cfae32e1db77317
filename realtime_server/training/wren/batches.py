"""Draws the rows of each training step."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import torch

from realtime_server.engine.families.wren.script import NOT_UNDERSTOOD, Script
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
from realtime_server.training.wren.dialogue import Dialogue, Say
from realtime_server.training.wren.own import Own
from realtime_server.training.wren.talk import arithmetic, other_facts

LONGEST = 1200
"""Mel frames of one utterance."""
LEFT_OUT = 64
"""Recordings and sentences that show how much is learned by heart."""
OWN_SHARE = 0.25
"""Of the rows of each kind, what a user added; with the rest Wren keeps what it knows."""
MASKED = 0.8
"""Of the recordings, once some are spoilt, how many lose moments too."""
SUMS = 0.3
"""Of the rows that are read, how many are sums: hundreds of facts, each to be learned by heart."""
AS_SAID = 0.7
"""Of spoken rows, how many are replies as they are drawn for the other rows, where that is one of the sentences (half to two
thirds are); the others are any sentence. Most sentences are there for their letters, and are never said: alone, they would
make Wren forget what it says all day."""
REAL_ALONE = 0.15
"""Of turns of one word, how many are words of real people's sentences."""
FORGOTTEN = 0.3
"""The share of spoken frames whose preceding tokens are hidden, so that letters alone must do."""
LONGER = 1.7
"""Times its shortest row, how long a part's longest may be."""
T = TypeVar("T")


@dataclass(frozen=True)
class Shares:
    """Of heard rows, how many hold no speech, real people's orders, read sentences, a few words of both; the others are
    synthetic."""

    silence: float
    people: float
    readers: float
    excerpts: float


ANSWERED = Shares(silence=0.04, people=0.12, readers=0.03, excerpts=0.0)
TRANSCRIBED = Shares(silence=0.02, people=0.04, readers=0.04, excerpts=0.12)


@dataclass(frozen=True)
class Shape:
    """Rows of one step, and how many of them go through the network together.

    `heard` rows are whole turns, with a context before them and the reply behind; `transcribed` ones end with the words that
    were heard and have no context: a third as long, for the ear needs many more examples than the answers do. `alone` has one
    word, or two.
    """

    heard: int = 8
    transcribed: int = 48
    written: int = 8
    spoken: int = 32
    alone: int = 0
    thoughts_together: int = 16
    transcribed_together: int = 24
    speech_together: int = 40
    alone_together: int = 64


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
    left_out: list[Heard] = field(default_factory=list)
    """Synthetic recordings that are never trained on."""
    hears: bool = False
    """The model hears already: spoilt audio may come from the first step on."""
    excerpts: list[Heard] = field(default_factory=list)
    """Of people and readers."""
    words: list[Heard] = field(default_factory=list)
    """Turns of one word or two."""
    people_times: float = 1.0
    """How many times as many rows are real people's orders, of the synthetic ones' share."""

    def heard(self, seed: int, progress: float) -> list[Thoughts]:
        rows = self.rows(self.shape.heard, ANSWERED, seed, progress)
        return self._together(rows, self.shape.thoughts_together)

    def transcribed(self, seed: int, progress: float) -> list[Thoughts]:
        rows = self.rows(self.shape.transcribed, TRANSCRIBED, seed + 2 * 10**9, progress, words_only=True)
        return self._together(rows, self.shape.transcribed_together)

    def alone(self, seed: int) -> list[Thoughts]:
        """Turns of one word: as they are said to a microphone, or cut out of a recording."""
        rng, random_ = random.Random(seed + 4 * 10**9), np.random.default_rng(seed + 4 * 10**9)
        single = [e for e in self.excerpts if " " not in e.dialogue.transcript]
        rows = []
        for _ in range(self.shape.alone):
            pick = rng.choice(single) if single and rng.random() < REAL_ALONE else rng.choice(self.words)
            mel, kind = pick.mel.astype(np.float32), rng.random()
            change = augment.trimmed if kind < 0.5 else augment.spoilt if kind < 0.85 else augment.clean
            changed, end = change(mel, random_)
            if rng.random() < 0.3:
                changed = augment.masked(changed, random_)
            dialogue = replace(pick.dialogue, facts=(), tools=(), history=())
            rows.append(Row(changed[:LONGEST], dialogue, min(end, LONGEST), words_only=True))
        return self._together(rows, self.shape.alone_together)

    def _together(self, rows: list[Row], number: int) -> list[Thoughts]:
        return [heard_batch(self.script, part) for part in alike(rows, number, lambda row: row.length)]

    def rows(self, number: int, shares: Shares, seed: int, progress: float, words_only: bool = False) -> list[Row]:
        """Turns drawn by these shares, spoilt as far as training has come (`progress`, 0 to 1)."""
        rng, random_ = random.Random(seed), np.random.default_rng(seed)
        # Clean first: at equal steps, starting with spoilt audio learns a third as much.
        spoilt = 0.65 if self.hears or progress >= 0.4 else 0.3 if progress >= 0.2 else 0.0
        return [self._row(rng, random_, spoilt, shares, words_only) for _ in range(number)]

    def _row(self, rng: random.Random, random_: augment.Random, spoilt: float, shares: Shares, words_only: bool) -> Row:
        if rng.random() < shares.silence:
            silence = Dialogue("silence", "", Say(NOT_UNDERSTOOD))
            dialogue = silence if words_only else domain.in_context(silence, rng)
            return Row(augment.no_speech(random_), dialogue, 0, words_only=words_only)
        source = self.source(rng.random(), shares)
        pick = rng.choice(source)
        mel = pick.mel.astype(np.float32)
        cut = source is not self.readers and source is not self.excerpts and rng.random() < 0.1
        if cut:
            mel = mel[: max(16, int(len(mel) * rng.uniform(0.2, 0.8)))]
        changed, end = augment.spoilt(mel, random_) if rng.random() < spoilt else augment.clean(mel, random_)
        if random_.random() < MASKED * spoilt:
            changed = augment.masked(changed, random_)
        if words_only:
            # Real people's orders keep their function: where none is shown, a real voice does not mean coffee.
            tools = pick.dialogue.tools if source is self.people or source is self.excerpts else ()
            dialogue = replace(pick.dialogue, facts=(), tools=tools, history=())
        else:
            dialogue = domain.in_context(other_facts(pick.dialogue, rng), rng)
        return Row(changed[:LONGEST], dialogue, min(end, LONGEST), cut, words_only)

    def source(self, kind: float, shares: Shares) -> list[Heard]:
        """Which recordings a turn is taken from; `kind` is drawn from [0, 1)."""
        orders = self.people_times * shares.people
        real = ((self.people, orders), (self.readers, shares.readers), (self.excerpts, shares.excerpts))
        for source, share in (*real, (self.own_heard, OWN_SHARE)):
            if source and kind < share:
                return source
            kind -= share
        return self.users

    def written(self, seed: int) -> list[Thoughts]:
        rng = random.Random(-seed - 1)
        dialogues = [self._to_read(rng) for _ in range(self.shape.written)]
        rows = [written_row(self.script, domain.in_context(dialogue, rng)) for dialogue in dialogues]
        return [
            written_batch(part) for part in alike(rows, self.shape.thoughts_together, lambda row: len(row[0]) + len(row[1]))
        ]

    def _to_read(self, rng: random.Random) -> Dialogue:
        if self.own and rng.random() < OWN_SHARE:
            return self.own.sample(rng)
        return arithmetic(rng) if rng.random() < SUMS else other_facts(domain.sample_text(rng), rng)

    def spoken(self, seed: int) -> list[Speech]:
        rng, generator = random.Random(seed + 10**9), torch.Generator().manual_seed(seed)
        return self._speech([self.sentence(rng) for _ in range(self.shape.spoken)], generator, FORGOTTEN)

    def sentence(self, rng: random.Random) -> int:
        """One of `speech`: as often as it is said, or any."""
        if self.speech.own and rng.random() < OWN_SHARE:
            return rng.choice(self.speech.own)
        reply = domain.sample_text(rng).reply if rng.random() < AS_SAID else None
        said = self.speech.saying.get(reply.text) if isinstance(reply, Say) else None
        return rng.choice(said or self.speech.trained)

    def _speech(self, picks: list[int], generator: torch.Generator, forget: float) -> list[Speech]:
        parts = alike(picks, self.shape.speech_together, lambda pick: len(self.speech.codes[pick]))
        return [self.speech.batch(part, generator, forget) for part in parts]

    def left_out_heard(self) -> list[Thoughts]:
        """Whole turns that are never trained on, always the same."""
        rng, random_ = random.Random(0), np.random.default_rng(0)
        rows = []
        for pick in spread(self.left_out, LEFT_OUT):
            mel, end = augment.clean(pick.mel.astype(np.float32), random_)
            rows.append(Row(mel[:LONGEST], domain.in_context(pick.dialogue, rng), min(end, LONGEST)))
        return self._together(rows, self.shape.thoughts_together)

    def left_out_spoken(self) -> list[Speech]:
        # The generator decides what is hidden, and nothing is.
        return self._speech(list(spread(self.speech.left_out, LEFT_OUT)), torch.Generator(), 0.0)


def spread(items: Sequence[T], number: int) -> Sequence[T]:
    """At most so many of them, evenly from all."""
    return items[:: max(1, len(items) // number)][:number]


def alike(rows: Sequence[T], together: int, length: Callable[[T], int]) -> list[list[T]]:
    """In parts of like lengths, so that little is padding: of real people's sentences one is as long as five short ones."""
    parts: list[list[T]] = []
    for row in sorted(rows, key=length):
        if not parts or len(parts[-1]) == together or length(row) > LONGER * length(parts[-1][0]):
            parts.append([])
        parts[-1].append(row)
    return parts
