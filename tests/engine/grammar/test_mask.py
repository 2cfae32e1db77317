"""Masks of a batch are those of each alone, and what is taken back has never been."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.grammar.calls import Allowed, grammar
from realtime_server.engine.grammar.mask import GrammarFault, Masks, Matcher
from realtime_server.engine.grammar.templates import TEMPLATES
from realtime_server.messages import Function
from tests.engine.grammar.schemas import PROMISED
from tests.engine.grammar.writing import CPU, TOKENIZERS, bytes_vocabulary, written

FUNCTIONS = (Function("order", "", PROMISED["Order"]), Function("shapes", "", PROMISED["zod shapes"]))


def matcher(text: bool = False) -> Matcher:
    vocabulary = bytes_vocabulary()
    return Matcher(vocabulary, grammar(TEMPLATES["hermes"], Allowed(FUNCTIONS, text=text), vocabulary))


def masks_along(one: Matcher, tokens: list[int]) -> list[torch.Tensor]:
    """The mask before each token."""
    masks, along = Masks(one.vocabulary, 1, CPU), []
    for token in tokens:
        mask = masks.fill([one])
        assert mask is not None
        along.append(mask[0].clone())
        one.accept([token])
    return along


def equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@given(st.integers(0, 100), st.data())
@settings(max_examples=25)
def test_what_is_taken_back_has_never_been(seed: int, data: st.DataObject) -> None:
    tokens = written(matcher(), seed)
    masks = masks_along(matcher(), tokens)
    assert all(mask[token] for mask, token in zip(masks, tokens, strict=True))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(tokens))] * 2)))
    one = matcher()
    one.accept(tokens[:end])
    one.rollback(end - start)
    assert equal(masks_along(one, tokens[start:]), masks[start:])
    assert one.is_over


def mask(one: Matcher) -> torch.Tensor:
    filled = Masks(one.vocabulary, 1, CPU).fill([one])
    assert filled is not None
    return filled[0]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 40))
@settings(max_examples=25)
def test_rows_of_a_batch_are_as_alone(seeds: list[int], free: int, steps: int) -> None:
    held = [matcher() for _ in seeds]
    for one, seed in zip(held, seeds, strict=True):
        one.accept(written(matcher(), seed)[:steps])
    alone = [mask(one) for one in held]
    rows: list[Matcher | None] = [*held[:free], None, *held[free:]]
    filled = Masks(bytes_vocabulary(), 8, CPU).fill(rows)
    assert filled is not None
    assert filled.shape == (len(rows), bytes_vocabulary().size)
    assert filled[rows.index(None)].all()
    assert equal([row for row, one in zip(filled, rows, strict=True) if one], alone)


def test_no_grammar_no_mask() -> None:
    assert Masks(bytes_vocabulary(), 2, CPU).fill([None, None]) is None


def test_a_draft_is_taken_as_far_as_it_is_allowed() -> None:
    tokens, other = written(matcher(), 1), bytes_vocabulary().special["[TOOL_CALLS]"]
    one = matcher()
    before = masks_along(matcher(), tokens[:1])
    assert one.allowed([*tokens[:5], other, *tokens[5:]]) == 5
    assert equal(masks_along(one, tokens[:1]), before)


def test_what_is_forced_may_come_next() -> None:
    one = matcher()
    one.accept([one.vocabulary.special["<tool_call>"]])
    forced = one.forced()
    assert TOKENIZERS["byte-level"]().decode(forced).startswith('\n{"name":')
    assert one.allowed(forced) == len(forced)


def test_an_end_ends_it_and_can_be_taken_back() -> None:
    one = matcher(text=True)
    assert one.may_end
    one.accept(one.vocabulary.ends)
    assert one.is_over
    one.rollback(1)
    assert not one.is_over
    assert one.may_end


def test_a_row_that_broke_may_only_end_and_disturbs_no_other() -> None:
    broken, well = matcher(), matcher()
    with pytest.raises(GrammarFault):
        broken.accept([broken.vocabulary.special["[TOOL_CALLS]"]])
    well_alone = masks_along(matcher(), written(matcher(), 1)[:1])
    broken.matcher.consume_token(broken.vocabulary.special["[TOOL_CALLS]"])
    assert broken.fault
    filled = Masks(well.vocabulary, 2, CPU).fill([broken, well])
    assert filled is not None
    assert filled[0].nonzero().flatten().tolist() == list(well.vocabulary.ends)
    assert torch.equal(filled[1], well_alone[0])


def test_what_is_no_grammar_is_told() -> None:
    with pytest.raises(GrammarFault):
        Matcher(bytes_vocabulary(), "start: /(/")
