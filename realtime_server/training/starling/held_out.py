"""What the measures ask is never trained on: a dialogue that touches it is drawn again."""

import functools
import re

from realtime_server.training.starling.dialogue import Dialogue, User
from realtime_server.training.starling.measures import typed
from realtime_server.training.starling.measures.coffee import INSTRUCTIONS, ORDER
from realtime_server.training.starling.sets.spoken import TALKS, TURNS


def plain(text: str) -> str:
    """Small letters, without marks."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "")))


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@functools.cache
def names() -> frozenset[str]:
    """Of the measures' tools."""
    spoken = {tool.name for talk in TALKS for tool in talk.tools}
    written = {tool.name for question in typed.asked() for tool in question.tools}
    return frozenset(map(snake_case, {*spoken, *written, ORDER.name}))


@functools.cache
def sentences() -> frozenset[str]:
    """What is said in the measures, aloud or in writing."""
    written = {said for question in typed.asked() for said in question.said if isinstance(said, str)}
    return frozenset(map(plain, {*(turn.said for turn in TURNS), *written}))


@functools.cache
def instructions() -> frozenset[str]:
    """Sentences of the measures' instructions, but for short ones, in which anybody asks to be brief."""
    texts = {INSTRUCTIONS, *(talk.instructions for talk in TALKS)}
    parts = {plain(part) for text in texts for part in _parts(text)}
    return frozenset(part for part in parts if len(part.split()) > 5)


def _parts(text: str) -> list[str]:
    """Its sentences."""
    return re.split(r"(?<=[.:!?])\s+", text)


def touches(dialogue: Dialogue) -> bool:
    """Whether it offers a tool of a measure, says a sentence of one, or is instructed by one."""
    return (
        any(snake_case(tool.name) in names() for tool in dialogue.tools)
        or any(plain(turn.text) in sentences() for turn in dialogue.turns if isinstance(turn, User))
        or any(plain(part) in instructions() for part in _parts(dialogue.instructions or ""))
    )
