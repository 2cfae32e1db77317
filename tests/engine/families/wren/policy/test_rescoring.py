"""Other transcripts are weighed as if each stood there alone, and the one is taken that means something."""

from collections.abc import Generator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from realtime_server.engine.families.wren.letters import log_likelihoods
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy import rescoring
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.policy.rescoring import (
    FINALISTS,
    ReplyKind,
    Rescorer,
)
from realtime_server.engine.families.wren.policy.thresholds import ContextualBiasing, InternalLanguageModel, NBest, Rescoring
from realtime_server.engine.families.wren.script import CALL, MARKS, REPLY, SYSTEM, USER
from realtime_server.engine.families.wren.steps import Try
from realtime_server.engine.runtime.steps import FRAME, Stream, Think
from tests.engine.families.wren.test_letters import sounding_like

KNOWN = WordList(["abacus", "apple", "zebra"])
TEXTS = ("say apple", "say abacus", "say zebra please", "apple", "zebra")
shared = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def turn(model: WrenModel, *ids: int) -> Stream:
    """A stream that ends where a transcript begins."""
    stream = Stream(model.slots.take(), [])
    model.runner.run([Think(stream, [*ids, 20, 21, 22])])
    return stream


def rescorer_of(stream: Stream, model: WrenModel, letters: Tensor, known: WordList, keywords: tuple[str, ...] = ()) -> Rescorer:
    return Rescorer(stream, len(stream.ids), model.script, letters, known, keywords)


def result(model: WrenModel, body: Generator[Any, Any, Any]) -> Any:
    answer: Any = None
    while True:
        try:
            step = body.send(answer)
        except StopIteration as end:
            return end.value
        answer = model.runner.run([step])[0]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(len(MARKS), 60), min_size=1, max_size=5)), min_size=1, max_size=5
    )
)
@shared
def test_what_is_tried_is_as_if_alone_and_leaves_no_trace(tiny_model: WrenModel, tried: list[tuple[int, list[int]]]) -> None:
    stream, alone = turn(tiny_model), []
    ways = [(len(stream.ids) - behind, way) for behind, way in tried]
    for at, way in ways:
        other = Stream(tiny_model.slots.take(), [])
        alone.append(tiny_model.runner.run([Think(other, [*stream.ids[:at], *way], every=True)])[0][at:].log_softmax(-1))
        tiny_model.slots.give_back(other.slot)
    before = list(stream.ids)
    # Beside another sequence's step, as in any batch.
    beside = turn(tiny_model)
    found, _ = tiny_model.runner.run([Try(stream, ways), Think(beside, [30])])
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(found, alone, strict=True))
    assert stream.ids == before
    after, expected = tiny_model.runner.run([Think(stream, [30]), Think(turn(tiny_model), [30])])
    assert torch.allclose(after, expected, atol=1e-4)


@given(st.lists(st.sampled_from(TEXTS), min_size=2, max_size=5, unique=True), st.booleans(), st.integers(0, 50))
@shared
def test_how_much_likelier_one_is_depends_on_these_two_alone(
    tiny_model: WrenModel, texts: list[str], written: bool, seed: int
) -> None:
    letters = sounding_like("say apple please", 1.0, seed)
    rescorer = rescorer_of(turn(tiny_model), tiny_model, letters, KNOWN)
    if written:
        tiny_model.runner.run([Think(rescorer._stream, [USER, *tiny_model.script.encode(texts[0])])])
    together = result(tiny_model, rescorer.likelihoods(texts))
    pair = result(tiny_model, rescorer.likelihoods(texts[:2]))
    assert torch.allclose(together[1] - together[0], pair[1] - pair[0], atol=1e-3)


@given(st.integers(0, 50), st.integers(1, 8))
@shared
def test_what_all_end_with_is_weighed_behind_the_likeliest(tiny_model: WrenModel, seed: int, number: int) -> None:
    letters = sounding_like("say apple please", 1.0, seed)
    texts = [
        f"say {word} please please" for word in ("apple", "abacus", "zebra", "appel", "lease", "a", "say", "peas")[:number]
    ]
    rescorer = rescorer_of(turn(tiny_model), tiny_model, letters, KNOWN)
    few = result(tiny_model, rescorer.likelihoods(texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rescoring, "FINALISTS", len(texts))
        every = result(tiny_model, rescorer.likelihoods(texts))
    finals = few.isfinite()
    assert finals.sum() == min(FINALISTS, number)
    assert every.isfinite().all()
    assert torch.allclose(few[finals], every[finals], atol=1e-3)


@given(st.integers(0, 50))
@shared
def test_words_that_nobody_knows_are_less_likely_than_words_of_the_context(tiny_model: WrenModel, seed: int) -> None:
    letters, script = sounding_like("say apple please", 1.0, seed), tiny_model.script
    stream = turn(tiny_model, SYSTEM, *script.encode("wren"), USER, *script.encode("say please"))
    texts, rescorer = ["say appel", "say apple"], rescorer_of(stream, tiny_model, letters, WordList(()))
    listed = rescorer_of(stream, tiny_model, letters, WordList(["apple", "appel"]))
    nobody, everybody = (result(tiny_model, one.likelihoods(texts)) for one in (rescorer, listed))
    # What is in a list is made up for being unexpected, too.
    ways = [[USER, *script.encode(text), REPLY] for text in texts]
    more, less = (result(tiny_model, one._words(0, ways, True)) for one in (listed, rescorer))
    assert torch.allclose(nobody + (Rescoring.unknown - Rescoring.unusual) + more - less, everybody, atol=1e-6)
    # Where nothing is to be repeated or spelled, it makes no difference.
    plain_texts = ["an appel", "an apple"]
    nobody, everybody = (result(tiny_model, one.likelihoods(plain_texts)) for one in (rescorer, listed))
    assert torch.allclose(nobody + (Rescoring.unknown - Rescoring.unusual), everybody, atol=1e-6)
    assert {"say", "please"} <= rescorer.brought_up
    assert "wren" not in rescorer.brought_up
    assert float(rescorer._expected(["say please"], 1.0)) == 0


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5, unique=True), st.integers(0, 50))
@shared
def test_known_words_are_as_likely_as_any_before_they_are_heard(tiny_model: WrenModel, texts: list[str], seed: int) -> None:
    script = tiny_model.script
    ways = [[USER, *script.encode(text), REPLY] for text in texts]
    stream = turn(tiny_model, SYSTEM)
    alone = tiny_model.runner.run([Try(stream, [(len(stream.ids), way[:-1]) for way in ways])])[0]
    frames = torch.randn(4, tiny_model.runner.net.config.width, generator=torch.Generator().manual_seed(seed))
    tiny_model.runner.run([Think(stream, [FRAME] * 4, frames)])
    rescorer = rescorer_of(stream, tiny_model, sounding_like("say apple", 1.0, seed), KNOWN)
    made_up_for = result(tiny_model, rescorer._words(0, ways, True)) - result(tiny_model, rescorer._words(0, ways, False))
    for text, way, logprobs, nats in zip(texts, ways, alone, made_up_for, strict=True):
        words = text.split()
        spelled = [len(script.encode(word)) for word in words]
        of_words = logprobs[range(len(way) - 1), way[1:]].split([*spelled[:-1], spelled[-1] + 1])
        # But for what is in no list, and for what is neither to be repeated nor spelled.
        lost = [float(part.sum()) for word, part in list(zip(words, of_words, strict=True))[1:] if word in KNOWN]
        assert float(nats) == pytest.approx(sum(max(0.0, -InternalLanguageModel.expected - nats) for nats in lost), abs=1e-3)


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5, unique=True), st.booleans(), st.integers(0, 300))
@shared
def test_no_step_is_too_long_for_the_others(tiny_model: WrenModel, texts: list[str], free: bool, most: int) -> None:
    script = tiny_model.script
    ways = [[USER, *script.encode(text), REPLY] for text in texts]
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("say apple", 1.0), KNOWN)
    at_once = result(tiny_model, rescorer._words(0, ways, free))
    lengths, run = list[int](), tiny_model.runner.run

    def measured(steps: list[Try]) -> Any:
        lengths.append(sum(len(way) for _, way in steps[0].ways))
        return run(steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rescoring, "MOST_TRIED", most)
        patch.setattr(tiny_model.runner, "run", measured)
        in_parts = result(tiny_model, rescorer._words(0, ways, free))
    assert torch.allclose(in_parts, at_once, atol=1e-3)
    positions = sum(len(way) - 1 for way in ways)
    assert lengths == ([positions] if not free else [2 * positions] if 2 * positions <= most else [positions, positions])


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=5, unique=True), st.integers(0, 50))
@shared
def test_letters_are_worth_less_where_one_word_was_written(tiny_model: WrenModel, texts: list[str], seed: int) -> None:
    stream, sounds = turn(tiny_model), [sounding_like(said, 2.0, seed) for said in ("say apple", "zebra")]
    first, second = (result(tiny_model, rescorer_of(stream, tiny_model, heard, KNOWN).likelihoods(texts)) for heard in sounds)
    heard = log_likelihoods(sounds[0], texts) - log_likelihoods(sounds[1], texts)
    worth = 1.0 if " " in texts[0] else Rescoring.word_alone
    assert torch.allclose(first - second, worth * heard.double(), atol=1e-3)


@given(
    st.lists(st.sampled_from(["apple", "abacus", "say apple", "zebra please"]), max_size=3, unique=True),
    st.permutations(TEXTS), st.integers(0, 50),
)  # fmt: skip
@shared
def test_keywords_are_likelier_where_they_stand_as_a_whole(
    tiny_model: WrenModel, keywords: list[str], texts: list[str], seed: int
) -> None:
    stream, letters = turn(tiny_model), sounding_like("say apple please", 1.0, seed)
    usual, favoured = (
        result(tiny_model, rescorer_of(stream, tiny_model, letters, KNOWN, likely).likelihoods(texts))
        for likely in ((), tuple(keywords))
    )
    # As little as its letters, where one word was written.
    worth = ContextualBiasing.favoured * (1.0 if " " in texts[0] else Rescoring.word_alone)
    for text, nats in zip(texts, favoured - usual, strict=True):
        taken = {word for keyword in keywords if f" {keyword} " in f" {text} " for word in keyword.split()}
        against = {word: Rescoring.unusual if word in KNOWN else Rescoring.unknown for word in text.split()}
        assert float(nats) == pytest.approx(sum(worth + against[word] for word in text.split() if word in taken), abs=1e-3)


def meant(model: WrenModel, written: str, said: str, reply: ReplyKind, keywords: tuple[str, ...]) -> str:
    """What is taken for this transcript of these sounds, by a model that has this reply to all but `written`."""

    def replies(_: Rescorer, texts: list[list[int]]) -> Generator[Try, list[Tensor], list[ReplyKind]]:
        yield from ()
        return [ReplyKind.REFUSAL if text == model.script.encode(written) else reply for text in texts]

    rescorer = rescorer_of(turn(model), model, sounding_like(said, 9.0), KNOWN, keywords)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rescorer, "_replies", replies)
        return model.script.decode(result(model, rescorer.understood(model.script.encode(written))))


def test_a_short_turn_may_have_been_a_keyword_that_means_nothing_else(tiny_model: WrenModel) -> None:
    keywords = ("abacus", "oranto oranto")
    for keyword in keywords:
        assert meant(tiny_model, "apple", keyword, ReplyKind.REFUSAL, keywords) == keyword
        # On second thoughts nothing is done.
        assert meant(tiny_model, "apple", keyword, ReplyKind.REFUSAL, ()) != keyword


def test_of_many_keywords_those_are_tried_that_were_likely_said(tiny_model: WrenModel) -> None:
    many = tuple(f"{first}{second}" for first in ("stone", "grape", "winter", "cab") for second in map(chr, range(97, 123)))
    for said in ("grapek", "cabz"):
        found = rescorer_of(turn(tiny_model), tiny_model, sounding_like(said, 9.0), KNOWN, many)._likeliest_keywords()
        assert found[0] == said
        assert len(found) == ContextualBiasing.likely
    long = rescorer_of(turn(tiny_model), tiny_model, sounding_like("grape" * 300, 9.0), KNOWN, many)
    assert long._likeliest_keywords() == []


def test_what_is_too_much_to_try_is_not_likely(tiny_model: WrenModel) -> None:
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("say apple", 1.0), KNOWN)
    likely = result(tiny_model, rescorer.likelihoods([f"say {'apple ' * n}" for n in range(60)]))
    assert likely[0] > likely[-1] == -torch.inf


@given(text=st.sampled_from(["say apple", "zebra"]), means=st.sets(st.integers(0, 30), max_size=8), seed=st.integers(0, 20))
@shared
def test_a_reply_in_words_is_worth_so_much_and_no_more(tiny_model: WrenModel, text: str, means: set[int], seed: int) -> None:
    # Which transcripts mean something is drawn here: a random model has one reply to all.
    asked: list[list[int]] = []

    def replies(_: Rescorer, texts: list[list[int]]) -> Generator[Try, list[Tensor], list[ReplyKind]]:
        yield from ()
        asked.extend(texts)
        return [ReplyKind.WORDS if sum(text) % 31 in means else ReplyKind.REFUSAL for text in texts]

    words = tiny_model.script.encode(text)
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("say apple", 1.0, seed), KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rescorer, "_replies", replies)
        chosen = result(tiny_model, rescorer.understood(words))
    # One word alone is compared with others even where it means something.
    if sum(words) % 31 in means and " " in text:
        assert chosen == words
        assert asked == [words]
        return
    likely = result(tiny_model, rescorer.likelihoods([tiny_model.script.decode(ids) for ids in asked[1:]]))
    worth = likely - NBest.meaningless * torch.tensor([sum(ids) % 31 not in means for ids in asked[1:]])
    assert asked[1] == words
    assert chosen == asked[1 + int(worth.argmax())]


@given(st.lists(st.sampled_from(ReplyKind), min_size=len(TEXTS), max_size=len(TEXTS)))
@shared
def test_the_reply_is_told_by_how_it_begins(tiny_model: WrenModel, wanted: list[ReplyKind]) -> None:
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("say apple", 1.0), KNOWN)
    body = rescorer._replies([tiny_model.script.encode(text) for text in TEXTS])
    step = next(body)
    answers = [torch.full((len(way), tiny_model.script.size), -9.0) for _, way in step.ways]
    for (_, way), answer, reply in zip(step.ways, answers, wanted, strict=True):
        at = way.index(REPLY)
        if reply is ReplyKind.REFUSAL:
            answer[range(at, at + len(rescorer._refusal)), rescorer._refusal] = -0.01
        if reply is ReplyKind.CALL:
            answer[at, CALL] = -0.01
    with pytest.raises(StopIteration) as end:
        body.send(answers)
    assert end.value.value == wanted


@pytest.mark.parametrize(
    ("text", "reply"), [("say apple", ReplyKind.WORDS), ("say apple", ReplyKind.CALL), ("apple", ReplyKind.CALL)]
)
def test_what_the_model_would_say_or_do_is_not_thought_over(tiny_model: WrenModel, text: str, reply: ReplyKind) -> None:
    def replies(_: Rescorer, texts: list[list[int]]) -> Generator[Try, list[Tensor], list[ReplyKind]]:
        yield from ()
        return [reply for _ in texts]

    words = tiny_model.script.encode(text)
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("zebra", 3.0), KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rescorer, "_replies", replies)
        assert result(tiny_model, rescorer.understood(words)) == words


def test_what_was_searched_is_not_searched_again(tiny_model: WrenModel) -> None:
    rescorer = rescorer_of(turn(tiny_model), tiny_model, sounding_like("say apple", 1.0), KNOWN)
    sure = [(token, -0.5) for token in tiny_model.script.encode("say")]
    every, behind = result(tiny_model, rescorer.likeliest()), result(tiny_model, rescorer.likeliest(sure))
    assert all(one.tokens[: len(sure)] == [token for token, _ in sure] for one in behind)
    # Nothing is asked of the device.
    for known, found in (((), every), (sure, behind)):
        with pytest.raises(StopIteration) as end:
            next(rescorer.likeliest(known))
        assert end.value.value == found
