"""A reply states what the instructions say, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.policy.thresholds import FactGrounding
from realtime_server.engine.families.wren.script import NOT_KNOWN, NOT_UNDERSTOOD

TOLD = {"owner": "kate", "opening hours": "nine to five", "day": "saturday"}
keys = st.sampled_from(sorted(TOLD))
words = st.lists(st.sampled_from("red gate owner hours team price day of".split()), min_size=1, max_size=4).map(" ".join)


def decided(facts: Facts, reply: str, sure: bool = False) -> str | None:
    """What `instead` says of the first beginning of the reply that can be decided about."""
    for end in range(1, len(reply) + 1):
        if not facts.undecided(reply[:end]):
            return facts.instead(reply[:end], sure)
    return None


@given(keys, words, words)
def test_what_is_stated_of_a_fact_is_what_was_told(key: str, value: str, said: str) -> None:
    assert decided(Facts(TOLD, f"what is the {said}"), f"The {key} is {value}.") == f"The {key} is {TOLD[key]}."


@given(words, st.sampled_from(["what is the {}", "tell me the {}"]))
def test_what_nobody_told_is_not_known_however_it_is_put(key: str, asked: str) -> None:
    if any(f" {known} " in f" {asked.format(key)} " for known in TOLD):
        return
    facts = Facts(TOLD, asked.format(key))
    assert decided(facts, f"The {key} is kate.") == NOT_KNOWN
    assert decided(facts, NOT_KNOWN) == NOT_KNOWN


@given(keys)
def test_what_was_told_is_neither_denied_nor_mistaken_for_another(key: str) -> None:
    facts = Facts(TOLD, f"do you know the {key}")
    assert decided(facts, NOT_KNOWN) == decided(facts, "The team is red.") == f"The {key} is {TOLD[key]}."


@pytest.mark.parametrize(
    "reply",
    [NOT_UNDERSTOOD, "Sorry, I can not do that.", "The capital of France is Paris.", "Three plus four is seven.", "Hello!",
     "Their owner is red.", "The" + " very" * FactGrounding.longest_key + " long.", "S, O, R, R, Y."],
)  # fmt: skip
def test_other_replies_go_on_as_they_are(reply: str) -> None:
    assert decided(Facts(TOLD, "what is the owner"), reply) is None


@given(st.sampled_from(["say", "please say", "repeat after me"]), keys, words, words)
def test_what_a_user_wants_repeated_is_repeated(order: str, key: str, value: str, other: str) -> None:
    for said in (f"the {key} is {value}", f"{value} {other}"):
        for facts in (Facts(TOLD, f"{order} {said}"), Facts({}, f"{order} {said}")):
            for wrong in (f"{said.capitalize()}ing.", f"{said[0].upper()}z {other}."):
                assert decided(facts, wrong) == f"{said.capitalize()}."
            assert facts.instead(said.capitalize()[: len(said) // 2], sure=True) == f"{said.capitalize()}."
            # What is right goes on, with whatever follows; so does what is no repetition.
            for right in (f"{said.capitalize()}.", f"{said.capitalize()}, {other}!", "I know a lot.", NOT_UNDERSTOOD):
                assert decided(facts, right) is None
    assert decided(Facts({}, "repeat the number two three"), "Two three.") is None


def test_a_sentence_that_the_model_was_taught_goes_on_unless_it_hesitated() -> None:
    facts = Facts(TOLD, "are you open")
    assert decided(facts, "The shop is open.", sure=True) is None
    assert decided(facts, "The shop is open.", sure=False) == NOT_KNOWN


@given(st.floats(-20, 0), st.floats(-20, 0))
def test_a_key_that_was_misheard_is_known_by_its_letters(owner: float, day: float) -> None:
    near = {"owner": owner, "opening hours": -30.0, "day": day}
    facts = Facts(TOLD, "what is the oar", lambda options: [near[option] for option in options])
    likelier = "owner" if owner >= day else "day"
    assert decided(facts, NOT_KNOWN) == (f"The {likelier} is {TOLD[likelier]}." if near[likelier] > -4 else NOT_KNOWN)


@given(st.text("abcdez", min_size=2, max_size=6), st.text("ABCDEZ", min_size=2, max_size=6), st.booleans())
def test_what_is_spelled_is_the_word_that_was_said(word: str, letters: str, polite: bool) -> None:
    said = f"can you spell {word}" + " please" * (polite and letters[0] == word[0].upper())
    reply = ", ".join(letters) + "."
    assert decided(Facts({}, said), reply) == ", ".join(word.upper()) + "."
    assert decided(Facts({}, f"say {word}"), reply) is None
    assert decided(Facts({}, "can you spell"), reply) is None
