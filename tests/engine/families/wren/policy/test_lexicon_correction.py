"""Doubtful words are looked up among the words that there are."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from realtime_server import messages as m
from realtime_server.engine.families.wren.letters import log_likelihoods
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy.lexicon_correction import (
    LexiconCorrection,
    WordList,
    heard_letters,
    heard_there,
)
from realtime_server.engine.families.wren.policy.rescoring import Rescorer
from realtime_server.engine.families.wren.script import REPLY, USER
from realtime_server.engine.families.wren.steps import Try
from tests.engine.families.wren.test_letters import sounding_like
from tests.engine.families.wren.test_model import told, turn
from tests.engine.families.wren.test_transcribing import as_it_was

WORDS = ("stamp", "stone", "future", "false", "falls", "daytime", "campaign", "it's")
KNOWN = WordList(WORDS)
RULE = LexiconCorrection()
word = st.sampled_from(WORDS)


@given(st.text("abcdefgh ", min_size=1, max_size=12), st.integers(0, 100))
def test_the_letters_that_were_heard(text: str, seed: int) -> None:
    heard, moments = heard_letters(sounding_like(text, 4.0, seed))
    assert heard == text
    assert moments == list(range(1, 2 * len(text), 2))


@given(word)
def test_a_word_is_most_like_itself(said: str) -> None:
    assert KNOWN.like(said, 1) == [said]
    assert set(KNOWN.like(said, 99)) == set(WORDS)


def test_a_list_is_read_without_its_notice(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# free to use\nStamp future\nit's été\n")
    assert set(WordList.read(tmp_path / "words.txt").like("stamp", 9)) == {"stamp", "future", "it's", "ete"}
    assert WordList.read(tmp_path / "none.txt").like("stamp", 9) == []


@pytest.mark.usefixtures("unsearched")
def test_what_was_looked_up_is_what_is_answered(tiny_model: WrenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def zebras(
        _: LexiconCorrection, __: Tensor, words: list[tuple[str, float]], *___: Any
    ) -> Generator[Try, list[Tensor], list[tuple[str, float]]]:
        yield from ()
        return [("zebra", logprob) for _, logprob in words]

    monkeypatch.setattr(LexiconCorrection, "corrected", zebras)
    monkeypatch.setattr(Rescorer, "understood", as_it_was)
    for session_id, cuts in (("a", ()), ("b", (700, 9000))):
        outputs = turn(tiny_model, session_id, 1, cuts)
        heard = told(outputs, session_id)[0]
        assert set(heard.split()) == {"zebra"}
        assert next(o.text for _, o in outputs if isinstance(o, m.TranscriptDone)) == heard
        kept = tiny_model.prefixes.kept(session_id)
        assert kept is not None
        words = [USER, *tiny_model.script.encode(heard), REPLY]
        start = kept.ids.index(USER)
        assert kept.ids[start : start + len(words)] == words


def looked_up(letters: Tensor, words: list[tuple[str, float]], known: WordList, context: tuple[str, ...] = ()) -> list[str]:
    """By the letters alone."""

    def likelihoods(texts: list[str]) -> Generator[Try, list[Tensor], Tensor]:
        yield from ()
        return log_likelihoods(letters, texts).double()

    def run() -> Generator[Try, list[Tensor], None]:
        result.extend((yield from RULE.corrected(letters, words, known, dict.fromkeys(context, 0.0), likelihoods)))

    result: list[tuple[str, float]] = []
    assert list(run()) == []
    assert min(p for _, p in words) <= min(p for _, p in result) <= max(p for _, p in result) <= max(p for _, p in words)
    return [word for word, _ in result]


@given(word, word, st.integers(0, 100))
def test_a_doubtful_word_becomes_the_one_that_was_heard(said: str, written: str, seed: int) -> None:
    letters = sounding_like(f"say {said} please", 3.0, seed)
    assert looked_up(letters, [("say", -0.01), (written, -2.0), ("please", -0.01)], KNOWN) == ["say", said, "please"]


def test_what_looks_like_the_written_word_is_tried_where_the_letters_are_far_from_it() -> None:
    tried = list[str]()

    def likelihoods(texts: list[str]) -> Generator[Try, list[Tensor], Tensor]:
        yield from ()
        tried.extend(texts)
        return torch.tensor([float(text == "say future") for text in texts], dtype=torch.double)

    words = [("say", -0.01), ("futur", -2.0)]
    finding = RULE.corrected(sounding_like("say falls", 9.0), words, KNOWN, {}, likelihoods)
    with pytest.raises(StopIteration) as found:
        next(finding)
    assert [word for word, _ in found.value.value] == ["say", "future"]
    assert tried[:2] == ["say futur", "say falls"]
    assert len(set(tried)) == len(tried)


@given(word, st.integers(2, 3), st.integers(0, 100))
def test_two_doubtful_words_become_the_one_that_was_heard(said: str, at: int, seed: int) -> None:
    letters = sounding_like(f"say {said} please", 3.0, seed)
    words = [("say", -0.01), (said[:at], -1.0), (said[at:].replace("'", ""), -2.0), ("please", -0.01)]
    assert looked_up(letters, words, KNOWN) == ["say", said, "please"]


@given(
    st.sampled_from(["new stone", "daytime", "it's a stamp"]), st.lists(st.sampled_from(["fut", "dor"]), min_size=1, max_size=2)
)
def test_doubtful_words_become_the_keyword_that_was_heard(said: str, written: list[str]) -> None:
    letters = sounding_like(f"say {said} please", 6.0)
    words = [("say", -0.01), *((word, -2.0) for word in written), ("please", -0.01)]
    many = tuple(f"{name}{ending}" for name in WORDS for ending in ("", *(f" number {n * 'x'}" for n in range(60))))
    for context in ((said, "old stone"), (said, *many)):
        assert looked_up(letters, words, KNOWN, context) == ["say", *said.split(), "please"]


def test_a_keyword_is_tried_however_far_its_letters_are_if_it_is_worth_as_much() -> None:
    letters = sounding_like("falls", 3.0)
    far = float((log_likelihoods(letters, ["falls"]) - log_likelihoods(letters, ["stamp"]))[0])
    assert far > RULE.far
    for worth, tried in ((0.0, False), (far - RULE.far - 0.5, False), (far - RULE.far + 0.5, True)):
        assert ("stamp" in RULE.alternatives(letters, "falls", WordList(["falls"]), {"stamp": worth})) == tried


@given(word, word, st.integers(0, 100))
def test_a_sure_word_stays(said: str, written: str, seed: int) -> None:
    letters = sounding_like(f"say {said}", 3.0, seed)
    assert looked_up(letters, [("say", -0.01), (written, -0.05)], KNOWN) == ["say", written]


@given(word, word, st.integers(0, 100))
def test_where_any_word_may_follow_a_word_has_to_be_surer(said: str, written: str, seed: int) -> None:
    for behind, becomes in (("say", said), ("call", written)):
        letters = sounding_like(f"{behind} {said}", 3.0, seed)
        assert looked_up(letters, [(behind, -0.25), (written, -0.25)], KNOWN) == [behind, becomes]


@given(st.integers(0, 100))
def test_words_of_the_context_are_known_and_what_nobody_knows_stays(seed: int) -> None:
    letters = sounding_like("call wesołowski".replace("ł", "l"), 3.0, seed)
    words = [("call", -0.01), ("vesoloski", -1.5)]
    assert looked_up(letters, words, WordList(()), ("monika", "wesolowski")) == ["call", "wesolowski"]
    assert looked_up(letters, words, WordList(()), ("monika",)) == ["call", "vesoloski"]


@pytest.mark.parametrize(
    ("heard", "written", "n", "there"),
    [("say tree please", "say three please", 1, "tree"), ("tree please", "three please", 0, "tree"),
     ("say tre", "say three", 1, "tre"), ("", "say", 0, ""), ("repeat after me prepts", "repeat after me prefts", 3, "prepts")],
)  # fmt: skip
def test_where_a_word_was_heard(heard: str, written: str, n: int, there: str) -> None:
    first, last = heard_there(heard, written.split(), n)
    assert heard[first:last] == there
