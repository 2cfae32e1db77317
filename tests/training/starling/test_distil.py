"""Answers are kept where they can be spoken."""

import pytest

from realtime_server.training.starling import distil, knowledge


@pytest.mark.parametrize(("answer", "kept"), [
    ("It is a bird.", "It is a bird."),
    ("It is a bird. It sings. It flies away in autumn.", "It is a bird. It sings."),
    ("Sure:\n1. Birds\n2. Fish", None),
    ("I am Qwen, made by Alibaba Cloud.", None),
    ("A bird that never", None),
    ("Use `print` for it.", None),
])  # fmt: skip
def test_what_is_kept(answer: str, kept: str | None) -> None:
    assert distil.spoken(answer) == kept


def test_what_was_kept_can_be_spoken() -> None:
    assert len(knowledge.distilled()) > 50
    assert all(distil.spoken(answer) == answer for _, answer in knowledge.distilled())
