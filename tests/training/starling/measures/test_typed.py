"""Answers are judged by what they say and by the calls they make."""

import json
from collections.abc import Sequence

import jsonschema
import pytest

from realtime_server.training.starling.dialogue import Calls, Dialogue, Results, Say, User
from realtime_server.training.starling.measures import typed
from realtime_server.training.starling.measures.typed import Asked

SAYS = Asked("", None, (), ("How much?",), says=r"\bnine\b", never="sorry")
CALLS = Asked("", None, (), ("Go",), calls=({"name": "go", "arguments": {"to": ["Rome", "Roma"], "fast": True}},))


def call(**arguments: object) -> str:
    return f"<tool_call>\n{json.dumps({'name': 'go', 'arguments': arguments})}\n</tool_call>"


@pytest.mark.parametrize(("question", "written", "right"), [
    (SAYS, "It is nine.", True), (SAYS, "It is ninety.", False), (SAYS, "Sorry, nine.", False), (SAYS, "", False),
    (SAYS, "nine " * 60, False), (SAYS, "1. nine\n2. ten", False), (SAYS, "**nine**", False), (SAYS, "I am Qwen and say nine.", False),
    (SAYS, "nine" + call(to="Rome", fast=True), False),
    (CALLS, call(to="rome", fast=True), True), (CALLS, call(to="Roma", fast=True), True), (CALLS, call(to="Rome"), False),
    (CALLS, call(to="Rome", fast=1), False), (CALLS, call(to="Rome", fast=True, why=""), False), (CALLS, "I am going.", False),
    (CALLS, call(to="Rome", fast=True) * 2, False), (CALLS, '```json\n{"name": "go", "arguments": {"to": "Rome", "fast": true}}\n```', True),
    (CALLS, "<tool_call>\n{go}\n</tool_call>", False),
])  # fmt: skip
def test_judging(question: Asked, written: str, right: bool) -> None:
    assert typed.right(question, written) == right


def test_what_is_wanted_fits_the_schemas() -> None:
    for question in typed.asked():
        schemas = {tool.name: tool.parameters for tool in question.tools}
        for wanted in question.calls:
            first = {key: value[0] if isinstance(value, list) else value for key, value in wanted["arguments"].items()}
            jsonschema.validate(first, {**schemas[wanted["name"]], "additionalProperties": False})
        assert question.calls or question.says


class Recorder:
    """Writes the number of turns that it was shown."""

    def __init__(self) -> None:
        self.shown: list[Dialogue] = []

    def __call__(self, talks: Sequence[Dialogue]) -> list[str]:
        self.shown += talks
        return [str(len(talk.turns)) for talk in talks]


def test_each_answer_stands_in_the_conversation_that_goes_on() -> None:
    recorder = Recorder()
    told = {"call": {"name": "go", "arguments": {"to": "Rome"}}, "output": "ok"}
    questions = [Asked("a", "Be kind.", (), ("One", "Two"), says="3"), Asked("b", None, (), ("Go", told), says="^3$")]
    result = typed.measured(recorder, questions)
    assert result["right"] == {"a": "1 of 1", "b": "1 of 1"}
    assert recorder.shown[-1].turns == (User("One"), Say("1"), User("Two"))
    assert [type(turn) for turn in recorder.shown[1].turns] == [User, Calls, Results]
