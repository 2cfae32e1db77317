"""Whatever a model would like to write, under its mask it is text and calls that fit their functions' schemas."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from realtime_server.engine.grammar import schema
from realtime_server.engine.grammar.calls import MOST_CALLS, Allowed, grammar
from realtime_server.engine.grammar.keywords import CannotHonour
from realtime_server.engine.grammar.mask import GrammarFault, Matcher
from realtime_server.engine.grammar.parsing import TokenParser
from realtime_server.engine.grammar.templates import TEMPLATES
from realtime_server.messages import Function, NamedFunction, ToolChoice
from tests.engine.grammar.schemas import DRAFT_7, PROMISED
from tests.engine.grammar.strategies import PARAMETERS
from tests.engine.grammar.writing import TOKENIZERS, VOCABULARIES, bytes_vocabulary, gathered, written

WEATHER = Function("get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
STOP = Function("stop", "", {"type": "object", "properties": {}})


def validate(arguments: str, parameters: dict[str, Any]) -> None:
    validator = Draft7Validator if parameters.get("$schema") == DRAFT_7 else Draft202012Validator
    validator(parameters).validate(json.loads(arguments))


def calls_of(
    name: str, template: str, allowed: Allowed, seed: int, call_at: int | None = None
) -> tuple[str, list[tuple[str, str]]]:
    vocabulary, shape = VOCABULARIES[name](), TEMPLATES[template]
    tokens = written(Matcher(vocabulary, grammar(shape, allowed, vocabulary)), seed, call_at)
    parser = TokenParser(shape, vocabulary)
    return gathered([*parser.feed(tokens), *parser.finish()])


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
@pytest.mark.parametrize("name", PROMISED)
def test_arguments_fit_the_schema(tokenizer: str, name: str) -> None:
    function = Function("f", "", PROMISED[name])
    for seed in range(3):
        _, ((called, arguments),) = calls_of(tokenizer, "hermes", Allowed((function,), text=False, several=False), seed)
        assert called == "f"
        validate(arguments, PROMISED[name])


@given(PARAMETERS, st.integers(0, 1000))
@settings(max_examples=60)
def test_arguments_fit_any_schema_that_is_not_refused(parameters: dict[str, Any], seed: int) -> None:
    fault = schema.fault(parameters)
    if fault is None or fault.partial:
        allowed = Allowed((Function("f", "", parameters),), text=False, several=False)
        _, ((_, arguments),) = calls_of("byte-level", "hermes", allowed, seed)
        validate(arguments, parameters)


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("seed", range(3))
def test_an_answer_that_must_call_calls(tokenizer: str, template: str, seed: int) -> None:
    text, calls = calls_of(tokenizer, template, Allowed((WEATHER, STOP), text=False), seed)
    assert not text
    assert 1 <= len(calls) <= (MOST_CALLS if TEMPLATES[template].several else 1)
    for name, arguments in calls:
        validate(arguments, {"get_weather": WEATHER, "stop": STOP}[name].parameters)


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_an_answer_may_be_text_and_then_calls(tokenizer: str, template: str) -> None:
    texts = [calls_of(tokenizer, template, Allowed((WEATHER, STOP)), seed)[0] for seed in range(3)]
    assert any(texts)
    if template in ("hermes", "mistral"):
        text, calls = calls_of(tokenizer, template, Allowed((WEATHER,), several=False), 5, call_at=4)
        assert text
        assert len(calls) == 1


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
def test_an_answer_that_may_not_call_is_text(tokenizer: str) -> None:
    text, calls = calls_of(tokenizer, "hermes", Allowed(()), 1, call_at=3)
    assert text
    assert not calls


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("hermes", 'Let me see.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Zürich 😀 \\"x\\""}}\n</tool_call>'),
        ("hermes", '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>\n<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'),
        ("llama3", '{"name": "get_weather", "parameters": {"city": "𝒳"}}'),
        ("llama3", "No call {}"),
        ("mistral", '[TOOL_CALLS][{"name": "stop", "arguments": {}}, {"name": "get_weather", "arguments": {"city": ""}}]'),
        ("functionary", 'I call <function=get_weather>{"city": "a\\nb"}</function><function=stop>{}</function>'),
        ("functionary", "1 <2 < 3, <function is no call"),
        ("phi4", '<|tool_call|>[{"name": "stop", "arguments": {}}]<|/tool_call|>'),
        ("mistral-args", '[TOOL_CALLS]get_weather[ARGS]{"city": "x"}'),
    ],
)  # fmt: skip
def test_what_models_are_taught_to_write_is_allowed(tokenizer: str, template: str, answer: str) -> None:
    vocabulary = VOCABULARIES[tokenizer]()
    tokens = TOKENIZERS[tokenizer]().encode(answer, add_special_tokens=False).ids
    matcher = Matcher(vocabulary, grammar(TEMPLATES[template], Allowed((WEATHER, STOP)), vocabulary))
    matcher.accept(tokens)
    assert matcher.may_end


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("functionary", "Hello <function=other>"),
        ("functionary", 'Hello <function=stop>{"a": 1}'),
        ("llama3", ' {"name": "other'),
        ("llama3", '{"a'),
        ("hermes", '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>And'),
        ("hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "\\u00e3"'),
    ],
)
def test_what_is_no_call_of_theirs_is_not(template: str, answer: str) -> None:
    vocabulary = bytes_vocabulary()
    matcher = Matcher(vocabulary, grammar(TEMPLATES[template], Allowed((WEATHER, STOP)), vocabulary))
    with pytest.raises(GrammarFault):
        matcher.accept(TOKENIZERS["byte-level"]().encode(answer, add_special_tokens=False).ids)


def test_something_must_be_allowed() -> None:
    with pytest.raises(ValueError, match="Neither"):
        grammar(TEMPLATES["hermes"], Allowed((), text=False), bytes_vocabulary())


def test_a_function_that_cannot_be_called_as_it_asks_has_no_grammar() -> None:
    never = Function("f", "", {"type": "object", "properties": {"a": {"not": {"const": 1}}}, "required": ["a"]})
    with pytest.raises(CannotHonour):
        grammar(TEMPLATES["hermes"], Allowed((never,)), bytes_vocabulary())


@pytest.mark.parametrize(("choice", "allowed"), [
    ("auto", Allowed((WEATHER, STOP))), ("none", Allowed(())), ("required", Allowed((WEATHER, STOP), text=False)),
    (NamedFunction(STOP.name), Allowed((STOP,), text=False)),
])  # fmt: skip
def test_what_a_tool_choice_allows(choice: ToolChoice, allowed: Allowed) -> None:
    assert Allowed.by(choice, (WEATHER, STOP)) == allowed
