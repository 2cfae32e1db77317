"""Any text can be written with the rows that are kept, what is needed of whole tokens stays whole, and logits are those of before."""

import json
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from realtime_server.training.starling import pruning
from tests.training.starling import tiny

TEXTS = [
    "the cat sat on the mat and the dog sat there too",
    '{"name": "call", "arguments": {"of": 1}}\n',
    "zyzzyva zyzzyva zyzzyva",
] * 20
pytest.importorskip("wordfreq", reason="of the `train` extra")


@pytest.fixture(scope="module")
def spec() -> Any:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=400,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=["<|im_end|>"],
            show_progress=False,
        ),
    )
    return json.loads(made.to_str())


@pytest.fixture(autouse=True)
def few_early_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "EARLY", 0)
    monkeypatch.setattr(pruning, "WORDS", 50)


def tokens(spec: Any, ids: list[int], text: str) -> list[str]:
    found: list[str] = Tokenizer.from_str(json.dumps(pruning.pruned(spec, ids))).encode(text).tokens
    return found


def test_any_text_can_be_written(spec: Any) -> None:
    ids = pruning.english(spec, 0)
    assert pruning.all_bytes_stay(pruning.pruned(spec, ids))
    small = Tokenizer.from_str(json.dumps(pruning.pruned(spec, ids)))
    for text in ("zyzzyva", "Grüße, 你好 🦜", '{"a": [1]}'):
        assert small.decode(small.encode(text).ids) == text


def test_what_is_trained_on_keeps_its_tokens(spec: Any) -> None:
    whole = Tokenizer.from_str(json.dumps(spec)).encode("zyzzyva").tokens
    assert len(whole) < len("zyzzyva")
    assert tokens(spec, pruning.english(spec, 0, ["zyzzyva"]), "zyzzyva") == whole
    assert tokens(spec, pruning.english(spec, 0), "zyzzyva") != whole


def test_the_seams_of_json_stay_whole(spec: Any) -> None:
    whole = Tokenizer.from_str(json.dumps(spec)).encode('"}}\n').tokens
    assert tokens(spec, pruning.english(spec, 0), '"}}\n') == whole


def test_the_rows_that_are_kept_say_the_same() -> None:
    model, ids = tiny.model(), list(range(0, 261, 3))
    asked = torch.tensor([[1, 4, 2]])
    before = model(torch.tensor(ids)[asked]).logits[..., ids]
    pruning.prune(model, ids)
    torch.testing.assert_close(model(asked).logits, before)


def test_rows_that_training_drew_apart_are_told() -> None:
    model = tiny.model()
    torch.nn.init.normal_(model.model.embed_tokens.weight)
    model.lm_head.weight.data = model.model.embed_tokens.weight.data.clone()
    model.model.embed_tokens.weight.data[[3, 7]] *= -1
    rows, own = pruning.tie(model)
    assert rows.tolist() == [3, 7]
    assert torch.equal(own, -model.lm_head.weight.data[[3, 7]])
    assert model.model.embed_tokens.weight is model.lm_head.weight
