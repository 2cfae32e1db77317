"""A checkpoint as a model's folder."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.wren.export import between


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
