"""Keywords are tried where they may begin, the likeliest first, and stand where they are likely enough."""

import math

import torch

from realtime_server.engine.ears.keywords import BIAS, TRIED, Keywords
from tests.engine.ears.tiny import vocabulary

WORDS = vocabulary()


def place(**logprobs: float) -> torch.Tensor:
    """Log-probabilities of some letters; nothing else is likely. `_` is a space."""
    told = torch.full((WORDS.size,), -30.0)
    for letter, logprob in logprobs.items():
        told[WORDS.encode(letter.replace("_", " "))[0]] = logprob
    return told


def test_each_may_begin_a_sentence() -> None:
    keywords = Keywords.of(["latte", "", " Ada "], WORDS)
    written = {WORDS.text(tokens) for listed in keywords.tree.values() for tokens in listed}
    assert written == {" latte", " Latte", " Ada"}


def test_none_begins_where_its_first_token_is_unlikely() -> None:
    keywords = Keywords.of(["latte"], WORDS)
    assert list(Keywords().may_begin(place(_=0.0))) == []
    assert list(keywords.may_begin(place(_=-BIAS - 1))) == []
    assert [WORDS.text(tokens) for tokens in keywords.may_begin(place(_=-0.1))] == [" latte", " Latte"]


def test_few_are_tried() -> None:
    keywords = Keywords.of([f"word {n}" for n in range(10)], WORDS)
    assert len(list(keywords.may_begin(place(_=0.0)))) == TRIED


def test_one_stands_where_all_of_it_is_likely_enough() -> None:
    assert Keywords.said(torch.tensor([-1.0, -0.5]))
    assert not Keywords.said(torch.tensor([-1.0, -0.5, -BIAS]))
    assert not Keywords.said(torch.tensor([-math.inf]))
