"""Dialogues come from their seed alone, every call fits what was declared, and no wording of a measure is among them."""

import json
import random
import re
from itertools import pairwise

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.training.starling import arithmetic, held_out, sessions
from realtime_server.training.starling.dialogue import Calls, Dialogue, Exchange, Results, Say, Tool, User
from realtime_server.training.starling.measures import typed
from realtime_server.training.starling.tables import FOLDER

SEEDS = st.integers(0, 2**32)
UNSPEAKABLE = re.compile(r"[*#`<>{}\[\]|]|^\d\. |\n|Alibaba|OpenAI|Qwen|ChatGPT|\.\.|  ")


def sampled(count: int, seed: int = 0) -> list[Dialogue]:
    rng = random.Random(seed)
    return [sessions.sample(rng) for _ in range(count)]


@given(SEEDS)
@settings(max_examples=30)
def test_one_seed_makes_one_dialogue(seed: int) -> None:
    assert sessions.sample(random.Random(seed)) == sessions.sample(random.Random(seed))


@given(SEEDS)
@settings(max_examples=100)
def test_every_call_fits_its_schema_and_is_answered(seed: int) -> None:
    dialogue = sessions.sample(random.Random(seed))
    schemas = {tool.name: tool.parameters for tool in dialogue.tools}
    for turn, after in pairwise((*dialogue.turns, None)):
        if isinstance(turn, Calls):
            for call in turn.calls:
                jsonschema.validate(call.arguments, {**schemas[call.name], "additionalProperties": False})
            assert isinstance(after, Results)
            assert len(after.outputs) == len(turn.calls)


@given(SEEDS)
@settings(max_examples=100)
def test_turns_alternate_and_answers_can_be_spoken(seed: int) -> None:
    dialogue = sessions.sample(random.Random(seed))
    for exchange in dialogue.exchanges:
        kinds = [type(turn) for turn in exchange.turns]
        assert kinds[0] is User
        assert kinds[-1] is Say
        assert all((kind in (User, Results)) != (after in (User, Results)) for kind, after in pairwise(kinds))
    for turn in dialogue.turns:
        if isinstance(turn, Say):
            assert 0 < len(turn.text.split()) <= 60
            assert not UNSPEAKABLE.search(turn.text), turn.text


def test_what_nobody_said_stands_in_no_argument() -> None:
    """A string of an argument was said by the user, if not as a time of day or as one of a choice. (How orders say a choice,
    `test_orders` holds.)"""
    for dialogue in sampled(300):
        schemas = {tool.name: tool.parameters["properties"] for tool in dialogue.tools}
        said = ""
        for turn in dialogue.turns:
            if isinstance(turn, User):
                said += turn.text.casefold() + "\n"
            elif isinstance(turn, Calls):
                for call in turn.calls:
                    for key, value in call.arguments.items():
                        choice = "enum" in schemas[call.name][key]
                        if isinstance(value, str) and not choice and not re.fullmatch(r"\d\d:\d\d", value):
                            words = re.sub(r"[,.]", "", value.replace("_", " ").casefold())
                            assert words in re.sub(r"[,.]", "", said), (value, said)


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def test_no_wording_of_a_measure_is_trained() -> None:
    """Neither its questions of three words or more nor its instructions nor its tools; single greetings are everybody's."""
    asked = typed.asked()
    questions = {plain(said) for question in asked for said in question.said if isinstance(said, str)}
    questions = {question for question in questions if len(question.split()) > 2}
    instructions = {sentence for q in asked for sentence in re.split(r"(?<=\.) ", q.instructions or "") if len(sentence) > 40}
    names = {tool.name for question in asked for tool in question.tools}
    for dialogue in sampled(1500):
        assert not questions & {plain(turn.text) for turn in dialogue.turns if isinstance(turn, User)}
        assert not any(sentence in (dialogue.instructions or "") for sentence in instructions)
        assert not names & {tool.name for tool in dialogue.tools}


def test_nothing_that_is_spoken_in_a_measure_is_trained() -> None:
    rng = random.Random(1)
    made = [sessions.ordering(rng) for _ in range(20)] + [sessions.calling(rng) for _ in range(400)]
    assert any(map(held_out.touches, made))
    assert not any(map(held_out.touches, sampled(1500, seed=2)))
    tools = (Tool("setVolume", "", {}),), (Tool("setVolumes", "", {}),)
    assert [held_out.touches(Dialogue(None, offered, ())) for offered in tools] == [True, False]
    said = (
        Exchange.of("fact", "so, WHO wrote the novel dracula", "Bram Stoker."),
        Exchange.of("fact", "Who wrote the novel, Dracula?", "?"),
    )
    assert [held_out.touches(Dialogue(None, (), (one,))) for one in said] == [False, True]


def test_no_wording_of_a_measure_stands_in_a_table() -> None:
    words = plain(
        "\n".join(path.read_text() for path in sorted(FOLDER.iterdir()) if path.suffix in {".txt", ".json", ".jsonl"})
    )
    questions = [plain(said) for question in typed.asked() for said in question.said if isinstance(said, str)]
    assert [question for question in questions if len(question.split()) > 3 and f" {question} " in words] == []


@given(SEEDS)
def test_sums_that_measures_ask_for_are_left_out(seed: int) -> None:
    answer = arithmetic.exchange(random.Random(seed)).turns[-1]
    assert isinstance(answer, Say)
    assert not arithmetic.held_out(answer.text)


def test_what_is_held_out() -> None:
    assert arithmetic.held_out("5 plus 7 is 12.")
    assert arithmetic.held_out("Half of 90 is 45.")
    assert not arithmetic.held_out("17 plus 5 is 22.")


@given(SEEDS)
def test_sums_are_right(seed: int) -> None:
    a, kind, b, result = arithmetic.operation(random.Random(seed))
    assert result == {"plus": a + b, "minus": a - b, "times": a * b, "divided by": a / b}[kind]


def test_each_kind_of_exchange_occurs() -> None:
    kinds = {exchange.kind for dialogue in sampled(600) for exchange in dialogue.exchanges}
    assert kinds >= {
        "fact", "distilled", "follow-up", "again", "chat", "unknown", "arithmetic", "repeat", "spell", "digits", "count", "identity",
        "greeting", "stated", "unstated", "told", "remembered", "call", "calls", "asked back", "not able", "order",
    }  # fmt: skip


def test_what_functions_return_is_what_clients_send() -> None:
    outputs = {output for d in sampled(300) for turn in d.turns if isinstance(turn, Results) for output in turn.outputs}
    assert any(isinstance(json.loads(output), dict) for output in outputs if output.startswith("{"))
    assert "ok" in outputs
