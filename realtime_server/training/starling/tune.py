"""Train the adapters on dialogues made from a seed.

python -m realtime_server.training.starling.tune MODEL --out FOLDER --seed 1 --minutes 60

Dialogues are packed into rows of at most `--length` tokens in which each sees only itself; a longer one stands alone. The rate
falls as a half cosine with the share of the time that is gone, so a run ends well whenever it was told to end. `FOLDER` keeps
the newest adapters with the state of the optimiser; the same command goes on from there.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, PreTrainedTokenizerBase

from realtime_server.engine.nets.packed import Packing
from realtime_server.training.starling import lora, sessions
from realtime_server.training.starling.dialogue import Dialogue
from realtime_server.training.starling.rendering import Rendered, rendered

SAVE_EVERY_S = 300.0
WARM_UP_STEPS = 20


@dataclass
class Progress:
    """What goes on where a run is taken up again."""

    step: int = 0
    tokens: int = 0
    learned: int = 0
    seconds: float = 0.0


def packed(examples: Iterator[Rendered], length: int, longest: int = 0, waiting: int = 24) -> Iterator[list[Rendered]]:
    """Rows that hold at most `length` tokens: of those `waiting` the longest that fits comes next. Longer ones stand alone in a
    row; those longer than `longest` are left out."""
    pool: list[Rendered] = []
    while True:
        while len(pool) < waiting:
            example = next(examples)
            if len(example.ids) <= max(length, longest):
                pool.append(example)
        row, room = [pool.pop(0)], length
        room -= len(row[0].ids)
        while small := [e for e in pool if len(e.ids) <= room]:
            best = max(small, key=lambda e: len(e.ids))
            pool.remove(best)
            row.append(best)
            room -= len(best.ids)
        yield row


def mask(seen_from: Tensor, seen: Tensor, dtype: torch.dtype) -> Tensor:
    """[1, 1, from, all]: 0 where a token may look, the lowest number elsewhere. Both hold (dialogue, position) of each token
    [2, n]: what is seen is of the same dialogue and not later."""
    allowed = (seen_from[0][:, None] == seen[0][None]) & (seen_from[1][:, None] >= seen[1][None])
    return torch.zeros(allowed.shape, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)[None, None]


def _parts(row: list[Rendered], opening: bool) -> tuple[Tensor, Tensor, Tensor]:
    """What stands before the user's first turn, or the rest: tokens [n], (dialogue, position) [2, n], learned [n]."""
    ids, places, learned = [], [], []
    for n, example in enumerate(row):
        chosen = range(example.opening) if opening else range(example.opening, len(example.ids))
        ids += [example.ids[k] for k in chosen]
        places += [(n, k) for k in chosen]
        learned += [example.learned[k] for k in chosen]
    return torch.tensor(ids), torch.tensor(places).T, torch.tensor(learned)


def loss_of(model: Any, row: list[Rendered]) -> tuple[Tensor, int]:
    """The mean over what the assistant writes, and how many tokens that is. Instructions and tools are read without gradients
    (more than half of the tokens, nothing of them is learned), and the head is computed only where something is."""
    ids, places, _ = _parts(row, opening=True)
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        seen = mask(places, places, model.dtype)
        model.model(input_ids=ids[None], position_ids=places[1][None], attention_mask=seen, cache=cache, use_cache=True)
    ids, own, learned = _parts(row, opening=False)
    seen = mask(own, torch.cat([places, own], dim=1), model.dtype)
    hidden = model.model(
        input_ids=ids[None], position_ids=own[1][None], attention_mask=seen, cache=cache, use_cache=True
    ).last_hidden_state[0]
    # A dialogue's rest begins with the user, so nothing is predicted from another dialogue's last token.
    at = learned.nonzero()[:, 0]
    return nn.functional.cross_entropy(model.lm_head(hidden[at - 1]).float(), ids[at]), len(at)


def fitting(tokenizer: PreTrainedTokenizerBase, dialogue: Dialogue, length: int) -> Rendered:
    """Without its last exchanges where it is too long; the first one stays."""
    while len((whole := rendered(tokenizer, dialogue)).ids) > length and len(dialogue.exchanges) > 1:
        dialogue = replace(dialogue, exchanges=dialogue.exchanges[:-1])
    return whole


def examples(tokenizer: PreTrainedTokenizerBase, seed: int, length: int, skip: int = 0) -> Iterator[Rendered]:
    """Without end; `skip` changes the seed, so that a resumed run does not see the same again."""
    rng = random.Random(f"{seed}/{skip}")
    while True:
        yield fitting(tokenizer, sessions.sample(rng), length)


def rate(highest: float, step: int, share: float) -> float:
    return highest * min(1.0, (step + 1) / WARM_UP_STEPS) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


@torch.no_grad()
def round_narrow(model: Any, narrow: tuple[str, ...]) -> None:
    """The layers that will be kept in 4 bits become what that leaves of them, so that the adapters learn beside what will be
    there (QLoRA, Dettmers et al., 2023)."""
    packing = Packing(narrow)
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear) and any(part in path for part in narrow):
            module.weight.copy_(packing.rounded(path, module.weight))


class Run:
    """A model with adapters, their optimiser, and the folder that keeps both."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options, self.out = options, Path(options.out)
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        self.model = AutoModelForCausalLM.from_pretrained(options.model, dtype=getattr(torch, options.dtype))
        round_narrow(self.model, tuple(options.narrow))
        self.parameters = lora.adapt(self.model, self.tokenizer, options.rank, options.first_layer)
        self.optimiser = torch.optim.AdamW(self.parameters, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.progress = Progress()
        self.out.mkdir(parents=True, exist_ok=True)
        if (self.out / "progress.json").exists():
            self._resume()

    def _resume(self) -> None:
        lora.load(self.model, load_file(self.out / "adapters.safetensors"))
        self.optimiser.load_state_dict(torch.load(self.out / "optimiser.pt", weights_only=True))
        self.progress = Progress(**json.loads((self.out / "progress.json").read_text()))

    def save(self) -> None:
        """The new files replace the old ones, each whole."""
        save_file({k: v.contiguous() for k, v in lora.adapters(self.model).items()}, self.out / "adapters.new")
        torch.save(self.optimiser.state_dict(), self.out / "optimiser.new")
        (self.out / "adapters.new").replace(self.out / "adapters.safetensors")
        (self.out / "optimiser.new").replace(self.out / "optimiser.pt")
        (self.out / "progress.json").write_text(json.dumps(vars(self.progress)))

    def step(self, rows: list[list[Rendered]], share: float) -> float:
        """One update from these rows: their mean loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.options.rate, self.progress.step, share)
        self.optimiser.zero_grad()
        total = 0.0
        for row in rows:
            loss, learned = loss_of(self.model, row)
            (loss / len(rows)).backward()
            total += loss.item() / len(rows)
            self.progress.tokens += sum(len(e.ids) for e in row)
            self.progress.learned += learned
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.progress.step += 1
        return total

    def train(self) -> None:
        length, longest = self.options.length, self.options.longest
        rows = packed(examples(self.tokenizer, self.options.seed, longest, self.progress.step), length, longest)
        before, start, saved, mean = self.progress.seconds, time.monotonic(), time.monotonic(), 0.0
        whole = self.options.minutes * 60
        while self.progress.seconds < whole:
            loss = self.step([next(rows) for _ in range(self.options.rows)], self.progress.seconds / whole)
            self.progress.seconds = before + time.monotonic() - start
            mean = loss if not mean else 0.95 * mean + 0.05 * loss
            if self.progress.step % 10 == 0:
                speed = self.progress.tokens / self.progress.seconds
                print(f"{json.dumps(vars(self.progress))} loss {mean:.3f}, {speed:.0f} tokens/s", flush=True)
            if time.monotonic() - saved > SAVE_EVERY_S:
                self.save()
                saved = time.monotonic()
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--length", type=int, default=640)
    parser.add_argument("--longest", type=int, default=1200, help="tokens of a dialogue, which then is a row by itself")
    parser.add_argument("--rows", type=int, default=1, help="rows in one update")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--first-layer", type=int, default=8, help="layers below it stay as they are: gradients end there")
    parser.add_argument(
        "--narrow", nargs="*", default=["mlp", "q_proj"], help="layers that will be kept in 4 bits (%(default)s)"
    )
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    Run(options).train()


if __name__ == "__main__":
    main()
