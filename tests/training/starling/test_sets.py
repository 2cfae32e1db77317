"""The set is what it says: every wanted call fits its schema, no wording occurs twice, nothing of it is trained on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from realtime_server.training.starling.measures.coffee import ORDER
from realtime_server.training.starling.measures.spoken_questions import spread
from realtime_server.training.starling.scoring import answered_rightly, called_rightly, spoken
from realtime_server.training.starling.sets import conversation, questions, requests
from realtime_server.training.starling.sets.spoken import TALKS, TURNS
from realtime_server.training.starling.sets.talks import Call, Talk, Turn

TRAINING = Path(__file__).parents[3] / "realtime_server" / "training"


def choices(value: Any) -> Iterator[Any]:
    """The values that are accepted for it."""
    if isinstance(value, tuple):
        yield from value
    else:
        yield value


def wanted() -> Iterator[tuple[Talk, Turn, Call]]:
    for talk in TALKS:
        for turn in talk.turns:
            for call in turn.calls:
                yield talk, turn, call


def test_every_wanted_call_fits_its_schema() -> None:
    for talk, turn, call in wanted():
        (tool,) = (tool for tool in talk.tools if tool.name == call.name)
        assert set(call.arguments) <= set(tool.properties), turn.said
        for key, accepted in call.arguments.items():
            for value in choices(accepted):
                arguments = {name: next(choices(one)) for name, one in call.arguments.items()} | {key: value}
                Draft202012Validator(tool.schema).validate(arguments)


def test_schemas_are_schemas() -> None:
    for tool in (*requests.HOME, *requests.ERRANDS, *requests.BANK, *requests.SERVICES, *conversation.TOOLS, ORDER):
        Draft202012Validator.check_schema(tool.schema)
        assert set(tool.required) <= set(tool.properties)


def test_no_wording_occurs_twice() -> None:
    said = [spoken(turn.said) for turn in TURNS]
    assert len(set(said)) == len(said)


def test_what_is_said_has_no_digits() -> None:
    """Its letters are the reference of the word errors, and synthesisers read digits each their own way."""
    assert not [turn.said for turn in TURNS if any(letter.isdigit() for letter in turn.said)]


def test_nothing_of_it_stands_in_what_trains() -> None:
    sources = [path for path in TRAINING.rglob("*") if path.suffix in (".py", ".txt", ".json") and "sets" not in path.parts]
    read = "\n".join(" ".join(path.read_text("utf-8").lower().split()) for path in sources)
    long = [turn.said for turn in TURNS if len(turn.said.split()) > 3]
    assert not [said for said in long if said.lower().rstrip(".?!") in read]


def test_the_set_is_as_large_as_it_should_be() -> None:
    assert sum(len(talk.turns) for talk in questions.TALKS) >= 60
    assert len(requests.TALKS) >= 40
    assert len({tool.name for talk in requests.TALKS for tool in talk.tools}) >= 12
    assert len(conversation.TALK.turns) == 40
    letters = len(conversation.INSTRUCTIONS) + len(json.dumps([tool.event for tool in conversation.TOOLS]))
    assert 1800 <= letters / 4.2 <= 2200


def test_tens_of_the_conversation_ask_for_the_same_kinds_of_things() -> None:
    tens = (conversation.FIRST, conversation.SECOND, conversation.THIRD, conversation.FOURTH)
    assert len({tuple(bool(turn.calls) for turn in ten) for ten in tens}) == 1


def test_prompts_tell_what_is_asked() -> None:
    """Facts that the instructions hold are asked as they stand there."""
    for turn in conversation.TALK.turns:
        assert bool(turn.calls) != bool(turn.right), turn.said


@pytest.mark.parametrize("turn", [turn for turn in TURNS if turn.right], ids=lambda turn: turn.said)
def test_an_empty_or_unheard_answer_is_never_right(turn: Turn) -> None:
    assert not answered_rightly(turn, "")
    assert not answered_rightly(turn, "Pardon?")
    if turn.wrong == questions.NOT_HEARD:
        assert not answered_rightly(turn, "Sorry, I did not catch that.")
        assert answered_rightly(turn, "I'm sorry, I don't know.")


def test_wanted_calls_are_right_as_they_are_wanted() -> None:
    for talk in TALKS:
        for turn in talk.turns:
            calls = [
                {"name": call.name, "arguments": json.dumps({key: next(choices(one)) for key, one in call.arguments.items()})}
                for call in turn.calls
            ]
            assert called_rightly(turn.calls, calls)


def test_a_part_of_them_is_of_all_kinds() -> None:
    few = spread(questions.TALKS, 24)
    assert len(few) == 24
    assert {talk.kind for talk in few} == {talk.kind for talk in questions.TALKS}
    assert spread(questions.TALKS, None) == spread(questions.TALKS, 10_000) == questions.TALKS
