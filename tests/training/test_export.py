"""A checkpoint as a model's folder."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from realtime_server.engine import loader
from realtime_server.engine.families.wren.script import Script
from realtime_server.training.wren.dataset import history_tokens
from realtime_server.training.wren.export import between, decoder_of
from tests.conftest import tiny_decoder


@given(st.floats(0, 1))
def test_weights_lie_between_those_of_both_models(share: float) -> None:
    first = {"a": torch.zeros(3).half(), "voice": torch.zeros(2), "gone": torch.zeros(1)}
    trained = {"a": torch.ones(3), "voice": torch.ones(4), "new": torch.ones(1)}
    found = between(first, trained, share)
    assert set(found) == set(trained)
    assert found["a"].tolist() == pytest.approx([share] * 3)
    # What only one of them has, or has in another shape, is the trained one's.
    assert found["voice"].tolist() == [1.0] * 4
    assert found["new"].tolist() == [1.0]


def test_all_of_the_way_is_what_was_trained() -> None:
    trained = {"a": torch.randn(5)}
    assert torch.equal(between({"a": torch.randn(5)}, trained, 1.0)["a"], trained["a"])


def test_a_model_keeps_its_decoder_until_another_is_fitted(tmp_path: Path) -> None:
    work, model, decoder = tmp_path / "work", tmp_path / "model", tiny_decoder()
    work.mkdir()
    model.mkdir()
    assert decoder_of(work, None) == ({}, None)
    (model / "config.json").write_text("{}")
    assert decoder_of(work, model) == ({}, None)
    (model / "config.json").write_text(json.dumps({"decoder": decoder.to_dict()}))
    known = {f"decoder.{name}": tensor for name, tensor in decoder.state_dict().items()}
    save_file(known | {"codec.mean": torch.zeros(2)}, model / "model.safetensors")
    weights, shape = decoder_of(work, model)
    assert shape == decoder.to_dict()
    assert weights.keys() == known.keys()
    save_file({name: tensor + 1 for name, tensor in decoder.state_dict().items()}, work / "decoder.safetensors")
    (work / "decoder.json").write_text(json.dumps(decoder.to_dict()))
    fitted, _ = decoder_of(work, model)
    assert all(torch.equal(fitted[name], known[name] + 1) for name in known)


def test_a_model_is_shown_as_much_of_a_conversation_as_it_was_trained_on() -> None:
    model = loader.find("wren")
    config = json.loads((model / "config.json").read_text())
    assert config["net"]["context_tokens"] == history_tokens(Script.load(model / "tokenizer.json"))
