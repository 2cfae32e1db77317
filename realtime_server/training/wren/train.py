"""Trains Wren: hearing, writing and speaking together, in one set of weights.

    python -m realtime_server.training.wren.train WORK --steps 6000 [--start MODEL] [--people FOLDER] [--readers FOLDER]

Resumes from `WORK/checkpoint.pt`; the learning rate and the share of spoilt audio follow step / steps. `--start` begins
with the weights of a finished model, as far as they fit. `--people` is a folder of labelled coffee orders (`labels.json`);
every fifth recording is left out for evaluation. `--readers` is a folder of read sentences (`transcripts.json`).
"""

import argparse
import json
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.wren.script import Script
from realtime_server.training.wren import augment, domain, people
from realtime_server.training.wren.dataset import (
    IGNORE,
    Heard,
    Row,
    Speech,
    SpeechSet,
    Thoughts,
    heard_batch,
    load_users,
    written_batch,
)
from realtime_server.training.wren.dialogue import NOT_UNDERSTOOD, Dialogue, Say

ROWS = (32, 16, 28)
"""Heard, written and spoken rows in one step."""
GROUPS = 4
LONGEST = 1200
"""Mel frames of one utterance."""
HELD_OUT_EVERY, READERS_HELD_OUT_EVERY = 40, 10
"""Of the synthetic recordings, one in so many is never trained on."""


@dataclass(frozen=True)
class HeardLosses:
    text: Tensor
    ctc: Tensor
    ended: Tensor


def hear(model: Wren, batch: Thoughts) -> HeardLosses:
    """The losses of thinking streams with heard frames: words and replies, letters at mid depth, end of the turn."""
    assert batch.mel is not None and batch.frame_at is not None and batch.frame_mask is not None
    assert batch.letters is not None and batch.letter_lengths is not None
    assert batch.ended is not None and batch.transcribed is not None
    x = model.text(batch.ids)
    heard = model.ear(batch.mel) * batch.frame_mask[..., None]
    places = batch.frame_at[..., None].expand_as(heard)
    x = x * (~frame_positions(batch, x.shape[1]))[..., None]
    trunk, tapped = model.think(x.scatter_add(1, places, heard))
    log_probabilities = model.ctc_logits(tapped.gather(1, places)).log_softmax(-1).transpose(0, 1)
    ctc = F.ctc_loss(log_probabilities, batch.letters, 2 * batch.frame_mask.sum(1), batch.letter_lengths,
                     reduction="none", zero_infinity=True)  # fmt: skip
    # A row of which nothing is to be heard counts like a short one, not by its length.
    ctc = ctc[batch.transcribed] / batch.letter_lengths[batch.transcribed].clamp(min=12)
    asked = batch.ended != IGNORE
    scores = model.ended_logits(trunk.gather(1, places)[asked])
    ended = F.binary_cross_entropy_with_logits(scores, batch.ended[asked].float())
    return HeardLosses(text_loss(model, trunk, batch.targets), ctc.mean(), ended)


def think(model: Wren, batch: Thoughts) -> Tensor:
    """The text loss of written thinking streams."""
    return text_loss(model, model.think(model.text(batch.ids))[0], batch.targets)


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
        self.readers: list[Heard] = []
        self.hears = False

    def heard(self, step: int, progress: float) -> list[Thoughts]:
        """The step's rows in GROUPS batches of like lengths, so that little is padding."""
        rng, random_ = random.Random(step), np.random.default_rng(step)
        # Clean first: at equal steps, starting with spoilt audio learns a third as much. A model that hears already may begin.
        spoilt = 0.65 if self.hears or progress >= 0.4 else 0.3 if progress >= 0.2 else 0.0
        rows = [self._row(rng, random_, spoilt) for _ in range(self.rows_heard)]
        rows.sort(key=lambda row: row.length)
        size = len(rows) // GROUPS
        return [heard_batch(self.script, rows[n : n + size]) for n in range(0, len(rows), size)]

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
        pick = rng.choice(source)
        mel = pick.mel.astype(np.float32)
        cut = source is not self.readers and rng.random() < 0.1
        if cut:
            mel = mel[: max(16, int(len(mel) * rng.uniform(0.2, 0.8)))]
        changed, end = augment.spoilt(mel, random_) if rng.random() < spoilt else augment.clean(mel, random_)
        return Row(changed[:LONGEST], domain.in_context(pick.dialogue, rng), min(end, LONGEST), cut)

    def written(self, step: int) -> Thoughts:
        rng = random.Random(-step - 1)
        return written_batch(self.script, [domain.in_context(domain.sample_text(rng), rng) for _ in range(self.rows_written)])

    def spoken(self, step: int) -> list[Speech]:
        """Likewise in GROUPS batches of like lengths."""
        rng, generator = random.Random(step + 10**9), torch.Generator().manual_seed(step)
        picks = [rng.randrange(len(self.speech)) for _ in range(self.rows_spoken)]
        picks.sort(key=lambda n: len(self.speech.codes[n]))
        size = len(picks) // GROUPS
        return [self.speech.batch(picks[n : n + size], generator, 0.12) for n in range(0, len(picks), size)]


LOSSES = ("text", "ctc", "ended", "written", "codes", "advance")


def backward(model: Wren, batches: Batches, step: int, progress: float) -> Tensor:
    """Adds the gradients of one step's batches; [6] their LOSSES."""
    total = torch.zeros(len(LOSSES))
    for thoughts in batches.heard(step, progress):
        heard = hear(model, thoughts)
        ((heard.text + 0.6 * heard.ctc + 0.1 * heard.ended) / GROUPS).backward()
        total[:3] += torch.stack([heard.text, heard.ctc, heard.ended]).detach() / GROUPS
    written = think(model, batches.written(step))
    (0.5 * written).backward()
    total[3] = written.detach()
    for speech in batches.spoken(step):
        codes, advance = speak(model, speech)
        ((0.5 * codes + 0.3 * advance) / GROUPS).backward()
        total[4:] += torch.stack([codes, advance]).detach() / GROUPS
    return total


def save(path: Path, **state: object) -> None:
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.rename(path)


def begin_with(model: Wren, folder: Path, codec: Tensor) -> None:
    """Takes over the weights of a finished model, as far as they fit; with other audio tokens, none that stand for those."""
    own, found = model.state_dict(), load_file(folder / "model.safetensors")
    same_codec = found["codec.table"].shape == codec.shape and torch.equal(found["codec.table"], codec.half())
    fitting = {
        name: tensor.float()
        for name, tensor in found.items()
        if name in own
        and own[name].shape == tensor.shape
        and (same_codec or not name.startswith(("heard_codes.", "mouth.codes.", "mouth.heads.")))
    }
    model.load_state_dict(own | fitting)
    print(f"from {folder}: all but {sorted(set(own) - set(fitting))}")


def train(options: argparse.Namespace) -> None:
    work: Path = options.work
    torch.manual_seed(0)
    script = Script.load(work / "tokenizer.json")
    codec = load_file(work / "codec.safetensors")["table"]
    codebooks, codes, _ = codec.shape
    model = Wren(WrenConfig(vocabulary=script.size, codebooks=codebooks, codes=codes))
    if options.start:
        begin_with(model, options.start, codec)
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
    batches.hears = options.start is not None
    if options.readers:
        batches.readers = [r for n, r in enumerate(people.readings(options.readers)) if n % READERS_HELD_OUT_EVERY]
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(users)} recordings, from step {first}", flush=True)
    if options.compile:
        for layer in model.trunk.layers:
            layer.forward = torch.compile(layer.forward, dynamic=True)
    totals, began = torch.zeros(6), time.monotonic()
    last = min(options.steps, options.until or options.steps)
    for step in range(first, last):
        progress = step / options.steps
        if options.people and (options.start or progress > 0.3) and (step % 1000 == 0 or step == first):
            batches.people = people.transcribed(options.people, average, script, held_out=False)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1.0, (step + 1) / 300) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        optimizer.zero_grad()
        losses = backward(model, batches, step, progress)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        keep = min(0.998, 1 - 1 / (step + 2))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - keep)
        totals += losses
        if (step + 1) % 25 == 0:
            row = {"step": step + 1, "s_per_step": (time.monotonic() - began) / 25}
            row |= {n: round(v, 4) for n, v in zip(LOSSES, (totals / 25).tolist(), strict=True)}
            with (work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(row, flush=True)
            totals, began = torch.zeros(6), time.monotonic()
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
    parser.add_argument("--start", type=Path, help="a model's folder to begin with")
    parser.add_argument("--people", type=Path)
    parser.add_argument("--readers", type=Path)
    parser.add_argument("--compile", action="store_true", help="about a quarter faster; needs a C compiler")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options)


if __name__ == "__main__":
    main()
