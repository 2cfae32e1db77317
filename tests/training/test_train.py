"""The recipe in small: made-up recordings and tokens, a tiny network, some steps, an export that loads and runs."""

import argparse
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch.multiprocessing.spawn import spawn

from realtime_server.engine import loader
from realtime_server.engine.contract import ModelError
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.training.wren import dataset, domain, export, losses, thinker, tools, train, vocabulary
from realtime_server.training.wren.batches import Batches, Shape, Shares
from realtime_server.training.wren.dataset import Heard, Row
from realtime_server.training.wren.dialogue import Call, Dialogue, Say, dump
from realtime_server.training.wren.own import Own
from tests.conftest import tiny_codec
from tests.engine.families.wren.test_script import SCRIPT


@pytest.fixture
def work(tmp_path: Path) -> Path:
    rng, noise = random.Random(0), np.random.default_rng(0)
    (tmp_path / "users").mkdir()
    dialogues = [domain.sample(rng) for _ in range(12)]
    lengths = [int(noise.integers(100, 200)) for _ in dialogues]
    mel = noise.normal(-6, 2, (sum(lengths), 80)).astype(np.float16)
    rows = [{"dialogue": dump(d), "engine": "espeak"} for d in dialogues]
    np.savez(tmp_path / "users" / "0000.npz", mel=mel, lengths=lengths, rows=json.dumps(rows))
    # By its checksum "Again." is one of those that are left out.
    texts, frames = ["Hello there.", "Again."], [10, 7]
    pointers = np.concatenate([np.linspace(0, len(t) - 1, f).astype(np.int16) for t, f in zip(texts, frames, strict=True)])
    np.savez(tmp_path / "speech.npz", codes=noise.integers(0, 16, (17, 2)).astype(np.int16), lengths=frames,
             pointers=pointers, texts=json.dumps(texts), voices=[0, 1])  # fmt: skip
    (tmp_path / "speakers.json").write_text(json.dumps({"hts": 0, "rms": 1}))
    vocabulary.fit(500).save(str(tmp_path / "tokenizer.json"))
    save_file(tiny_codec().state_dict(), tmp_path / "codec.safetensors")
    return tmp_path


@pytest.fixture
def options(work: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Of a training of a tiny network."""

    def tiny_config(vocabulary: int, codebooks: int, codes: int, choices_shown: bool) -> WrenConfig:
        return WrenConfig(vocabulary, 32, 2, 2, 48, 1, codebooks=codebooks, codes=codes, choices_shown=choices_shown)

    for module in (train, export):
        monkeypatch.setattr(module, "WrenConfig", tiny_config)
    monkeypatch.setattr(train, "KEPT_EVERY", 25)
    return argparse.Namespace(
        work=work, steps=50, rate=3e-3, people=None, compile=False, processes=1, threads=1, device="cpu", rows=(4, 6, 3, 2),
        together={"thoughts_together": 2}, until=None, start=None, readers=None, own=None, alone=0, keep=False,
        people_times=1.0,
    )  # fmt: skip


def test_a_step_whose_gradients_are_not_finite_changes_nothing(
    options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = train.Training(options, 0)
    steps = training.run()
    next(steps)
    before = {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    written = losses.think
    monkeypatch.setattr(losses, "think", lambda model, batch: {"written": written(model, batch)["written"] * float("nan")})
    next(steps)
    assert all(torch.equal(tensor, before[name]) for name, tensor in training.model.state_dict().items())
    monkeypatch.undo()
    next(steps)
    assert not all(torch.equal(tensor, before[name]) for name, tensor in training.model.state_dict().items())
    assert all(tensor.isfinite().all() for tensor in training.model.state_dict().values())


def test_some_steps_learn_something_and_export(work: Path, options: argparse.Namespace) -> None:
    train.start(options)
    row = json.loads((work / "log.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 50
    assert row["codes"] < np.log(16)
    assert row["left_out"].keys() == {"text", "ctc", "early", "ended", "codes", "advance"}
    options.steps = 52
    train.start(options)
    export.export(work, work / "model")
    model = loader.load(str(work / "model"), "cpu")
    assert isinstance(model, WrenModel)
    assert "yesterday" in (work / "model" / "words.txt").read_text().split()
    assert thinks_like(work, work / "model")
    # Another training may begin with it, and add a voice and words.
    (work / "checkpoint.pt").unlink()
    speech = dict(np.load(work / "speech.npz"))
    np.savez(work / "speech.npz", **speech | {"voices": np.array([2, 1])})
    (work / "speakers.json").write_text(json.dumps({"hts": 0, "rms": 1, "mine": 2}))
    options.start, options.steps = work / "model", 1
    (work / "users").rename(work / "alone")
    (work / "users").mkdir()
    shutil.copy(work / "alone" / "0000.npz", work / "users")
    options.alone, options.keep = 3, True
    train.start(options)
    begun, kept = (torch.load(work / "checkpoint.pt")["model"], load_file(work / "model" / "model.safetensors"))
    for name in ("ear.norm.weight", "voice.weight"):
        assert (begun[name][: len(kept[name])] - kept[name].float()).abs().max() < 0.01
    export.export(work, work / "mine", work / "model", Own(words=("blorf",)))
    mine = loader.load(str(work / "mine"), "cpu")
    assert isinstance(mine, WrenModel)
    assert mine.abilities.voice_ids == {"mine"}
    assert mine.voices["mine"].speaker == 2
    assert mine.voices["marin"] == model.voices["marin"]
    assert mine.known.like("blorf", 1) == ["blorf"]


def thinks_like(work: Path, folder: Path) -> bool:
    """Does a training begin with the whole model's thinker where it begins with that alone?"""
    thinker.thinker(folder, work / "thinker")
    with pytest.raises(ModelError, match="wren-thinker"):
        loader.load(str(work / "thinker"), "cpu")
    codec = load_file(work / "codec.safetensors")["table"]
    config = WrenConfig(**json.loads((folder / "config.json").read_text())["net"])
    alone, whole = Wren(config), Wren(config)
    train.begin_with(alone, work / "thinker", codec)
    train.begin_with(whole, folder, codec)
    export.export(work, work / "of-a-thinker", work / "thinker")
    assert (work / "of-a-thinker" / "voices.json").read_text() == (folder / "voices.json").read_text()
    pairs = zip(alone.named_parameters(), whole.parameters(), strict=True)
    return all(torch.equal(a, b) for (name, a), b in pairs if name.split(".")[0] not in train.SPEAKING)


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 1000))
@settings(max_examples=20)
def test_more_layers_change_nothing_until_they_learn(layers: int, more: int, seed: int) -> None:
    torch.manual_seed(seed)
    shallow, deep = (Wren(WrenConfig(20, 16, n, 2, 16, 1, talker_layers=1)).eval() for n in (layers, layers + more))
    deep.load_state_dict(deep.state_dict() | train.grown(shallow.state_dict(), deep.state_dict()))
    x = torch.randn(2, 5, 16)
    assert torch.equal(deep.think(x)[0], shallow.think(x)[0])
    deaf = {name: tensor for name, tensor in shallow.state_dict().items() if not name.startswith("ear.mixers")}
    deep.load_state_dict(deep.state_dict() | train.grown(deaf, deep.state_dict()))
    mel = torch.randn(2, 23, 80)
    assert torch.equal(deep.ear(mel), shallow.ear(mel))
    deep.think(x)[0].square().sum().backward()
    taught = [deep.get_parameter(f"trunk.layers.{n}.out.weight").grad for n in range(layers + more)]
    assert all(grad is not None and grad.any() for grad in taught)


def share_of_rows(rank: int, folder: Path) -> None:
    """One of two processes: what their gradients become together."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    layer = torch.nn.Linear(2, 1)
    gradients = train.Gradients(layer)
    layer(torch.full((1, 2), float(rank))).sum().backward()
    gradients.average(2)
    assert gradients.flat.tolist() == [0.5, 0.5, 1.0]
    assert layer.weight.grad is not None and layer.weight.grad.tolist() == [[0.5, 0.5]]
    dist.destroy_process_group()


def test_processes_share_their_gradients(tmp_path: Path) -> None:
    spawn(share_of_rows, (tmp_path,), nprocs=2)


@given(st.integers(1, 7), st.integers(1, 5), st.integers(0, 1000))
def test_rounding_up_leaves_the_text_loss_as_it_was(rows: int, length: int, seed: int) -> None:
    torch.manual_seed(seed)
    model = Wren(WrenConfig(20, 16, 1, 2, 16, 1))
    trunk, targets = torch.randn(rows, length, 16), torch.randint(-3, 20, (rows, length))
    targets[targets < 0] = dataset.IGNORE
    asked = targets != dataset.IGNORE
    loss = losses.text_loss(model, trunk, targets)
    if not asked.any():
        assert loss == 0
        return
    wanted = torch.nn.functional.cross_entropy(model.text_logits(trunk[asked]), targets[asked], label_smoothing=0.02)
    assert torch.allclose(loss, wanted, atol=1e-5)


def test_a_row_learns_what_comes_after_its_frames(script: object) -> None:
    from realtime_server.engine.families.wren.script import END, REPLY, USER, Script

    assert isinstance(script, Script)
    dialogue = Dialogue("capital", "what is the capital of france", Say("The capital of France is Paris."))
    row = dataset.Row(np.zeros((80, 80), np.float32), dialogue, end=40)
    batch = dataset.heard_batch(script, [row, replace(row, cut=True)])
    assert batch.frame_at is not None
    assert batch.ended is not None
    assert batch.frame_at.shape[1] == dataset.rounded(10)
    assert batch.ids[0, batch.frame_at[0, 9] + 1] == USER
    learned = [int(t) for t in batch.targets[0] if t != dataset.IGNORE]
    assert script.decode(learned) == f"{dialogue.user} The capital of France is Paris."
    assert learned[-1] == END
    bare = dataset.heard_batch(script, [replace(row, words_only=True)])
    assert [int(t) for t in bare.targets[0] if t != dataset.IGNORE] == [*script.encode(dialogue.transcript), REPLY]
    assert (batch.targets[1] == dataset.IGNORE).all()
    assert batch.ended[:, :10].tolist() == [[0] * 5 + [dataset.IGNORE] * 2 + [1] * 3, [0] * 5 + [dataset.IGNORE] * 2 + [0] * 3]


def test_pointers_arrive_at_the_end() -> None:
    path = dataset.paced(np.array([0, 0, 30, 31, 32]), 33, 7)
    assert path[0] == 0
    assert path.diff().max() <= 7
    assert path.tolist() == sorted(path.tolist())
    assert torch.equal(dataset.paced(np.array([0, 2, 4]), 5, 7), torch.tensor([0, 2, 4, 5]))


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_only_real_peoples_orders_are_transcribed_with_their_function(seed: int) -> None:
    mel = np.zeros((80, 80), np.float16)
    order = Dialogue("order", "a latte", Call("order_drink", ()), tools=(tools.ORDER,))
    users, people = [Heard(mel, order, "espeak")], [Heard(mel, order, "people")]
    batches = Batches(SCRIPT, users, None, people=people, excerpts=people)  # type: ignore[arg-type]
    for shares, shown in ((Shares(0, 1, 0, 0), (tools.ORDER,)), (Shares(0, 0, 0, 1), (tools.ORDER,)), (Shares(0, 0, 0, 0), ())):
        for row in batches.rows(4, shares, seed, 1.0, words_only=True):
            assert row.words_only
            assert row.dialogue.tools == shown
            assert (row.dialogue.facts, row.dialogue.history) == ((), ())


@given(st.integers(0, 1000), st.floats(1.0, 4.0))
@settings(max_examples=20)
def test_of_real_people_there_may_be_more(seed: int, times: float) -> None:
    mel = np.zeros((80, 80), np.float16)
    users, people = ([Heard(mel, Dialogue("order", "a latte", Call("order_drink", ())), name)] for name in ("espeak", "people"))
    batches = Batches(SCRIPT, users, None, people=people, people_times=times)  # type: ignore[arg-type]
    shares = Shares(0.0, 0.25, 0.0, 0.0)
    kind = random.Random(seed).random()
    assert (batches.source(kind, shares) is people) == (kind < 0.25 * times)


def speaking_stream(model: Wren) -> dataset.Speech:
    codes, windows = torch.randint(model.config.codes, (2, 5, model.config.codebooks)), torch.randint(30, (2, 5, 19))
    voices, advances = torch.tensor([0, 1]), torch.randint(8, (2, 5))
    return dataset.Speech(codes, windows, voices, codes, advances, torch.ones(2, 5, dtype=torch.bool))


def test_speaking_teaches_what_only_speaks() -> None:
    model = Wren(WrenConfig(20, 16, 2, 2, 16, 1, codebooks=2, codes=16))
    torch.stack([*losses.speak(model, speaking_stream(model)).values()]).sum().backward()
    taught = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert taught == train.SPEAKING


@pytest.mark.parametrize(("rows", "speaks"), [((0, 0, 0, 2), True), ((4, 6, 3, 0), False)])
def test_what_no_row_teaches_holds_still(rows: tuple[int, int, int, int], speaks: bool) -> None:
    model = Wren(WrenConfig(20, 16, 2, 2, 16, 1, codebooks=2, codes=16))
    train.hold_still(model, Shape(*rows))
    steps, gradients = train.optimizers(model, 0.01), train.Gradients(model)
    gradients.flat.normal_()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for step in steps:
        step.step()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) is ((name.split(".")[0] in train.SPEAKING) is not speaks)


def heard_rows(script: Script, number: int, seed: int) -> dataset.Thoughts:
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    rows = [Row(noise.normal(-6, 2, (100, 80)).astype(np.float32), domain.sample(rng), 80) for _ in range(number)]
    return dataset.heard_batch(script, rows)


@given(st.integers(1, 4), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_what_is_kept_costs_nothing_until_it_changes(rows: int, seed: int) -> None:
    torch.manual_seed(seed)
    before, model = (Wren(WrenConfig(SCRIPT.size, 16, 2, 2, 16, 1)).eval() for _ in range(2))
    batch = heard_rows(SCRIPT, rows, seed)
    assert all(loss.item() > 1e-4 for loss in losses.keep(before, model, batch).values())
    model.load_state_dict(before.state_dict())
    same = losses.keep(before, model, batch)
    assert all(abs(loss.item()) < 1e-5 for loss in same.values())
    torch.stack([*same.values()]).sum().backward()
    assert all(p.grad is None or p.grad.abs().max() < 1e-4 for p in model.parameters())
    assert all(p.grad is None for p in before.parameters())


def test_rows_of_one_word_are_those_and_words_of_real_people() -> None:
    def heard(said: str, speaker: str) -> Heard:
        return Heard(np.zeros((60, 80), np.float16), Dialogue("excerpt", said, Say("Sorry.")), speaker)

    batches = Batches(SCRIPT, [], None, Shape(alone=40), words=[heard("seven", "espeak")])  # type: ignore[arg-type]
    batches.excerpts = [heard("two", "people"), heard("a large latte", "people")]
    wanted = {tuple(SCRIPT.user(said)[1:]) for said in ("seven", "two")}
    said = set()
    for seed in range(5):
        parts = batches.alone(seed)
        assert sum(part.rows for part in parts) == 40
        said |= {tuple(row[row != dataset.IGNORE].tolist()[:-1]) for part in parts for row in part.targets}
    assert said == wanted


def test_replies_are_spoken_as_often_as_they_are_said(work: Path) -> None:
    speech = dataset.SpeechSet(work, 16, 7)
    common, rare = "Okay, it is done.", "Brutal garden."
    speech.texts, speech.trained = [common, *[rare] * 99], list(range(100))
    speech.saying = {common: [0], rare: list(range(1, 100))}
    batches = Batches(SCRIPT, [], speech)
    rng = random.Random(0)
    picks = [batches.sentence(rng) for _ in range(3000)]
    # It is one reply in seventy, and one sentence in a hundred.
    assert 1 / 100 + 0.7 / 140 < picks.count(0) / len(picks) < 0.1
    assert len(set(picks)) > 90


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_a_row_sees_the_first_codebooks_of_what_it_said(seed: int) -> None:
    speech = dataset.SpeechSet.__new__(dataset.SpeechSet)
    speech.codes, speech.texts, speech.start = (torch.zeros(40, 6, dtype=torch.long),), ["Hello."], 16
    speech.pointers, speech.voices = [torch.zeros(41, dtype=torch.long)], torch.zeros(1, dtype=torch.long)
    whole = speech.batch([0], torch.Generator(), 0.0).before[0, 1:40]
    assert not whole.any()
    batch = speech.batch([0, 0], torch.Generator().manual_seed(seed), 0.3)
    for row in batch.before[:, 1:40]:
        depths = {int((frame == 0).sum()) for frame in row}
        assert depths <= {0, max(depths)}
        assert max(depths) in {1, 2, 3, 6}
        assert all(torch.equal(frame, frame.sort().values) for frame in row)
