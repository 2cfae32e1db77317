"""Training batches: heard turns, written turns and speech, as padded tensors."""

import json
import random
import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.families.wren.letters import labels
from realtime_server.engine.families.wren.script import PAD, REPLY, Script
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.nets.talker import letter_indices, letter_windows
from realtime_server.engine.nets.wren import MEL_HISTORY, MEL_STRIDE
from realtime_server.engine.talker.speaker import BOOKS_REMEMBERED
from realtime_server.training.wren import augment, domain
from realtime_server.training.wren.dialogue import Call, Dialogue, Result, Say, undump
from realtime_server.training.wren.synthesis import WREN_VOICES

IGNORE = -100
ROUND = 16
SENTENCES_HELD_OUT = 50
T = TypeVar("T", "Thoughts", "Speech")


@dataclass(frozen=True)
class Heard:
    """One recording with its dialogue; `speaker` names the synthesiser's voice, or 'people'."""

    mel: np.ndarray
    dialogue: Dialogue
    speaker: str


def load_heard(folder: Path) -> list[Heard]:
    """The recordings of a folder's shards, in order."""
    heard = []
    for path in sorted(folder.glob("????.npz")):
        shard = np.load(path)
        mel, at = shard["mel"], 0
        for row, length in zip(json.loads(str(shard["rows"])), shard["lengths"], strict=True):
            heard.append(Heard(mel[at : at + length], undump(row["dialogue"]), row["engine"]))
            at += length
    return heard


def context_ids(script: Script, dialogue: Dialogue) -> list[int]:
    ids = script.system(dialogue.name, dialogue.facts, [(tool.name, tool.shown()) for tool in dialogue.tools])
    for turn in dialogue.history:
        ids += script.result(turn.user.text) if isinstance(turn.user, Result) else script.user(turn.user)
        ids += reply_ids(script, turn.reply)
    return ids


def history_tokens(script: Script, share: float = 0.99, number: int = 2000) -> int:
    """The tokens of earlier turns that no more than this share of the training dialogues have before the newest one."""
    rng, lengths = random.Random("history"), list[int]()
    for _ in range(number):
        dialogue = domain.in_context(domain.sample_text(rng), rng)
        lengths.append(len(context_ids(script, dialogue)) - len(context_ids(script, replace(dialogue, history=()))))
    return int(np.quantile(lengths, share))


def reply_ids(script: Script, reply: Say | Call) -> list[int]:
    return script.say(reply.text) if isinstance(reply, Say) else script.call(reply.name, reply.arguments)


@dataclass(frozen=True)
class Row:
    """One heard turn: spoilt mel [n, 80], its dialogue, and where in the mel the speech ends.

    `cut`: the speech was broken off there, so its words are unknown and only the end-of-turn score learns from it.
    `words_only`: the row ends with the words that were heard, without a reply.
    """

    mel: FloatArray
    dialogue: Dialogue
    end: int
    cut: bool = False
    words_only: bool = False

    @property
    def length(self) -> int:
        """About how many positions it takes."""
        return len(self.mel) // MEL_STRIDE + 30 * len(self.dialogue.history) + 12 * len(self.dialogue.tools)


@dataclass(frozen=True)
class Thoughts:
    """A batch of thinking streams. Frames stand at `frame_at` [B, F] (past a row's own frames: a padding position).

    `ended` [B, F]: 1 where the speaker has finished, 0 where not, IGNORE where nobody can tell.
    """

    ids: Tensor
    targets: Tensor
    mel: Tensor | None = None
    frame_at: Tensor | None = None
    frame_mask: Tensor | None = None
    ended: Tensor | None = None
    transcribed: Tensor | None = None
    letters: Tensor | None = None
    letter_lengths: Tensor | None = None

    @property
    def rows(self) -> int:
        return len(self.ids)


UNHEARD_MS = 200
"""The score is not asked about the first moments of a silence: every pause begins like that."""


def ended_targets(row: Row, frames: int) -> Tensor:
    """[frames] for the end-of-turn score; speech counts as going on until it ends."""
    targets = torch.full((frames,), IGNORE)
    end = row.end // MEL_STRIDE
    targets[:end] = 0
    targets[end + UNHEARD_MS // 80 :] = 0 if row.cut else 1
    return targets


def heard_batch(script: Script, rows: list[Row]) -> Thoughts:
    before = [context_ids(script, row.dialogue) for row in rows]
    after = [
        script.user(row.dialogue.transcript) + ([REPLY] if row.words_only else reply_ids(script, row.dialogue.reply))
        for row in rows
    ]
    frames = [len(row.mel) // MEL_STRIDE for row in rows]
    length = rounded(max(map(sum, zip(map(len, before), frames, map(len, after), strict=True))) + 1)
    most = rounded(max(frames))
    ids, targets = torch.full((len(rows), length), PAD), torch.full((len(rows), length), IGNORE)
    mel = torch.full((len(rows), MEL_HISTORY + MEL_STRIDE * most, augment.MELS), augment.FLOOR)
    frame_at = torch.full((len(rows), most), length - 1)
    mask, ended = torch.zeros(len(rows), most, dtype=torch.bool), torch.full((len(rows), most), IGNORE)
    for n, row in enumerate(rows):
        first, behind = len(before[n]), len(before[n]) + frames[n]
        ids[n, :first] = torch.tensor(before[n])
        ids[n, behind : behind + len(after[n])] = torch.tensor(after[n])
        if not row.cut:
            targets[n, behind : behind + len(after[n]) - 1] = torch.tensor(after[n][1:])
        mel[n, MEL_HISTORY : MEL_HISTORY + MEL_STRIDE * frames[n]] = torch.from_numpy(row.mel[: MEL_STRIDE * frames[n]])
        frame_at[n, : frames[n]] = first + torch.arange(frames[n])
        mask[n, : frames[n]] = True
        ended[n, : frames[n]] = ended_targets(row, frames[n])
    letters = [ctc_targets("" if row.cut else row.dialogue.transcript) for row in rows]
    return Thoughts(ids, targets, mel, frame_at, mask, ended, torch.tensor([not row.cut for row in rows]),
                    torch.cat(letters), torch.tensor([len(x) for x in letters]))  # fmt: skip


def ctc_targets(text: str) -> Tensor:
    return torch.tensor(labels(plain(text)), dtype=torch.long)


def written_row(script: Script, dialogue: Dialogue) -> tuple[list[int], list[int]]:
    """The ids before the reply, and the reply's."""
    user = dialogue.user
    ids = context_ids(script, dialogue)
    ids += script.result(user.text) if isinstance(user, Result) else script.user(user)
    return ids, reply_ids(script, dialogue.reply)


def written_batch(rows: list[tuple[list[int], list[int]]]) -> Thoughts:
    length = rounded(max(len(a) + len(b) for a, b in rows))
    padded, targets = torch.full((len(rows), length), PAD), torch.full((len(rows), length), IGNORE)
    for n, (before, reply) in enumerate(rows):
        padded[n, : len(before) + len(reply)] = torch.tensor(before + reply)
        targets[n, len(before) : len(before) + len(reply) - 1] = torch.tensor(reply[1:])
    return Thoughts(padded, targets)


def rounded(number: int, to: int = ROUND) -> int:
    """Up to a multiple: for each new shape kernels are made anew, which took a seventh of the time."""
    return -(-number // to) * to


def moved(batch: T, device: torch.device) -> T:
    """The same batch with its tensors on this device."""
    tensors = {f.name: value.to(device) for f in fields(batch) if (value := getattr(batch, f.name)) is not None}
    return replace(batch, **tensors)


@dataclass(frozen=True)
class Speech:
    """A batch of speaking streams: tokens before, letters, voices -> tokens and pointer advances."""

    before: Tensor
    windows: Tensor
    voices: Tensor
    codes: Tensor
    advances: Tensor
    mask: Tensor

    @property
    def rows(self) -> int:
        return len(self.before)


def never_spoken(text: str) -> bool:
    """Is this a sentence that training leaves out?"""
    return zlib.crc32(text.encode()) % SENTENCES_HELD_OUT == 0


class SpeechSet:
    """The utterances of `speech.npz`; one sentence in SENTENCES_HELD_OUT, in all voices, is for measuring alone."""

    def __init__(self, work: Path, start_code: int, furthest: int) -> None:
        data = np.load(work / "speech.npz")
        self.texts: list[str] = json.loads(str(data["texts"]))
        self.voices = torch.from_numpy(data["voices"])
        lengths = data["lengths"].tolist()
        self.codes = torch.from_numpy(data["codes"].astype(np.int64)).split(lengths)
        pointers = np.split(data["pointers"].astype(np.int64), np.cumsum(lengths)[:-1])
        self.pointers = [paced(p, len(t), furthest) for p, t in zip(pointers, self.texts, strict=True)]
        self.start = start_code
        left_out = [never_spoken(text) for text in self.texts]
        self.left_out = [n for n, out in enumerate(left_out) if out]
        self.trained = [n for n, out in enumerate(left_out) if not out]
        self.speakers = 1 + int(self.voices.max())
        self.own = [n for n in self.trained if self.voices[n] >= len(WREN_VOICES)]
        """Those in a user's voices."""
        self.saying: dict[str, list[int]] = {}
        """The trained ones by their text."""
        for n in self.trained:
            self.saying.setdefault(self.texts[n], []).append(n)

    def batch(self, picks: list[int], generator: torch.Generator, forget: float) -> Speech:
        """`forget`: the share of frames whose preceding tokens are hidden, so that letters alone must do. But for 0, a row sees
        only the first 1, 2, 3 or all codebooks of the frames before (quantiser dropout, SoundStream, Zeghidour et al. 2021)."""
        most = rounded(max(len(self.codes[n]) for n in picks))
        books = self.codes[0].shape[1]
        before = torch.full((len(picks), most, books), self.start)
        codes = torch.full((len(picks), most, books), IGNORE)
        advances = torch.full((len(picks), most), IGNORE)
        windows = []
        for row, n in enumerate(picks):
            frames = len(self.codes[n])
            codes[row, :frames] = self.codes[n]
            before[row, 1:frames] = self.codes[n][:-1]
            pointer = self.pointers[n]
            advances[row, :frames] = pointer.diff()
            window = letter_windows(letter_indices(self.texts[n]), pointer[:-1])
            windows.append(torch.nn.functional.pad(window, (0, 0, 0, most - frames)))
        hidden = (torch.rand(before.shape[:2], generator=generator) < forget)[..., None]
        if forget:
            depths = torch.tensor([1, BOOKS_REMEMBERED, 3, books])[torch.randint(4, (len(picks), 1), generator=generator)]
            hidden = hidden | (torch.arange(books) >= depths)[:, None]
        before = before.masked_fill(hidden, self.start)
        return Speech(before, torch.stack(windows), self.voices[picks], codes, advances, codes[..., 0] != IGNORE)


def paced(pointers: np.ndarray, length: int, furthest: int) -> Tensor:
    """[T] true pointers -> [T + 1] pointers that start at 0, move by at most `furthest`, and end at `length`."""
    result, at = [0], 0
    for target in [*pointers[1:].tolist(), length]:
        at += min(max(target - at, 0), furthest)
        result.append(at)
    return torch.tensor(result)
