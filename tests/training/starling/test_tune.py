"""A packed row has the loss of its dialogues alone; a run learns, is kept, taken up again and merged."""

import random
from argparse import Namespace
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from realtime_server.engine.nets.packed import Packing
from realtime_server.training.starling import lora, merge, sessions, tune
from realtime_server.training.starling.rendering import Rendered, rendered
from tests.training.starling import tiny

LENGTH = 1500


def row(count: int) -> list[Rendered]:
    rng = random.Random(1)
    return [rendered(tiny.tokenizer(), sessions.talking(rng)) for _ in range(count)]


def alone(model: torch.nn.Module, example: Rendered) -> torch.Tensor:
    ids = torch.tensor(example.ids)
    at = torch.tensor(example.learned).nonzero()[:, 0]
    return torch.nn.functional.cross_entropy(model(ids[None]).logits[0, at - 1], ids[at], reduction="sum")


def test_a_packed_row_has_the_loss_of_its_dialogues_alone() -> None:
    model, examples = tiny.model(), row(3)
    loss, learned = tune.loss_of(model, examples)
    assert learned == sum(sum(example.learned) for example in examples)
    assert loss.item() == pytest.approx(sum(alone(model, e).item() for e in examples) / learned, rel=1e-4)


def test_rows_are_filled_and_hold_each_example_once() -> None:
    stream = [Rendered((n,) * (1 + n * 7 % 50), (True,) * (1 + n * 7 % 50), 0) for n in range(300)]
    rows = list(islice(tune.packed(iter(stream), 60), 40))
    assert all(sum(len(e.ids) for e in row) <= 60 for row in rows)
    shown = [e.ids[0] for row in rows for e in row]
    assert len(shown) == len(set(shown))
    assert sum(sum(len(e.ids) for e in row) for row in rows) / (40 * 60) > 0.9


def test_a_long_example_stands_alone_and_a_longer_one_nowhere() -> None:
    stream = [Rendered((n,) * size, (True,) * size, 0) for n, size in enumerate([10, 90, 130, 20] * 60)]
    rows = list(islice(tune.packed(iter(stream), 60, 100), 60))
    assert {len(e.ids) for row in rows for e in row} == {10, 20, 90}
    assert all(len(row) == 1 for row in rows if any(len(e.ids) == 90 for e in row))


def test_what_is_too_long_loses_its_last_exchanges() -> None:
    dialogue = next(d for n in range(50) if len((d := sessions.talking(random.Random(n))).exchanges) > 4)
    whole = rendered(tiny.tokenizer(), dialogue)
    short = tune.fitting(tiny.tokenizer(), dialogue, len(whole.ids) - 1)
    assert len(short.ids) < len(whole.ids)
    assert short.ids == whole.ids[: len(short.ids)]


def test_the_rate_rises_and_falls() -> None:
    rates = [tune.rate(1.0, step, step / 100) for step in range(101)]
    assert rates.index(max(rates)) == tune.WARM_UP_STEPS - 1
    assert rates[0] < 0.1
    assert rates[-1] == pytest.approx(0.03)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.model().save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    return tmp_path


def options(folder: Path) -> Namespace:
    return Namespace(
        model=folder / "model", out=folder / "run", seed=1, minutes=1.0, length=LENGTH, longest=LENGTH, rows=1, rank=4, first_layer=1, rate=2e-2,
        dtype="float32", narrow=[],
    )  # fmt: skip


def test_a_run_learns_and_is_taken_up_again(folder: Path) -> None:
    run, examples = tune.Run(options(folder)), row(1)
    losses = [run.step([examples], 0.1) for _ in range(60)]
    assert losses[-1] < 0.95 * losses[0]
    run.save()
    again = tune.Run(options(folder))
    assert again.progress == run.progress
    assert again.step([examples], 0.1) == pytest.approx(run.step([examples], 0.1))
    assert again.step([examples], 0.1) == pytest.approx(run.step([examples], 0.1), rel=1e-3)


def test_a_run_is_merged_into_a_folder_that_loads_alone(folder: Path) -> None:
    run, examples = tune.Run(options(folder)), row(1)
    for _ in range(5):
        run.step([examples], 0.1)
    run.save()
    merge.write(folder / "model", folder / "run" / "adapters.safetensors", folder / "tuned")
    loaded = AutoModelForCausalLM.from_pretrained(folder / "tuned", dtype=torch.float32)
    assert tune.loss_of(loaded, examples)[0].item() == pytest.approx(tune.loss_of(run.model, examples)[0].item(), rel=0.02)
    assert not lora.adapters(loaded)
    assert AutoTokenizer.from_pretrained(folder / "tuned")("Hi")["input_ids"] == tiny.tokenizer()("Hi")["input_ids"]
    assert load_file(folder / "run" / "adapters.safetensors").keys() == lora.adapters(run.model).keys()


def test_adapters_are_learned_beside_what_four_bits_leave(folder: Path) -> None:
    chosen = options(folder)
    chosen.narrow = ["gate"]
    plain, run = tiny.model(), tune.Run(chosen)
    lora.merge(run.model)
    for name, weight in plain.state_dict().items():
        if name.endswith("proj.weight"):
            expected = Packing(("gate",)).rounded(name, weight) if "gate" in name else weight
            torch.testing.assert_close(run.model.state_dict()[name], expected, msg=name)
