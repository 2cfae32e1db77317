"""Trains Wren: hearing, writing and speaking together, or only one of them.

    python -m realtime_server.training.wren.train WORK --steps 8000 [--start MODEL] [--people FOLDER] [--readers FOLDER]

Resumes from `WORK/checkpoint.pt`; the learning rate and the share of spoilt audio follow step / steps. `--start` begins
with the weights of a finished model. `--people` is a folder of labelled coffee orders (`labels.json`), of which a fifth is
left out for evaluation: with `--fold` speakers and all that they say, otherwise every fifth recording. `--readers` is a folder
of read sentences (`transcripts.json`), `--own` what a user adds (`own.py`).

On a CPU each core is a process of its own with its own rows, and their gradients are averaged: twice as fast as two threads.
"""

import argparse
import json
import math
import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import Tensor, nn

from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.training.wren import losses, people
from realtime_server.training.wren.alignment import Aligner
from realtime_server.training.wren.batches import Batches, Shape
from realtime_server.training.wren.dataset import Heard, SpeechSet, T, load_heard, moved
from realtime_server.training.wren.muon import Muon
from realtime_server.training.wren.own import Own
from realtime_server.training.wren.own import load as load_own
from realtime_server.training.wren.synthesis import HELD_OUT_EVERY

READERS_HELD_OUT_EVERY = 10
PEOPLE_EVERY, KEPT_EVERY, TOLD_EVERY = 1000, 200, 25
"""Steps between two transcriptions of the people's orders, two checkpoints (and losses of what is left out), two log lines."""
WARM_UP = 300
WEIGHT_DECAY = 0.03
EXCERPTS_OF_ORDERS, EXCERPTS_OF_READINGS = 4, 24
"""Of each recording. Orders have few words: where most real ones are theirs, whatever is short is heard as one."""
AVERAGED = 20
"""The weights that are kept are a running mean over the last one in so many steps: a longer one remembers what was worse."""
WEIGHTS = {
    "text": 1.0, "ctc": 0.4, "early": 0.3, "ended": 0.1, "words": 1.0, "letters": 0.4, "early_letters": 0.3, "written": 0.5,
    "codes": 0.5, "advance": 0.3, "alone": 1.0, "alone_letters": 0.4, "alone_early": 0.3, "alone_ended": 0.1,
    "kept": 5.0, "kept_letters": 4.0, "kept_ended": 1.0,
}  # fmt: skip
LOSSES = tuple(WEIGHTS)
SPEAKING = frozenset({"talker", "letters", "letter_window", "heard_codes", "voice", "mouth", "advance"})
"""The parts of the network that only speaking streams run through."""
LossesOf = Callable[[Wren, T], dict[str, Tensor]]


def backward(
    model: Wren, batches: Batches, seed: int, progress: float, device: torch.device, before: Wren | None = None
) -> Tensor:
    """Adds the gradients of one process's rows; [len(LOSSES)] their losses. `before`: what it makes of turns is to be kept,
    of all but those of one word."""
    total = dict.fromkeys(LOSSES, torch.zeros(()))

    def learn(parts: list[T], losses_of: LossesOf[T]) -> None:
        for part, share in zip(parts, shares(parts), strict=True):
            with half_precision(device):
                found = losses_of(model, moved(part, device))
            weighted = [WEIGHTS[name] * loss for name, loss in found.items()]
            (share * torch.stack(weighted).sum()).backward()
            for name, loss in found.items():
                total[name] = total[name] + share * loss.detach().cpu()

    keep = None if before is None else partial(losses.keep, before)
    learn(batches.heard(seed, progress), keep or losses.hear)
    learn(batches.transcribed(seed, progress), keep or losses.transcribe)
    learn(batches.alone(seed), losses.alone)
    learn(batches.written(seed), losses.think)
    learn(batches.spoken(seed), losses.speak)
    return torch.stack([total[name] for name in LOSSES])


def shares(parts: list[T]) -> list[float]:
    """Of the rows of all parts, how many each has."""
    rows = [part.rows for part in parts]
    return [number / sum(rows) for number in rows]


@torch.no_grad()
def left_out(model: Wren, batches: Batches, device: torch.device) -> dict[str, float]:
    """The losses of what is never trained on: where they rise, more steps learn by heart, and more material is needed."""

    def measured(parts: list[T], losses_of: LossesOf[T]) -> dict[str, float]:
        with half_precision(device):
            found = [losses_of(model, moved(part, device)) for part in parts]
        weighted = list(zip(found, shares(parts), strict=True))
        return {name: round(sum(share * float(f[name]) for f, share in weighted), 4) for name in (found[0] if found else ())}

    return measured(batches.left_out_heard(), losses.hear) | measured(batches.left_out_spoken(), losses.speak)


def half_precision(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device))


def fast_bfloat16(device: torch.device) -> bool:
    """Is half precision worth it here? A CPU without AVX-512's bfloat16, which those with AMX have too, is slower with it."""
    return device.type == "cuda" or bool(torch.cpu.get_capabilities().get("avx512_bf16"))


class Gradients:
    """The gradients of all that learns, as views of one tensor, so that one call averages them over the processes."""

    def __init__(self, model: nn.Module) -> None:
        parameters = [p for p in model.parameters() if p.requires_grad]
        self.flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        for parameter, view in zip(parameters, self.flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad = view.view_as(parameter)

    def average(self, processes: int) -> None:
        if processes > 1:
            dist.all_reduce(self.flat)
            self.flat /= processes


def speakers_of(folder: Path) -> int:
    """How many a finished model has."""
    return int(json.loads((folder / "config.json").read_text())["net"]["voices"])


def begin_with(model: Wren, folder: Path, codec: Tensor) -> None:
    """Takes over the weights of a finished model, or of its thinker alone (`thinker.py`), as far as they fit; with other audio
    tokens, none that stand for those."""
    own = model.state_dict()
    found = grown(load_file(folder / "model.safetensors"), own)
    table = found.get("codec.table", torch.empty(0))
    same_codec = table.shape == codec.shape and torch.equal(table, codec.half())
    fitting = {
        name: tensor.float()
        for name, tensor in found.items()
        if name in own
        and own[name].shape == tensor.shape
        and (same_codec or not name.startswith(("heard_codes.", "mouth.codes.", "mouth.heads.")))
    }
    # Voices of a user's come behind those that it has.
    known = found.get("voice.weight", own["voice.weight"][:0]).float()
    fitting["voice.weight"] = torch.cat([known, own["voice.weight"][len(known) :]])
    model.load_state_dict(own | fitting)
    print(f"from {folder}: all but parts of {sorted({name.split('.')[0] for name in set(own) - set(fitting)})}")


_LAYER = re.compile(r"trunk\.layers\.(\d+)\.(.*)")
_ADDS = re.compile(r"trunk\.layers\.\d+\.(out|down)\.weight|ear\.mixers\.\d+\.3\.(weight|bias)")


def grown(found: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a model whose trunk has fewer layers as those of a deeper one, `own`: what it lacks stands between what it
    has, and adds nothing yet (Net2Net, Chen et al. 2016)."""

    def depth(weights: dict[str, Tensor]) -> int:
        return 1 + max(int(match[1]) for name in weights if (match := _LAYER.fullmatch(name)))

    have, layers = depth(found), depth(own)
    places = [-(-n * layers // have) for n in range(have)]
    result: dict[str, Tensor] = {}
    for name, tensor in found.items():
        match = _LAYER.fullmatch(name)
        result[f"trunk.layers.{places[int(match[1])]}.{match[2]}" if match else name] = tensor
    return {name: torch.zeros_like(own[name]) for name in own if _ADDS.fullmatch(name)} | result


def hold_still(model: Wren, rows: Shape) -> None:
    """Where no rows teach to speak, or none to hear and to write, what serves that alone stays as it is."""
    for name, parameter in model.named_parameters():
        speaks = name.split(".")[0] in SPEAKING
        parameter.requires_grad_(bool(rows.spoken if speaks else rows.heard + rows.transcribed + rows.written + rows.alone))


def optimizers(model: Wren, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for all else; what holds still is in neither."""
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for name, p in learning if ".layers." in name and p.ndim == 2]
    others = [p for name, p in learning if ".layers." not in name or p.ndim != 2]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return [
        torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True),
        Muon(matrices, rate, WEIGHT_DECAY, half=fast_bfloat16(matrices[0].device)),
    ]


class Training:
    """One process's share of a training run."""

    def __init__(self, options: argparse.Namespace, rank: int) -> None:
        self.work: Path = options.work
        self.options, self.rank, self.device = options, rank, torch.device(options.device)
        torch.manual_seed(0)
        self.script = Script.load(self.work / "tokenizer.json")
        codec = load_file(self.work / "codec.safetensors")["table"]
        codebooks, codes, _ = codec.shape
        config = WrenConfig(vocabulary=self.script.size, codebooks=codebooks, codes=codes, choices_shown=True)
        speech = SpeechSet(self.work, config.codes, config.furthest_advance)
        voices = max(speech.speakers, speakers_of(options.start) if options.start else 0)
        self.model = Wren(replace(config, voices=voices))
        self.checkpoint = self.work / "checkpoint.pt"
        if options.start and not self.checkpoint.exists():
            begin_with(self.model, options.start, codec)
        self.model.to(self.device)
        rows = (-(-rows // options.processes) for rows in (*options.rows, options.alone))
        self.shape = replace(Shape(*rows), **options.together)
        hold_still(self.model, self.shape)
        self.average = Wren(self.model.config).to(self.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.before: Wren | None = None
        if options.keep:
            self.before = Wren(self.model.config).to(self.device).eval()
            begin_with(self.before, options.start, codec)
        self.optimizers = optimizers(self.model, options.rate)
        self.gradients = Gradients(self.model)
        self.first = self._resume() if self.checkpoint.exists() else 0
        self.batches = self._batches(speech)
        if options.compile:
            before = self.before.trunk.layers if self.before is not None else ()
            for layer in (*self.model.trunk.layers, *self.model.talker.layers, *before):
                layer.forward = torch.compile(layer.forward, dynamic=True)

    def _batches(self, speech: SpeechSet) -> Batches:
        every = load_heard(self.work / "users")
        users = [u for n, u in enumerate(every) if n % HELD_OUT_EVERY]
        readers: list[Heard] = []
        if self.options.readers:
            readers = [r for n, r in enumerate(people.readings(self.options.readers)) if n % READERS_HELD_OUT_EVERY]
        words = load_heard(self.work / "alone") if self.options.alone else []
        own, own_heard = Own(), list[Heard]()
        if self.options.own:
            own = load_own(self.options.own)
            own_heard = load_heard(self.work / "own") + [people.heard(path, d, "own") for path, d in own.recordings]
        return Batches(self.script, users, speech, self.shape, [], readers, own, own_heard, every[::HELD_OUT_EVERY],
                       self.options.start is not None, words=words, people_times=self.options.people_times)  # fmt: skip

    def _resume(self) -> int:
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        return int(state["step"])

    def run(self) -> Iterator[tuple[int, Tensor]]:
        """After each step: its number, [len(LOSSES)] this process's losses."""
        options = self.options
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        averages, learning = zip(*(pair for pair in pairs if pair[1].requires_grad), strict=True)
        for step in range(self.first, min(options.steps, options.until or options.steps)):
            progress = step / options.steps
            real = options.people or options.readers
            if real and (options.start or progress > 0.3) and (step % PEOPLE_EVERY == 0 or not self.batches.excerpts):
                self._hear_people(step)
            warm_up = min(WARM_UP, max(1, options.steps // 10))
            rate = options.rate * min(1.0, (step + 1) / warm_up) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
            for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
                group["lr"] = rate
            self.gradients.flat.zero_()
            seed = step * options.processes + self.rank
            told = backward(self.model, self.batches, seed, progress, self.device, self.before)
            self.gradients.average(options.processes)
            if nn.utils.clip_grad_norm_(self.model.parameters(), 1.0).isfinite():
                for optimizer in self.optimizers:
                    optimizer.step()
            elif self.rank == 0:
                # In every process: they have the same gradients.
                print(f"step {step + 1} is left out: its gradients are not finite", flush=True)
            keep = 1 - 1 / min(step + 2, max(2, options.steps // AVERAGED))
            with torch.no_grad():
                torch._foreach_lerp_(averages, learning, 1 - keep)
            yield step + 1, told

    def _hear_people(self, step: int) -> None:
        """What the model makes of the recordings of real people by now: the sentences of orders, and where their words are."""
        batches = self.batches
        if self.options.people:
            batches.people = people.transcribed(self.options.people, self.average, self.script, self.options.fold)
        aligner = Aligner(self.average).measured(people.timed(self.work / "voices"))
        rng = random.Random(step)
        batches.excerpts = people.excerpts(batches.people, aligner, EXCERPTS_OF_ORDERS, rng)
        batches.excerpts += people.excerpts(batches.readers, aligner, EXCERPTS_OF_READINGS, rng)

    def save(self, step: int) -> None:
        part = self.checkpoint.with_suffix(".part")
        state = {
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers], "step": step,
        }  # fmt: skip
        torch.save(state, part)
        part.rename(self.checkpoint)


def train(rank: int, options: argparse.Namespace, meeting: str) -> None:
    """The process with rank 0 keeps the log and the checkpoints."""
    torch.set_num_threads(options.threads)
    if options.processes > 1:
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=options.processes)
    training = Training(options, rank)
    if rank == 0:
        size = sum(p.numel() for p in training.model.parameters())
        print(f"{size:,} parameters, {len(training.batches.users)} recordings, from step {training.first}", flush=True)
    totals, began, step = torch.zeros(len(LOSSES)), time.monotonic(), training.first
    for step, told in training.run():
        totals += told
        if rank == 0 and step % TOLD_EVERY == 0:
            row: dict[str, Any] = {"step": step, "s_per_step": round((time.monotonic() - began) / TOLD_EVERY, 3)}
            row |= {n: round(v, 4) for n, v in zip(LOSSES, (totals / TOLD_EVERY).tolist(), strict=True) if v}
            if step % KEPT_EVERY == 0:
                row["left_out"] = left_out(training.average, training.batches, training.device)
            with (training.work / "log.jsonl").open("a") as log:
                log.write(json.dumps(row) + "\n")
            print(row, flush=True)
            totals, began = torch.zeros(len(LOSSES)), time.monotonic()
        if rank == 0 and step % KEPT_EVERY == 0:
            training.save(step)
    if rank == 0:
        training.save(step)
    if options.processes > 1:
        dist.destroy_process_group()


def start(options: argparse.Namespace) -> None:
    if options.processes == 1:
        train(0, options, "")
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(train, (options, f"tcp://127.0.0.1:{port}"), nprocs=options.processes)  # type: ignore[attr-defined,no-untyped-call]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--until", type=int, help="stop here; --steps still shapes the learning rate")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    rows = ("HEARD", "TRANSCRIBED", "WRITTEN", "SPOKEN")
    parser.add_argument("--rows", type=int, nargs=4, default=(16, 96, 16, 64), metavar=rows, help="0: see hold_still")
    parser.add_argument("--alone", type=int, default=0, help="rows of one word, of WORK/alone")
    parser.add_argument("--keep", action="store_true", help="as far as can be, what --start makes of all other rows")
    parser.add_argument("--together", type=json.loads, default={}, help="rows that go through the network together, as JSON")
    parser.add_argument("--start", type=Path, help="a model's folder to begin with")
    parser.add_argument("--people", type=Path)
    parser.add_argument("--people-times", type=float, default=1.0, help="as many rows of theirs as in a long run")
    parser.add_argument("--fold", type=int, choices=range(people.FOLDS), help="leave out all that a fifth of the people say")
    parser.add_argument("--readers", type=Path)
    parser.add_argument("--own", type=Path, help="what a user wants to add: see own.py")
    parser.add_argument("--compile", action="store_true", help="about a third faster; needs a C compiler")
    parser.add_argument("--processes", type=int, default=1, help="with a share of the rows each")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.keep and not options.start:
        parser.error("--keep needs --start")
    if options.alone and not any(options.work.glob("alone/????.npz")):
        parser.error(f"--alone needs {options.work / 'alone'}: see synthesis.py")
    start(options)


if __name__ == "__main__":
    main()
