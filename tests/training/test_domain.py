"""What Wren is taught makes sense."""

import json
import random
import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.script import NOT_KNOWN, NOT_UNDERSTOOD
from realtime_server.engine.families.wren.words import DIGITS, plain
from realtime_server.training.wren import domain, people, talk, tools
from realtime_server.training.wren.dialogue import Call, Say, dump, undump
from realtime_server.training.wren.lexicon import (
    WORDS,
    common_words,
    free_word,
    invented_word,
    lexicon,
    never_heard,
    open_words,
    rare_words,
)

seeds = st.integers(0, 10**6)


@given(seeds)
def test_utterances_are_speakable_and_calls_are_offered(seed: int) -> None:
    dialogue = domain.sample_text(random.Random(seed))
    if isinstance(dialogue.user, str):
        assert plain(dialogue.user) == dialogue.user != ""
    if isinstance(dialogue.reply, Call):
        (tool,) = {tool for tool in dialogue.tools if tool.name == dialogue.reply.name}
        assert {key for key, _ in dialogue.reply.arguments} <= set(tool.parameters)
        assert all(value for _, value in dialogue.reply.arguments)
    else:
        assert dialogue.reply.text[-1] in ".?!"


@given(seeds)
def test_a_lone_word_is_no_digit_by_another_name(seed: int) -> None:
    dialogue = talk.alone(random.Random(seed))
    said = dialogue.transcript
    assert 1 <= len(said.split()) <= 2
    assert said not in talk.HOMOPHONES
    if dialogue.intent == "nonsense":
        assert dialogue.reply == Say(NOT_UNDERSTOOD)
        assert not (never_heard(said) and said in lexicon())
    if said in DIGITS:
        assert dialogue.reply == Say(f"{said.capitalize()}.")


@given(seeds)
def test_choices_hold_what_was_said(seed: int) -> None:
    rng = random.Random(seed)
    dialogue = tools.with_choices(domain.sample(rng), rng)
    for tool in dialogue.tools:
        assert all(set(values) <= set(map(plain, values)) and key in tool.parameters for key, values in tool.choices)
        if isinstance(dialogue.reply, Call) and dialogue.reply.name == tool.name:
            said = dict(dialogue.reply.arguments)
            assert all(said[key] in values for key, values in tool.choices if key in said)


@given(seeds)
def test_what_is_called_was_said(seed: int) -> None:
    rng = random.Random(seed)
    for intent in (tools.coffee_order, tools.timer, tools.light, tools.weather, tools.contact, tools.made_up):
        dialogue = intent(rng)
        if isinstance(dialogue.reply, Call):
            # One second is said, and seconds is meant.
            assert all(plain(value).removesuffix("s") in str(dialogue.user) for _, value in dialogue.reply.arguments)


@given(seeds)
def test_a_correction_changes_what_was_said_and_nothing_else(seed: int) -> None:
    rng = random.Random(seed)
    for intent in (tools.corrected_order, tools.corrected_light):
        dialogue = intent(rng)
        before = dialogue.history[0].reply
        assert isinstance(before, Call)
        assert isinstance(dialogue.reply, Call)
        changed = set(dialogue.reply.arguments) - set(before.arguments)
        gone = dict(before.arguments).keys() - dict(dialogue.reply.arguments).keys()
        assert len(changed) + len(gone) == 1
        assert all(plain(value) in str(dialogue.user) for _, value in changed)
        assert all(dict(before.arguments)[key].split()[-1] in str(dialogue.user) for key in gone)


@given(seeds)
def test_an_orders_sentence_is_among_those_of_its_slots(seed: int) -> None:
    dialogue = tools.coffee_order(random.Random(seed))
    if isinstance(dialogue.reply, Call):
        user, sentences = str(dialogue.user), people.sentences(dict(dialogue.reply.arguments))
        rest = user.removeprefix(max((said for said in sentences if user.startswith(said)), key=len))
        # Behind it stands at most what is not wanted.
        assert not rest or re.fullmatch(r"( with| and| but)? (no|without) [a-z ]+", rest)
        assert not any(rest.endswith(kind) for key, kind in dialogue.reply.arguments if key in ("milkAmount", "sugarAmount"))


@given(seeds)
def test_facts_are_answered_from_the_instructions_or_not_at_all(seed: int) -> None:
    dialogue = talk.fact(random.Random(seed))
    assert isinstance(dialogue.reply, Say)
    if dialogue.reply.text == NOT_KNOWN:
        assert not any(key in str(dialogue.user).split() for key, _ in dialogue.facts if " " not in key)
    else:
        assert any(dialogue.reply.text == f"The {key} is {value}." for key, value in dialogue.facts)


@given(seeds)
def test_other_facts_change_the_answer_alone(seed: int) -> None:
    rng = random.Random(seed)
    dialogue = talk.fact(rng)
    other = talk.other_facts(dialogue, rng)
    assert replace(other, intent=dialogue.intent, reply=dialogue.reply, facts=dialogue.facts) == dialogue
    assert isinstance(other.reply, Say)
    key = dialogue.reply.text.removeprefix("The ").partition(" is ")[0] if isinstance(dialogue.reply, Say) else ""
    if other.reply.text == NOT_KNOWN:
        assert (other.intent, key in dict(other.facts)) == ("unknown_fact", False)
    else:
        assert (other.intent, other.reply.text) == ("fact", f"The {key} is {dict(other.facts)[key]}.")


@given(seeds, st.integers(0, 3))
def test_history_changes_nothing_else(seed: int, turns: int) -> None:
    rng = random.Random(seed)
    dialogue = domain.sample(rng)
    later = domain.with_history(dialogue, rng, turns)
    assert replace(later, history=dialogue.history) == dialogue
    assert len(later.history) >= turns


@given(seeds)
def test_dialogues_survive_the_disk(seed: int) -> None:
    rng = random.Random(seed)
    dialogue = domain.in_context(domain.sample_text(rng), rng)
    assert undump(json.loads(json.dumps(dump(dialogue)))) == dialogue


def test_words_are_kept_for_the_evaluation() -> None:
    kept = [word for word in lexicon() if never_heard(word)]
    assert 200 < len(kept) < len(lexicon()) / 10
    assert not set(kept) & set(open_words())
    rng = random.Random(0)
    said = {word for _ in range(3000) for word in str(domain.sample(rng).user).split()}
    # A few of them are words of the fixed sentences; those are not free.
    assert len(said & set(kept)) < len(kept) / 4


@given(st.integers(0, 1000))
def test_invented_words_are_in_no_list_and_can_be_spoken(seed: int) -> None:
    word = invented_word(random.Random(seed))
    assert word not in lexicon()
    assert word not in WORDS
    assert word.isalpha()
    assert plain(word) == word
    assert 4 <= len(word) <= 10


def test_free_words_are_of_every_kind_and_never_one_that_is_kept() -> None:
    rng = random.Random(0)
    drawn = [free_word(rng) for _ in range(2000)]
    known = set(lexicon())
    kinds = [sum(map(kind, drawn)) for kind in (WORDS.__contains__, known.difference(WORDS).__contains__)]
    assert min(*kinds, len(drawn) - sum(kinds)) > 300
    assert not any(word in known and never_heard(word) for word in drawn)


def test_rare_words_are_drawn_but_where_only_common_ones_are_wanted() -> None:
    rare = set(rare_words()) - set(WORDS)
    assert not rare.intersection(lexicon())
    assert not any(map(never_heard, rare))
    rng = random.Random(0)
    with common_words():
        assert not rare.intersection(free_word(rng) for _ in range(300))
    assert rare.intersection(free_word(rng) for _ in range(300))
