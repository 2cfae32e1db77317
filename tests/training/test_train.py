"""The recipe in small: made-up recordings and tokens, a tiny network, some steps, an export that loads and runs."""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from realtime_server.engine import loader
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.wren import WrenConfig
from realtime_server.engine.wren.model import WrenModel
from realtime_server.training.wren import augment, dataset, domain, export, train, vocabulary
from realtime_server.training.wren.synthesis import dump
from tests.conftest import tiny_codec


@pytest.fixture
def work(tmp_path: Path) -> Path:
    rng, noise = random.Random(0), np.random.default_rng(0)
    (tmp_path / "users").mkdir()
    dialogues = [domain.sample(rng) for _ in range(12)]
    lengths = [int(noise.integers(100, 200)) for _ in dialogues]
    mel = noise.normal(-6, 2, (sum(lengths), 80)).astype(np.float16)
    rows = [{"dialogue": dump(d), "engine": "espeak"} for d in dialogues]
    np.savez(tmp_path / "users" / "0000.npz", mel=mel, lengths=lengths, rows=json.dumps(rows))
    texts, frames = ["Hello there.", "Goodbye."], [10, 7]
    pointers = np.concatenate([np.linspace(0, len(t) - 1, f).astype(np.int16) for t, f in zip(texts, frames, strict=True)])
    np.savez(tmp_path / "speech.npz", codes=noise.integers(0, 16, (17, 2)).astype(np.int16), lengths=frames,
             pointers=pointers, texts=json.dumps(texts), voices=[0, 1])  # fmt: skip
    vocabulary.fit(500).save(str(tmp_path / "tokenizer.json"))
    save_file(tiny_codec().state_dict(), tmp_path / "codec.safetensors")
    return tmp_path


def test_some_steps_learn_something_and_export(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tiny_config(vocabulary: int) -> WrenConfig:
        return WrenConfig(vocabulary, 32, 2, 2, 48, 1, codebooks=2, codes=16)

    def tiny_empty_codec() -> Codec:
        return Codec(codebooks=2, codes=16, components=8)

    for module in (train, export):
        monkeypatch.setattr(module, "WrenConfig", tiny_config)
    monkeypatch.setattr(export, "Codec", tiny_empty_codec)
    options = argparse.Namespace(
        work=work, steps=50, rate=3e-3, people=None, compile=False, threads=1, rows=(4, 3, 2), until=None
    )
    monkeypatch.setattr(train, "GROUPS", 2)
    train.train(options)
    row = json.loads((work / "log.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 50
    assert row["codes"] < np.log(16)
    options.steps = 52
    train.train(options)
    export.export(work, work / "model")
    model = loader.load(str(work / "model"), "cpu")
    assert isinstance(model, WrenModel)


@pytest.mark.parametrize("change", [augment.clean, augment.spoilt])
def test_augmentation_keeps_mel_frames(change: object) -> None:
    assert callable(change)
    mel = np.random.default_rng(0).normal(-6, 2, (150, 80)).astype(np.float32)
    for seed in range(20):
        changed = change(mel, np.random.default_rng(seed))
        assert changed.shape[1] == 80
        assert len(changed) > 100
        assert np.isfinite(changed).all()


def test_a_row_learns_what_comes_after_its_frames(script: object) -> None:
    from realtime_server.engine.wren.script import END, USER, Script

    assert isinstance(script, Script)
    dialogue = domain.Dialogue("capital", "what is the capital of france", domain.Say("The capital of France is Paris."))
    ids, targets, first, frames, mel = dataset.heard_row(script, np.zeros((80, 80), np.float32), dialogue)
    assert frames == 10
    assert len(mel) == 87
    assert ids[first + frames] == USER
    assert script.decode([t for t in targets if t != dataset.IGNORE]) == f"{dialogue.user} The capital of France is Paris."
    assert targets[-2] == END


def test_pointers_arrive_at_the_end() -> None:
    path = dataset.paced(np.array([0, 0, 30, 31, 32]), 33, 7)
    assert path[0] == 0
    assert path.diff().max() <= 7
    assert path.tolist() == sorted(path.tolist())
    assert torch.equal(dataset.paced(np.array([0, 2, 4]), 5, 7), torch.tensor([0, 2, 4, 5]))
