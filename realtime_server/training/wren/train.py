"""Trains Wren: hearing, writing and speaking together, in one set of weights.

    python -m realtime_server.training.wren.train WORK --steps 6000 [--people FOLDER]

Resumes from `WORK/checkpoint.pt`; the learning rate and the share of spoilt audio follow step / steps. `--people` is a
folder of labelled coffee orders (`labels.json`); every fifth recording is left out for evaluation.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.wren.script import Script
from realtime_server.training.wren import augment, domain, people
from realtime_server.training.wren.dataset import (
    IGNORE,
    Heard,
    Speech,
    SpeechSet,
    Thoughts,
    heard_batch,
    in_context,
    load_users,
    written_batch,
)

ROWS = (32, 16, 28)
"""Heard, written and spoken rows in one step."""
GROUPS = 4
HELD_OUT_EVERY = 40
"""Of the synthetic recordings, one in so many is never trained on."""


def think(model: Wren, batch: Thoughts) -> tuple[Tensor, Tensor]:
    """(text loss, CTC loss) of a batch of thinking streams."""
    x = model.text(batch.ids)
    if batch.mel is None or batch.frame_at is None or batch.frame_mask is None:
        trunk, _ = model.think(x)
        return text_loss(model, trunk, batch.targets), torch.zeros(())
    assert batch.letters is not None and batch.letter_lengths is not None
    heard = model.ear(batch.mel) * batch.frame_mask[..., None]
    places = batch.frame_at[..., None].expand_as(heard)
    x = x * (~frame_positions(batch, x.shape[1]))[..., None]
    trunk, tapped = model.think(x.scatter_add(1, places, heard))
    at_frames = tapped.gather(1, places)
    log_probabilities = model.ctc_logits(at_frames).log_softmax(-1).transpose(0, 1)
    ctc = F.ctc_loss(log_probabilities, batch.letters, 2 * batch.frame_mask.sum(1), batch.letter_lengths,
                     reduction="none", zero_infinity=True)  # fmt: skip
    return text_loss(model, trunk, batch.targets), (ctc / batch.letter_lengths.clamp(min=1)).mean()


def frame_positions(batch: Thoughts, length: int) -> Tensor:
    """[B, T] True where a frame stands."""
    assert batch.frame_at is not None and batch.frame_mask is not None
    marks = torch.zeros(len(batch.ids), length, dtype=torch.bool)
    return marks.scatter(1, batch.frame_at, batch.frame_mask)


def text_loss(model: Wren, trunk: Tensor, targets: Tensor) -> Tensor:
    wanted = targets != IGNORE
    return F.cross_entropy(model.text_logits(trunk[wanted]), targets[wanted], label_smoothing=0.02)


def speak(model: Wren, batch: Speech) -> tuple[Tensor, Tensor]:
    """(token loss, mean over the codebooks; pointer loss) of a batch of speaking streams."""
    trunk, _ = model.trunk(model.speech_input(batch.before, batch.windows, batch.voices), model.config.ctc_layer)
    trunk, codes = trunk[batch.mask], batch.codes[batch.mask]
    losses = [F.cross_entropy(model.mouth.logits(trunk, codes, k), codes[:, k]) for k in range(codes.shape[1])]
    return torch.stack(losses).mean(), F.cross_entropy(model.advance(trunk), batch.advances[batch.mask])


class Batches:
    """Draws the batches of a step; what a batch holds depends on the seed, the step and the progress alone."""

    def __init__(self, script: Script, users: list[Heard], speech: SpeechSet, rows: tuple[int, int, int]) -> None:
        self.rows_heard, self.rows_written, self.rows_spoken = rows
        self.script, self.users, self.speech = script, users, speech
        self.people: list[Heard] = []

    def heard(self, step: int, progress: float) -> list[Thoughts]:
        """The step's rows in GROUPS batches of like lengths, so that little is padding."""
        rng, random_ = random.Random(step), np.random.default_rng(step)
        spoilt = 0.0 if progress < 0.2 else 0.3 if progress < 0.4 else 0.65
        rows = []
        for _ in range(self.rows_heard):
            if rng.random() < 0.04:
                silence = domain.Dialogue("silence", "", domain.Say(domain.NOT_UNDERSTOOD), tools=domain.some_tools(rng))
                rows.append((augment.no_speech(random_), in_context(silence, rng)))
                continue
            source = self.people if self.people and rng.random() < 0.15 else self.users
            pick = rng.choice(source)
            mel = pick.mel.astype(np.float32)
            changed = augment.spoilt(mel, random_) if rng.random() < spoilt else augment.clean(mel, random_)
            rows.append((changed[:1200], in_context(pick.dialogue, rng)))
        rows.sort(key=lambda row: len(row[0]) // 8 + 30 * len(row[1].history))
        size = len(rows) // GROUPS
        return [heard_batch(self.script, rows[n : n + size]) for n in range(0, len(rows), size)]

    def written(self, step: int) -> Thoughts:
        rng = random.Random(-step - 1)
        return written_batch(self.script, [in_context(domain.sample_text(rng), rng) for _ in range(self.rows_written)])

    def spoken(self, step: int) -> Speech:
        rng, generator = random.Random(step + 10**9), torch.Generator().manual_seed(step)
        return self.speech.batch([rng.randrange(len(self.speech)) for _ in range(self.rows_spoken)], generator, 0.12)


def save(path: Path, **state: object) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def train(options: argparse.Namespace) -> None:
    work: Path = options.work
    torch.manual_seed(0)
    script = Script.load(work / "tokenizer.json")
    model = Wren(WrenConfig(vocabulary=script.size))
    average = Wren(model.config)
    average.load_state_dict(model.state_dict())
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98))
    first, checkpoint = 0, work / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = int(state["step"])
    users = [u for n, u in enumerate(load_users(work)) if n % HELD_OUT_EVERY]
    batches = Batches(script, users, SpeechSet(work, model.config.codes, model.config.furthest_advance), tuple(options.rows))
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(users)} recordings, from step {first}", flush=True)
    if options.compile:
        for layer in model.trunk.layers:
            layer.forward = torch.compile(layer.forward, dynamic=True)
    totals, began = torch.zeros(5), time.monotonic()
    last = min(options.steps, options.until or options.steps)
    for step in range(first, last):
        progress = step / options.steps
        if (options.people and progress > 0.3 and step % 1000 == 0) or (options.people and step == first and progress > 0.3):
            batches.people = people.transcribed(options.people, average, script, held_out=False)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1.0, (step + 1) / 300) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        optimizer.zero_grad()
        text = ctc = torch.zeros(())
        for group_batch in batches.heard(step, progress):
            group_text, group_ctc = think(model, group_batch)
            ((group_text + 0.6 * group_ctc) / GROUPS).backward()
            text, ctc = text + group_text.detach() / GROUPS, ctc + group_ctc.detach() / GROUPS
        written, _ = think(model, batches.written(step))
        codes, advance = speak(model, batches.spoken(step))
        (0.5 * written + 0.5 * codes + 0.3 * advance).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        keep = min(0.998, 1 - 1 / (step + 2))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - keep)
        totals += torch.stack([part.detach() for part in (text, ctc, written, codes, advance)])
        if (step + 1) % 50 == 0:
            names = ("text", "ctc", "written", "codes", "advance")
            row = {"step": step + 1, "s_per_step": (time.monotonic() - began) / 50}
            row |= {n: round(v, 4) for n, v in zip(names, (totals / 50).tolist(), strict=True)}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(row, flush=True)
            totals, began = torch.zeros(5), time.monotonic()
        if (step + 1) % 200 == 0 or step + 1 == last:
            save(checkpoint, model=model.state_dict(), average=average.state_dict(), optimizer=optimizer.state_dict(),
                 step=step + 1)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--until", type=int, help="stop here; --steps still shapes the learning rate")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--rows", type=int, nargs=3, default=ROWS, metavar=("HEARD", "WRITTEN", "SPOKEN"), help="in one step")
    parser.add_argument("--people", type=Path)
    parser.add_argument("--compile", action="store_true", help="about a quarter faster; needs a C compiler")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options)


if __name__ == "__main__":
    main()
