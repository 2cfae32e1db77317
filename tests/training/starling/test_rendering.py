"""Tokens are the template's, and those that are learned are the assistant's."""

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.training.starling import sessions
from realtime_server.training.starling.dialogue import Call, Calls, Dialogue, Exchange, Results, Say, Tool, User
from realtime_server.training.starling.rendering import rendered, text
from tests.training.starling import tiny

TOKENIZER = tiny.tokenizer()


def decoded(ids: Sequence[int]) -> str:
    return str(TOKENIZER.decode(list(ids)))


def learned(dialogue: Dialogue) -> str:
    made = rendered(TOKENIZER, dialogue)
    return decoded([token for token, flag in zip(made.ids, made.learned, strict=True) if flag])


def test_what_the_assistant_says_is_learned_with_its_end() -> None:
    dialogue = Dialogue("Be kind.", (), (Exchange.of("", "Hi", "Hello", "Bye", "See you"),))
    assert learned(dialogue) == "Hello<|im_end|>See you<|im_end|>"


def test_calls_are_learned_and_their_results_are_not() -> None:
    tool = Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
    turns = (User("Look there"), Calls((Call("look", {"at": "Malmö"}),)), Results(("seen",)), Say("I saw it."))
    told = learned(Dialogue("Be kind.", (tool,), (Exchange("", turns),)))
    assert told == '<tool_call>{"name": "look", "arguments": {"at": "Malmö"}}</tool_call><|im_end|>I saw it.<|im_end|>'


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_what_stands_before_the_first_turn(seed: int) -> None:
    dialogue = sessions.sample(random.Random(seed))
    made = rendered(TOKENIZER, dialogue)
    assert decoded(made.ids) == text(TOKENIZER, dialogue)
    assert decoded(made.ids[made.opening :]).lstrip().startswith("<|im_start|>user")
    assert not any(made.learned[: made.opening])
    assert (dialogue.instructions or "somebody") in decoded(made.ids[: made.opening])
