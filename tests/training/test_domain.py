"""What Wren is taught makes sense."""

import random

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.wren.words import plain
from realtime_server.training.wren import domain, people

seeds = st.integers(0, 10**6)


@given(seeds)
def test_utterances_are_speakable_and_calls_are_offered(seed: int) -> None:
    dialogue = domain.sample_text(random.Random(seed))
    if isinstance(dialogue.user, str):
        assert plain(dialogue.user) == dialogue.user != ""
    if isinstance(dialogue.reply, domain.Call):
        assert dialogue.reply.name in dialogue.tools
        assert all(value for _, value in dialogue.reply.arguments)
    else:
        assert dialogue.reply.text[-1] in ".?!"


@given(seeds)
def test_what_is_called_was_said(seed: int) -> None:
    dialogue = domain.coffee_order(random.Random(seed))
    if isinstance(dialogue.reply, domain.Call):
        assert all(value in dialogue.user for _, value in dialogue.reply.arguments)


@given(seeds)
def test_an_orders_sentence_is_among_those_of_its_slots(seed: int) -> None:
    dialogue = domain.coffee_order(random.Random(seed))
    if isinstance(dialogue.reply, domain.Call):
        assert dialogue.user in people.sentences(dict(dialogue.reply.arguments))


@given(seeds, st.integers(0, 3))
def test_history_changes_nothing_else(seed: int, turns: int) -> None:
    rng = random.Random(seed)
    dialogue = domain.sample(rng)
    later = domain.with_history(dialogue, rng, turns)
    assert (later.user, later.reply, later.tools) == (dialogue.user, dialogue.reply, dialogue.tools)
    assert len(later.history) >= turns
