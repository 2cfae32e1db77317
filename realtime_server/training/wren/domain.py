"""What Wren can talk about: a generator of dialogues, each a context, a user utterance and the right reply.

Above: `synthesis` speaks the utterances, `dataset` turns them into tensors. This file knows words only, no sound.
A new intent is one function in `talk` or `tools` that returns a `Dialogue`, added to `INTENTS` with a weight.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from realtime_server.training.wren import talk, tools
from realtime_server.training.wren.dialogue import Call, Dialogue, Result, Say, Turn
from realtime_server.training.wren.lexicon import NAMES, free_words

Intent = Callable[[random.Random], Dialogue]
INTENTS: tuple[tuple[Intent, float], ...] = (
    *((intent, 1.0) for intent in talk.SMALL_TALK), (talk.who_are_you, 1.5), (talk.capital, 5), (talk.and_capital, 1.5),
    (talk.count, 3), (talk.arithmetic, 8), (talk.digits, 13), (talk.repeat, 18), (talk.spell, 5), (talk.fact, 7),
    (talk.nonsense, 5), (talk.foreign, 8), (tools.coffee_order, 20), (tools.weather, 4), (tools.timer, 4), (tools.light, 4),
    (tools.contact, 3), (tools.made_up, 16), (tools.corrected_order, 4), (tools.and_weather, 1.5),
    (tools.corrected_timer, 1.5), (tools.corrected_light, 1.5),
)  # fmt: skip

OPEN: tuple[tuple[Intent, float], ...] = (
    (talk.repeat, 30), (talk.spell, 8), (talk.digits, 26), (talk.arithmetic, 6), (talk.fact, 8), (talk.nonsense, 8),
    (talk.foreign, 12), (tools.made_up, 20), (tools.contact, 3), (tools.coffee_order, 6), (tools.timer, 3),
)  # fmt: skip
"""Intents that take any word or number, and what must be refused: of these no number of examples is enough."""
NAMED = ("greeting", "who_are_you")
"""Intents whose reply holds the name; in all others it is drawn anew."""
FACTUAL = ("fact", "unknown_fact")
"""Intents that depend on the facts."""
TOOL_FREE = (
    "greeting", "how_are_you", "who_are_you", "abilities", "thanks", "goodbye", "fine", "capital", "and_capital", "count",
    "arithmetic", "digits", "repeat", "spell", "fact", "unknown_fact", "nonsense", "foreign", "silence",
)  # fmt: skip
"""Intents in which the tools must not matter, and so are drawn at random."""


def sample(rng: random.Random, intents: tuple[tuple[Intent, float], ...] = INTENTS) -> Dialogue:
    """One dialogue whose user turn can be spoken."""
    makers, weights = zip(*intents, strict=True)
    return rng.choices(makers, weights)[0](rng)


def sample_text(rng: random.Random) -> Dialogue:
    """One dialogue for text-only training: spoken ones and the turns after a function call."""
    if rng.random() < 0.25:
        return tools.spoken_result(rng)
    while (dialogue := sample(rng)).intent == "foreign":
        pass
    return dialogue


def in_context(dialogue: Dialogue, rng: random.Random) -> Dialogue:
    """Another name, other facts, tools and choices where they do not matter, and sometimes turns before this one."""
    if dialogue.intent in TOOL_FREE:
        dialogue = replace(dialogue, tools=tools.some_tools(rng))
    if dialogue.intent == "own":
        dialogue = replace(dialogue, tools=tools.some_tools(rng, *dialogue.tools))
    if dialogue.intent not in NAMED:
        dialogue = replace(dialogue, name=rng.choice(NAMES))
    if dialogue.intent not in FACTUAL:
        dialogue = replace(dialogue, facts=talk.some_facts(rng))
    dialogue = tools.with_choices(dialogue, rng)
    turns = rng.choice((0, 0, 0, 0, 0, 1, 1, 2))
    return with_history(dialogue, rng, turns) if turns else dialogue


def with_history(dialogue: Dialogue, rng: random.Random, turns: int) -> Dialogue:
    """The same dialogue after up to `turns` unrelated turns: what came before must not change the reply."""
    past: list[Turn] = []
    for _ in range(turns):
        other = sample_text(rng)
        past += other.history
        past.append(Turn(other.user, other.reply))
        if isinstance(other.reply, Call):
            past.append(Turn(Result("ok"), Say(tools.done_words(other))))
    return replace(dialogue, history=(*past, *dialogue.history))


def spoken_texts(rng: random.Random, number: int) -> list[str]:
    """Different sentences that Wren must be able to say: its replies, and free words so that it learns letters.

    A larger number begins with the same ones.
    """
    texts: dict[str, None] = {}
    while len(texts) < number:
        if rng.random() < 0.3:
            texts[free_words(rng, 6).capitalize() + "."] = None
            continue
        reply = sample_text(rng).reply
        if isinstance(reply, Say) and len(reply.text) < 90:
            texts[reply.text] = None
    return list(texts)
