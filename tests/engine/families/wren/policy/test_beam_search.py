"""Several transcripts are followed at once, and the likeliest by words and letters is found."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.letters import log_likelihoods
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy import beam_search
from realtime_server.engine.families.wren.policy.beam_search import HORIZON, BeamSearch, Found
from realtime_server.engine.families.wren.policy.rescoring import MOST_TRIED
from realtime_server.engine.families.wren.runner import Answer
from realtime_server.engine.families.wren.script import MARKS, REPLY, USER
from realtime_server.engine.families.wren.steps import Try
from realtime_server.engine.nets.wren import CTC_LETTERS
from realtime_server.engine.runtime.steps import Step, Think
from tests.engine.families.wren.policy.test_rescoring import result, shared, turn
from tests.engine.families.wren.test_letters import sounding_like

SAID = "say apple"


RULE = BeamSearch()


def likely(model: WrenModel, tokens: list[int], letters: torch.Tensor, sure: int = 0, rule: BeamSearch = RULE) -> float:
    """Nats of words, behind those that were sure, and letters."""
    stream = turn(model)
    ((behind,),) = model.runner.run([Try(stream, [(len(stream.ids), [USER, *tokens])])])
    words = behind[range(len(tokens) + 1), [*tokens, REPLY]][sure:].sum()
    text = model.script.decode(tokens)
    return float(words + rule.letters_worth * (log_likelihoods(letters, [text])[0] + rule.each_letter * len(text)))


@given(st.integers(0, 50), st.integers(0, 3), st.booleans(), st.integers(1, 4), st.integers(1, 3))
@shared
def test_each_is_as_likely_as_its_words_and_its_letters(
    tiny_model: WrenModel, seed: int, sure: int, written: bool, horizon: int, at_once: int
) -> None:
    letters, stream = sounding_like(SAID, 1.0, seed), turn(tiny_model)
    at, known = len(stream.ids), [(token, -0.5) for token in tiny_model.script.encode(SAID)[:sure]]
    if written:
        tiny_model.runner.run([Think(stream, [USER, *tiny_model.script.encode("say zebra")])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam_search, "HORIZON", horizon)
        patch.setattr(beam_search, "SETTLED_AT_ONCE", at_once)
        found: list[Found] = result(tiny_model, RULE.search(stream, at, tiny_model.script, letters, known))
    assert 0 < len(found) <= RULE.beam
    for one in found:
        assert list(zip(one.tokens, one.logprobs, strict=True))[:sure] == known
        assert one.likely == pytest.approx(likely(tiny_model, one.tokens, letters, sure), abs=1e-2)
    assert all(a.likely >= b.likely for a, b in pairwise(found))


def test_a_long_turn_costs_no_more_a_token_than_a_short_one(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    tried, run, stream = list[int](), tiny_model.runner.run, turn(tiny_model)

    def counted(steps: list[Step]) -> list[Answer]:
        for step in (step for step in steps if isinstance(step, Try)):
            tried.append(len({(at, *way[:n]) for at, way in step.ways for n in range(1, len(way) + 1)}))
        return run(steps)

    monkeypatch.setattr(tiny_model.runner, "run", counted)
    letters = sounding_like("say apple zebra " * 16, 4.0)
    result(tiny_model, RULE.search(stream, len(stream.ids), tiny_model.script, letters))
    assert len(tried) > 2 * HORIZON
    assert max(tried) <= MOST_TRIED


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("each", [3.0, 90.0])
def test_of_all_transcripts_the_likeliest_is_found(tiny_model: WrenModel, each: float, seed: int) -> None:
    # Of one letter or none: so few can be tried one by one. Where a letter is worth much, one is written.
    rule = BeamSearch(each_letter=each, beam=100, considered=tiny_model.script.size - len(MARKS))
    letters = torch.randn(1, len(CTC_LETTERS) + 1, generator=torch.Generator().manual_seed(seed)).log_softmax(-1)
    pieces = enumerate(tiny_model.script.pieces)
    texts = [[], *([token] for token, piece in pieces if piece.strip() and piece.strip() in CTC_LETTERS)]
    stream = turn(tiny_model)
    found: list[Found] = result(tiny_model, rule.search(stream, len(stream.ids), tiny_model.script, letters))
    assert bool(found[0].tokens) == (each > 3.0)
    assert found[0].likely == pytest.approx(max(likely(tiny_model, tokens, letters, rule=rule) for tokens in texts), abs=1e-3)


def test_what_was_clearly_heard_is_found_though_its_words_are_unlikely(
    tiny_model: WrenModel,
) -> None:
    rule = BeamSearch(letters_worth=1.0, considered=RULE.beam * tiny_model.script.size)
    stream = turn(tiny_model)
    found: list[Found] = result(tiny_model, rule.search(stream, len(stream.ids), tiny_model.script, sounding_like(SAID, 60.0)))
    assert tiny_model.script.decode(found[0].tokens) == SAID
