"""What counts as right: numbers however they are written, strings however they are spelled, calls in any order."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.words import number_in_words
from realtime_server.training.starling.measures.digits import DIGITS, read_back
from realtime_server.training.starling.scoring import (
    answered_rightly,
    called_rightly,
    same_arguments,
    spoken,
    transcript_errors,
)
from realtime_server.training.starling.sets.talks import Call, Turn

words = st.text("abcdefgh", min_size=1, max_size=5)
sentences = st.lists(words, min_size=1, max_size=6).map(" ".join)
values = st.one_of(sentences, st.integers(-99, 99), st.booleans())
arguments = st.dictionaries(words, values, max_size=3)
calls = st.builds(Call, words, arguments)


def made(call: Call) -> dict[str, Any]:
    return {"name": call.name, "arguments": json.dumps(call.arguments)}


@given(st.integers(0, 100_000))
def test_a_number_is_the_same_in_digits_and_in_words(number: int) -> None:
    assert transcript_errors(f"it costs {number_in_words(number)} dollars", f"It costs {number} dollars.")[0] == 0


@given(sentences)
def test_punctuation_and_capitals_are_no_errors(sentence: str) -> None:
    assert transcript_errors(sentence, f"{sentence.capitalize()}!") == (0, len(spoken(sentence).split()))


@given(sentences)
def test_nothing_heard_is_every_word_wrong(sentence: str) -> None:
    errors, said = transcript_errors(sentence, "")
    assert errors == said == len(spoken(sentence).split())


@pytest.mark.parametrize(("said", "heard", "errors"), [
    ("Add dish soap, please.", "Add dishsoap please", 0), ("My newspaper is late.", "My news paper is late", 0),
    ("What's the time?", "What is the time", 0), ("My favorite color", "my favourite colour", 0),
    ("Lock the back door.", "Look at the back door.", 2), ("a twenty percent raise", "a 20% raise", 0),
])  # fmt: skip
def test_what_is_said_alike_is_heard_alike(said: str, heard: str, errors: int) -> None:
    assert transcript_errors(said, heard)[0] == errors


@pytest.mark.parametrize(("answer", "right"), [
    ("It is 42.", True), ("Forty-two!", True), ("forty two dollars", True), ("142", False), ("42.5", False), ("Forty.", False), ("", False),
    ("42, or maybe 43", False),
])  # fmt: skip
def test_an_answer_is_right_by_whole_words(answer: str, right: bool) -> None:
    assert answered_rightly(Turn("", ("42|forty two",), "43|forty three"), answer) is right


@given(st.integers(0, 9999), st.integers(0, 9999))
def test_a_number_is_no_part_of_another(wanted: int, said: int) -> None:
    turn = Turn("", (f"{wanted}|{number_in_words(wanted)}",))
    assert answered_rightly(turn, f"It is {number_in_words(said)} dollars.") is (wanted == said)


@given(sentences)
def test_each_pattern_has_to_be_found(answer: str) -> None:
    first = answer.split()[0]
    assert answered_rightly(Turn("", (first,)), answer)
    assert not answered_rightly(Turn("", (first, "xyz")), answer)
    assert not answered_rightly(Turn("", (first,), first), answer)


@given(st.lists(calls, max_size=3), st.randoms())
def test_calls_are_right_in_any_order_and_each_counts_once(wanted: list[Call], rng: Any) -> None:
    got = [made(call) for call in wanted]
    rng.shuffle(got)
    assert called_rightly(tuple(wanted), got)
    assert not called_rightly(tuple(wanted), [*got, {"name": "another", "arguments": "{}"}])
    assert not wanted or not called_rightly(tuple(wanted), got[1:])


@given(arguments, words)
def test_an_argument_too_many_is_wrong_and_null_is_none(wanted: dict[str, Any], key: str) -> None:
    more = {f"not {key}": 1, **wanted}
    assert same_arguments(wanted, json.dumps(wanted | {f"not {key}": None}))
    assert not same_arguments(wanted, json.dumps(more))
    assert not same_arguments(more, json.dumps(wanted))


@pytest.mark.parametrize(("wanted", "got", "same"), [
    ("Grand Hotel", "the grand hotel", True), ("two eggs", "2 eggs", True), ("back", "front", False), (19, 19.0, True), (19, "19", False),
    (True, 1, False), (1, True, False), (("egg", "eggs"), "Eggs", True), (["a b", "c d"], ["c d", "a b"], True),
    (["ab"], ["ab", "cd"], False), (["ab"], "ab", False),
])  # fmt: skip
def test_values(wanted: Any, got: Any, same: bool) -> None:
    assert same_arguments({"key": wanted}, json.dumps({"key": got})) is same


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_what_is_no_object_is_no_arguments(text: str) -> None:
    assert not same_arguments({}, text)


@given(st.integers(0, 9))
def test_a_digit_is_read_back_alone(digit: int) -> None:
    assert read_back(f"{digit}.", DIGITS[digit])
    assert read_back(f"You said {DIGITS[digit]}, {digit}.", DIGITS[digit])
    assert not read_back(f"{digit} or {(digit + 1) % 10}", DIGITS[digit])
    assert not read_back("Sorry?", DIGITS[digit])
