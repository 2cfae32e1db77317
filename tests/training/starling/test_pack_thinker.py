"""A tuned thinker says packed what it says whole: what was learned beside 4 bits is still beside them."""

from pathlib import Path

import pytest
import torch

from realtime_server.engine.families.starling.loading import load_thinker
from realtime_server.training.starling import tune
from realtime_server.training.starling.pack_thinker import pack_thinker
from tests.training.starling import tiny
from tests.training.starling.test_tune import options, row


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, tune.Run]:
    model = tiny.model()
    model.lm_head.weight = model.model.embed_tokens.weight
    model.config.tie_word_embeddings = True
    model.save_pretrained(tmp_path / "model")
    tiny.tokenizer().save_pretrained(tmp_path / "model")
    chosen = options(tmp_path)
    chosen.narrow, chosen.first_layer = ["mlp"], 0
    run = tune.Run(chosen)
    for _ in range(20):
        run.step([row(1)], 0.1)
    run.save()
    pack_thinker(tmp_path / "model", tmp_path / "run" / "adapters.safetensors", tmp_path / "own" / "thinker")
    return tmp_path / "own", run


def test_what_is_packed_says_what_was_tuned(packed: tuple[Path, tune.Run]) -> None:
    folder, run = packed
    thinker = load_thinker(folder, {"from": "thinker"}, torch.device("cpu"))
    ids = torch.tensor([row(1)[0].ids[:60]])
    with torch.no_grad():
        expected = run.model(ids).logits
        untuned = tiny.model()(ids).logits
    told = thinker.lm._model(ids).logits  # noqa: SLF001
    assert (told - expected).norm() < 0.1 * (expected - untuned).norm()
