"""What the measures ask is never trained on: a dialogue that touches it is drawn again."""

import functools
import re

from realtime_server.training.starling.dialogue import Dialogue, User
from realtime_server.training.starling.measures.coffee import ORDER
from realtime_server.training.starling.sets.spoken import TALKS, TURNS


def plain(text: str) -> str:
    """Small letters, without marks."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "")))


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@functools.cache
def names() -> frozenset[str]:
    """Of the measures' tools."""
    return frozenset(snake_case(tool.name) for talk in TALKS for tool in talk.tools) | {snake_case(ORDER.name)}


@functools.cache
def sentences() -> frozenset[str]:
    """What is said in the measures, but for what anybody says, in three words or less."""
    said = {plain(turn.said) for turn in TURNS}
    return frozenset(sentence for sentence in said if len(sentence.split()) > 3)


def touches(dialogue: Dialogue) -> bool:
    """Whether it offers a tool of a measure or says a sentence of one."""
    return any(snake_case(tool.name) in names() for tool in dialogue.tools) or any(
        plain(turn.text) in sentences() for turn in dialogue.turns if isinstance(turn, User)
    )
