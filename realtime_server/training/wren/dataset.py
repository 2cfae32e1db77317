"""Training batches: heard turns, written turns and speech, as padded tensors."""

import json
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.nets.wren import CTC_LETTERS, MEL_HISTORY, MEL_STRIDE, letter_indices, letter_windows
from realtime_server.engine.wren.script import PAD, Script
from realtime_server.engine.wren.words import plain
from realtime_server.training.wren import augment, domain

IGNORE = -100


@dataclass(frozen=True)
class Heard:
    """One recording with its dialogue; `speaker` names the synthesiser's voice, or 'people'."""

    mel: np.ndarray
    dialogue: domain.Dialogue
    speaker: str


def load_users(work: Path) -> list[Heard]:
    heard = []
    for path in sorted((work / "users").glob("????.npz")):
        shard = np.load(path)
        mel, at = shard["mel"], 0
        for row, length in zip(json.loads(str(shard["rows"])), shard["lengths"], strict=True):
            heard.append(Heard(mel[at : at + length], undump(row["dialogue"]), row["engine"]))
            at += length
    return heard


def undump(row: dict[str, object]) -> domain.Dialogue:
    """The inverse of `synthesis.dump`."""
    call = row.get("call")
    if isinstance(call, dict):
        arguments = tuple((str(key), str(value)) for key, value in call["arguments"])
        reply: domain.Say | domain.Call = domain.Call(str(call["name"]), arguments)
    else:
        reply = domain.Say(str(row["say"]))
    tools = row["tools"]
    assert isinstance(tools, list)
    return domain.Dialogue(str(row["intent"]), str(row["user"]), reply, str(row["name"]), tuple(tools))


def in_context(dialogue: domain.Dialogue, rng: random.Random) -> domain.Dialogue:
    """Another name and other tools where they do not matter, and sometimes turns before this one."""
    if dialogue.intent not in domain.TOOL_INTENTS:
        dialogue = replace(dialogue, tools=domain.some_tools(rng))
    if dialogue.intent not in ("greeting", "who_are_you"):
        dialogue = replace(dialogue, name=rng.choice(domain.NAMES))
    turns = rng.choice((0, 0, 0, 0, 1, 1, 2))
    return domain.with_history(dialogue, rng, turns) if turns else dialogue


def context_ids(script: Script, dialogue: domain.Dialogue) -> list[int]:
    ids = script.system(dialogue.name, dialogue.tools)
    for turn in dialogue.history:
        ids += script.result(turn.user.text) if isinstance(turn.user, domain.Result) else script.user(turn.user)
        ids += reply_ids(script, turn.reply)
    return ids


def reply_ids(script: Script, reply: domain.Say | domain.Call) -> list[int]:
    return script.say(reply.text) if isinstance(reply, domain.Say) else script.call(reply.name, reply.arguments)


@dataclass(frozen=True)
class Thoughts:
    """A batch of thinking streams. Frames stand at `frame_at` [B, F] (past a row's own frames: a padding position)."""

    ids: Tensor
    targets: Tensor
    mel: Tensor | None = None
    frame_at: Tensor | None = None
    frame_mask: Tensor | None = None
    letters: Tensor | None = None
    letter_lengths: Tensor | None = None


def heard_row(script: Script, mel: FloatArray, dialogue: domain.Dialogue) -> tuple[list[int], list[int], int, int, FloatArray]:
    """(ids with PAD where frames stand, targets, first frame position, number of frames, mel with history)."""
    frames = len(mel) // MEL_STRIDE
    mel = np.pad(mel[: frames * MEL_STRIDE], ((MEL_HISTORY, 0), (0, 0)), constant_values=augment.FLOOR)
    before = context_ids(script, dialogue)
    after = script.user(str(dialogue.user)) + reply_ids(script, dialogue.reply)
    ids = before + [PAD] * frames + after
    targets = [IGNORE] * (len(before) + frames) + after[1:] + [IGNORE]
    return ids, targets, len(before), frames, mel


def heard_batch(script: Script, rows: list[tuple[FloatArray, domain.Dialogue]]) -> Thoughts:
    parts = [heard_row(script, mel, dialogue) for mel, dialogue in rows]
    length = max(len(p[0]) for p in parts) + 1
    most = max(p[3] for p in parts)
    ids, targets = torch.full((len(rows), length), PAD), torch.full((len(rows), length), IGNORE)
    mel = torch.full((len(rows), MEL_HISTORY + MEL_STRIDE * most, augment.MELS), augment.FLOOR)
    frame_at = torch.full((len(rows), most), length - 1)
    mask = torch.zeros(len(rows), most, dtype=torch.bool)
    letters = [ctc_targets(str(d.user)) for _, d in rows]
    for n, (row_ids, row_targets, first, frames, row_mel) in enumerate(parts):
        ids[n, : len(row_ids)] = torch.tensor(row_ids)
        targets[n, : len(row_targets)] = torch.tensor(row_targets)
        mel[n, : len(row_mel)] = torch.from_numpy(row_mel)
        frame_at[n, :frames] = first + torch.arange(frames)
        mask[n, :frames] = True
    lengths = torch.tensor([len(x) for x in letters])
    return Thoughts(ids, targets, mel, frame_at, mask, torch.cat(letters), lengths)


def ctc_targets(text: str) -> Tensor:
    return torch.tensor([CTC_LETTERS.index(c) + 1 for c in plain(text)], dtype=torch.long)


def written_batch(script: Script, dialogues: list[domain.Dialogue]) -> Thoughts:
    rows = []
    for dialogue in dialogues:
        user = dialogue.user
        ids = context_ids(script, dialogue)
        ids += script.result(user.text) if isinstance(user, domain.Result) else script.user(user)
        rows.append((ids, reply_ids(script, dialogue.reply)))
    length = max(len(a) + len(b) for a, b in rows)
    padded, targets = torch.full((len(rows), length), PAD), torch.full((len(rows), length), IGNORE)
    for n, (before, reply) in enumerate(rows):
        padded[n, : len(before) + len(reply)] = torch.tensor(before + reply)
        targets[n, len(before) : len(before) + len(reply) - 1] = torch.tensor(reply[1:])
    return Thoughts(padded, targets)


@dataclass(frozen=True)
class Speech:
    """A batch of speaking streams: tokens before, letters, voices -> tokens and pointer advances."""

    before: Tensor
    windows: Tensor
    voices: Tensor
    codes: Tensor
    advances: Tensor
    mask: Tensor


class SpeechSet:
    """The utterances of `speech.npz`."""

    def __init__(self, work: Path, start_code: int, furthest: int) -> None:
        data = np.load(work / "speech.npz")
        self.texts: list[str] = json.loads(str(data["texts"]))
        self.voices = torch.from_numpy(data["voices"])
        lengths = data["lengths"].tolist()
        self.codes = torch.from_numpy(data["codes"].astype(np.int64)).split(lengths)
        pointers = np.split(data["pointers"].astype(np.int64), np.cumsum(lengths)[:-1])
        self.pointers = [paced(p, len(t), furthest) for p, t in zip(pointers, self.texts, strict=True)]
        self._start = start_code

    def __len__(self) -> int:
        return len(self.texts)

    def batch(self, picks: list[int], generator: torch.Generator, forget: float) -> Speech:
        """`forget`: the share of frames whose preceding tokens are hidden, so that letters alone must do."""
        most = max(len(self.codes[n]) for n in picks)
        books = self.codes[0].shape[1]
        before = torch.full((len(picks), most, books), self._start)
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
        hidden = torch.rand(before.shape[:2], generator=generator) < forget
        before[hidden] = self._start
        return Speech(before, torch.stack(windows), self.voices[picks], codes, advances, codes[..., 0] != IGNORE)


def paced(pointers: np.ndarray, length: int, furthest: int) -> Tensor:
    """[T] true pointers -> [T + 1] pointers that start at 0, move by at most `furthest`, and end at `length`."""
    result, at = [0], 0
    for target in [*pointers[1:].tolist(), length]:
        at += min(max(target - at, 0), furthest)
        result.append(at)
    return torch.tensor(result)
