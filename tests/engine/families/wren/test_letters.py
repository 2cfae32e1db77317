"""The evidence of the letters: how far a transcript is from what was heard, and which of some values was said."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.letters import UNSAID, PrefixScorer, doubt, evidence, likeness, log_likelihoods
from realtime_server.engine.nets.wren import CTC_LETTERS

LABELS = len(CTC_LETTERS) + 1
words = st.text("abcdefgh ", min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)


def sounding_like(text: str, sureness: float, seed: int = 0) -> torch.Tensor:
    """[T, labels] log-probabilities whose likeliest letters are these, a blank before each."""
    labels = [label for letter in text for label in (0, CTC_LETTERS.index(letter) + 1)]
    scores = torch.randn(len(labels), LABELS, generator=torch.Generator().manual_seed(seed)).clamp(-2, 2)
    scores[torch.arange(len(labels)), torch.tensor(labels)] += 4 + sureness
    return scores.log_softmax(-1)


@given(words, st.integers(0, 100))
def test_what_was_heard_is_not_doubted(text: str, seed: int) -> None:
    assert doubt(sounding_like(text, 2.0, seed), text) <= 1e-4


@given(words, words, st.integers(0, 100))
def test_other_words_are_doubted_and_more_so_where_the_sound_is_clear(text: str, other: str, seed: int) -> None:
    if text != other:
        assert doubt(sounding_like(text, 2.0, seed), text) < doubt(sounding_like(text, 2.0, seed), other)
        assert doubt(sounding_like(text, 2.0, seed), other) <= doubt(sounding_like(text, 9.0, seed), other)


def test_nothing_written_is_not_doubted_and_too_much_is() -> None:
    letters = sounding_like("hello", 2.0)
    assert doubt(letters, "") == 0
    assert doubt(letters, "hello there you are") == float("inf")


COLOURS = ["red", "green", "dark blue", "orange"]


@given(st.sampled_from(COLOURS), st.sampled_from(["paint it {} please", "{}", "i want {}"]), st.permutations(COLOURS),
       st.integers(0, 50))  # fmt: skip
def test_the_letters_speak_for_the_value_that_was_said(said: str, sentence: str, options: list[str], seed: int) -> None:
    letters = sounding_like(sentence.format(said), 2.0, seed)
    # The words that were written are others: the letters decide.
    for written in (sentence.format("road"), sentence.format(said)):
        heard = dict(zip(options, evidence(letters, written, options), strict=True))
        assert heard.pop(said) == 0
        assert all(nats < -3 for nats in heard.values())


@given(
    st.sampled_from(COLOURS), st.sampled_from(COLOURS), st.sampled_from(["paint it {} please", "i want {}"]), st.integers(0, 50)
)
def test_what_was_written_is_as_likely_as_what_sounds_likelier(written: str, sounds: str, sentence: str, seed: int) -> None:
    letters = sounding_like(sentence.format(sounds), 2.0, seed)
    heard = dict(zip(COLOURS, evidence(letters, sentence.format(written), COLOURS), strict=True))
    assert heard.pop(written) == heard.pop(sounds, 0.0) == 0
    assert all(nats < -3 for nats in heard.values())


def test_a_part_of_what_was_written_is_not() -> None:
    letters = sounding_like("dark orange please", 2.0)
    part, whole, sounds = evidence(letters, "dark blue please", ["blue", "dark blue", "orange"])
    assert part < -3
    assert whole == sounds == 0


@given(words, st.integers(0, 50))
def test_the_letters_do_not_decide_between_values_that_nobody_said(text: str, seed: int) -> None:
    letters = sounding_like(f"{text} abc", 4.0, seed)
    assert evidence(letters, f"{text} abc", ["zulu tango zulu", "whisky tonic"]) == [0.0, 0.0]
    assert evidence(letters, "", ["abc", "abd"]) == [0.0, 0.0]
    assert evidence(letters, f"{text} abc", ["abc"]) == [0.0]


def test_values_that_are_too_many_or_too_long_are_not_tried() -> None:
    many = [f"{a}{b}{c}" for a in CTC_LETTERS[1:27] for b in CTC_LETTERS[1:27] for c in "abc"]
    assert evidence(sounding_like("a b " * 30, 2.0), "a b " * 30, many) == [0.0] * len(many)
    assert evidence(sounding_like("ab", 2.0), "much too long", ["much too long", "far too long"]) == [0.0, -UNSAID]


@given(st.sampled_from(["milk", "a lot of milk", "a bit of milk", "cream"]), st.integers(0, 9))
def test_where_none_is_tried_the_one_that_stands_there_was_said(said: str, seed: int) -> None:
    options = ["milk", "a lot of milk", "a bit of milk", "cream"]
    letters = sounding_like("whatever", 1.0, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("realtime_server.engine.families.wren.letters.MOST_CELLS", 0)
        heard = dict(zip(options, evidence(letters, f"coffee with {said} please", options), strict=True))
    # What has it as a part may have been misheard.
    assert {option for option, nats in heard.items() if nats == 0.0} == {o for o in options if said in o}
    assert set(heard.values()) == {0.0, -UNSAID}


SPEEDS = ["slow", "fast", "very fast", "off"]


@given(st.sampled_from(SPEEDS), st.sampled_from(["set the fan with speed {}", "speed {} for the fan"]), st.permutations(SPEEDS),
       st.text("bdgklmr", min_size=3, max_size=7), st.integers(0, 50))  # fmt: skip
def test_a_value_is_looked_for_behind_the_name_of_what_it_is_for(
    said: str, sentence: str, options: list[str], written: str, seed: int
) -> None:
    letters = sounding_like(sentence.format(said), 2.0, seed)
    # However unlike the value that was written is to all of them.
    heard = dict(zip(options, evidence(letters, sentence.format(written), options, "set fan", "speed"), strict=True))
    assert heard.pop(said) == 0
    assert all(nats < -3 for nats in heard.values())


@pytest.mark.parametrize(
    ("said", "options"),
    [("a light roast latte", ["light roast", "dark roast", "medium roast"]), ("a large latte with size please", ["large", "small"]),
     ("paint the roast red", ["red", "blue"])],
)  # fmt: skip
@pytest.mark.parametrize("parameter", ["roast", "size", "colour", ""])
def test_what_stands_in_the_transcript_as_it_is_was_said(said: str, options: list[str], parameter: str) -> None:
    heard = evidence(sounding_like(said, 2.0), said, options, "paint", parameter)
    assert heard[0] == 0
    assert all(nats < -3 for nats in heard[1:])


@given(words, st.integers(0, 50))
def test_what_was_said_is_likelier_than_what_was_written(text: str, seed: int) -> None:
    letters = sounding_like(f"{text} abc", 4.0, seed)
    near, far = likeness(letters, f"{text} hhh", ["abc", "gggggg"])
    assert near > 0 > far
    assert likeness(letters, "", ["abc"]) == [-math.inf]
    assert likeness(letters, text, []) == []


@given(words, words, st.integers(0, 100))
def test_a_beginning_is_as_likely_as_it_alone_and_all_that_may_follow(said: str, text: str, seed: int) -> None:
    letters = sounding_like(said, 1.0, seed)
    begun = PrefixScorer.of(letters).extended([0], [text])
    longer = begun.extended([0] * len(CTC_LETTERS), list(CTC_LETTERS))
    assert begun.whole().item() == pytest.approx(log_likelihoods(letters, [text]).item(), abs=1e-2)
    assert begun.nats.item() == pytest.approx(torch.cat([begun.whole(), longer.nats]).logsumexp(0).item())
    assert begun.lengths.item() == len(text)


@given(st.lists(words, min_size=1, max_size=4), st.integers(0, 100), st.data())
def test_texts_are_spelled_in_any_pieces_and_beside_any_others(texts: list[str], seed: int, data: st.DataObject) -> None:
    start = PrefixScorer.of(sounding_like("bad cabbage", 1.0, seed))
    cuts = [data.draw(st.integers(0, len(text))) for text in texts]
    begun = start.extended([0] * len(texts), [text[:cut] for text, cut in zip(texts, cuts, strict=True)])
    order = data.draw(st.permutations(range(len(texts))))
    together = begun.extended(list(order), [texts[n][cuts[n] :] for n in order])
    for row, n in enumerate(order):
        alone = start.extended([0], [texts[n]])
        assert torch.allclose(together.nats[row], alone.nats[0])
        assert torch.allclose(together.whole()[row], alone.whole()[0])
