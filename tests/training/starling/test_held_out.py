"""Nothing that a measure says, or is instructed with, or offers as a tool, is trained on."""

import random
import re

import pytest

from realtime_server.training.starling import held_out, sessions
from realtime_server.training.starling.dialogue import Dialogue, Exchange, Tool, User
from realtime_server.training.starling.measures.coffee import INSTRUCTIONS, ORDER
from realtime_server.training.starling.sets import conversation, questions
from realtime_server.training.starling.sets.spoken import TALKS, TURNS

MANY = 3000


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    rng = random.Random(11)
    return [sessions.sample(rng) for _ in range(MANY)]


def bare(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.casefold()).strip()


def test_no_sentence_of_a_measure_is_said(dialogues: list[Dialogue]) -> None:
    measured = {bare(turn.said) for turn in TURNS}
    assert not measured & {bare(turn.text) for one in dialogues for turn in one.turns if isinstance(turn, User)}


def test_no_tool_of_a_measure_is_offered(dialogues: list[Dialogue]) -> None:
    names = {tool.name.replace("_", "").lower() for talk in TALKS for tool in talk.tools} | {"orderdrink"}
    assert not names & {tool.name.replace("_", "").lower() for one in dialogues for tool in one.tools}
    wanted = set(ORDER.properties)
    assert not any(wanted <= set(tool.parameters["properties"]) for one in dialogues for tool in one.tools)


def test_no_instruction_of_a_measure_is_given(dialogues: list[Dialogue]) -> None:
    """Neither whole ones nor facts of them."""
    given = {part.strip() for one in dialogues for part in re.split(r"(?<=\.)\s+", one.instructions or "")}
    for text in (INSTRUCTIONS, conversation.INSTRUCTIONS, questions.BAKERY, questions.MUSEUM, questions.GYM):
        facts = {" ".join(part.split()) for part in re.split(r"(?<=\.)\s+", text)}
        assert not {fact for fact in facts if len(fact.split()) > 5} & given


@pytest.mark.parametrize(
    "dialogue",
    [
        Dialogue(None, (Tool("setVolume", "", {}),), ()),
        Dialogue(None, (), (Exchange.of("fact", "AND a hexagon", "Six."),)),
        Dialogue("Be kind. Wreaths are made by hand\non every Wednesday. We are open.", (), ()),
        Dialogue(f"{INSTRUCTIONS} Be quick.", (), ()),
    ],
    ids=["a tool", "a sentence", "a fact", "an instruction"],
)
def test_what_touches_a_measure_is_found(dialogue: Dialogue) -> None:
    assert held_out.touches(dialogue)


def test_what_touches_none_is_not_found() -> None:
    """Five words or less in instructions are anybody's."""
    assert not held_out.touches(
        Dialogue("Be brief. Be kind.", (Tool("volumes", "", {}),), (Exchange.of("", "Hello there", "Hi."),))
    )


def test_of_what_is_drawn_little_touches_a_measure() -> None:
    """It is for the tables to keep off them; the guard is the last resort."""
    rng = random.Random(3)
    drawn = [rng.choice((sessions.talking, sessions.calling, sessions.ordering))(rng) for _ in range(600)]
    assert sum(map(held_out.touches, drawn)) < 60
