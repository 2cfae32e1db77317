"""However an answer is cut, it parses to the same, and nothing of a call is said."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_server.engine.grammar.parsing import (
    ArgumentsDelta,
    CallDone,
    CallMalformed,
    CallParser,
    CallStarted,
    Parsed,
    Text,
    TokenParser,
)  # fmt: skip
from realtime_server.engine.grammar.templates import TEMPLATES, Parts, Special, Template
from tests.engine.grammar.writing import TOKENIZERS, VOCABULARIES, gathered

SHAPES = {**TEMPLATES, **{f"{name}, as text": template.spelled(()) for name, template in TEMPLATES.items()}}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(['}"{', "\\", "</tool_call>", "ü😀𝒳\u2028"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
CALLS = st.lists(st.tuples(st.from_regex(r"\A[a-zA-Z0-9_-]{1,12}\Z"), st.dictionaries(st.text(max_size=4), VALUES, max_size=3)))
TEXTS = st.lists(
    st.sampled_from(["Hello", " ", "\n", "<", "<tool", "<tool_call", "<function", "{", "[", "é", "😀"]), max_size=5
).map("".join)


def rendered(
    template: Template, text: str, calls: list[tuple[str, dict[str, Any]]]
) -> tuple[list[str | Special], list[tuple[str, str]]]:
    """An answer as the template has it, and its calls' arguments as they are written."""
    written = [(name, json.dumps(values, ensure_ascii=False)) for name, values in calls]
    parts: Parts = (text,)
    for n, (name, arguments) in enumerate(written):
        parts += template.between if n else template.opening
        parts += (*template.before_name, name, *template.after_name, arguments, *template.after_arguments)
    return [*parts, *(template.closing if calls else ())], written


def cut(pieces: list[str | Special], at: st.DataObject) -> list[str | Special]:
    """Each text in two or three, anywhere."""
    cuts: list[str | Special] = []
    for piece in pieces:
        if isinstance(piece, Special):
            cuts.append(piece)
            continue
        places = sorted(at.draw(st.lists(st.integers(0, len(piece)), max_size=3)))
        cuts += [piece[a:b] for a, b in zip([0, *places], [*places, len(piece)], strict=True)]
    return cuts


def parsed(template: Template, pieces: list[str | Special]) -> list[Parsed]:
    parser = CallParser(template)
    return [one for piece in pieces for one in parser.feed(piece)] + parser.finish()


def merged(events: list[Parsed]) -> list[Parsed]:
    together: list[Parsed] = []
    for event in events:
        last = together[-1] if together else None
        if isinstance(event, Text) and isinstance(last, Text):
            together[-1] = Text(last.text + event.text)
        elif isinstance(event, ArgumentsDelta) and isinstance(last, ArgumentsDelta):
            together[-1] = ArgumentsDelta(last.text + event.text)
        else:
            together.append(event)
    return together


@given(st.sampled_from(sorted(SHAPES)), TEXTS, CALLS, st.data())
def test_an_answer_is_what_it_was_rendered_from(
    shape: str, text: str, calls: list[tuple[str, dict[str, Any]]], at: st.DataObject
) -> None:
    template = SHAPES[shape]
    if calls and not template.speaks_first:
        text = ""
    calls = calls if template.several else calls[:1]
    pieces, written = rendered(template, text, calls)
    said, called = gathered(parsed(template, cut(pieces, at)))
    assert called == written
    assert said == (text.rstrip() if calls else text)


SCRAPS: st.SearchStrategy[str | Special] = st.one_of(
    st.sampled_from(['{"name": "', 'f", "arguments": ', '{"a": 1}', "}", "\n", "]", "[", ", ", "<tool_call>", "</tool_call>", "f", ">",
                     "<function=", "</function>", '{"', '", "parameters": {}', " ", "Hello", "<"]),
    st.sampled_from([Special(name) for name in ("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|tool_call|>", "<think>")]),
)  # fmt: skip


@given(st.sampled_from(sorted(SHAPES)), st.lists(SCRAPS, max_size=14), st.data())
def test_whatever_is_written_is_parsed_and_cuts_do_not_matter(
    shape: str, pieces: list[str | Special], at: st.DataObject
) -> None:
    template = SHAPES[shape]
    events = merged(parsed(template, pieces))
    assert merged(parsed(template, cut(pieces, at))) == events
    open_calls = 0
    for event in events:
        open_calls += isinstance(event, CallStarted) - (
            isinstance(event, CallDone) or (isinstance(event, CallMalformed) and open_calls > 0)
        )
        assert open_calls in (0, 1)
        assert not (isinstance(event, ArgumentsDelta) and not open_calls)


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_call_that_is_cut_off_is_never_said_and_never_done(name: str) -> None:
    template = SHAPES[name]
    pieces, _ = rendered(template, "", [("stop", {"a": "b"})])
    units = [unit for piece in pieces for unit in ([piece] if isinstance(piece, Special) else piece)]
    trigger = 1 if isinstance(template.trigger, Special) else len(template.trigger)
    for end in range(trigger, len(units)):
        events = parsed(template, list(units[:end]))
        assert not any(isinstance(event, Text) for event in events)
        finished = any(isinstance(event, CallDone) for event in events)
        assert finished != any(isinstance(event, CallMalformed) for event in events)


@pytest.mark.parametrize(
    "broken",
    [
        '\n{"nam": "f"',
        '\n{"name": ""',
        '\n{"name": "f", "arguments": [1]',
        '\n["name"',
        '\n{"name": "' + "x" * 300,
        '\n{"name": "f", "arg": {}',
    ],
)
def test_a_broken_call_is_told_once_and_what_follows_it_is_heard(broken: str) -> None:
    pieces: list[str | Special] = [Special("<tool_call>"), broken, Special("</tool_call>"), "\nSorry."]
    events = parsed(TEMPLATES["hermes"], pieces)
    assert [type(event) for event in events if not isinstance(event, CallStarted)] == [CallMalformed, Text]
    assert events[-1] == Text("Sorry.")


def test_a_special_token_in_arguments_breaks_them() -> None:
    pieces: list[str | Special] = [
        Special("<tool_call>"),
        '{"name": "f", "arguments": {"a": ',
        Special("<think>"),
        "1}}",
        Special("</tool_call>"),
    ]
    assert [type(event) for event in merged(parsed(TEMPLATES["hermes"], pieces))] == [
        CallStarted,
        ArgumentsDelta,
        CallMalformed,
    ]


def test_text_is_said_as_soon_as_it_can_be_no_call() -> None:
    parser = CallParser(TEMPLATES["functionary"])
    assert parser.feed("Hello <func") == [Text("Hello")]
    assert parser.feed("y> you ") == [Text(" <funcy> you")]


@pytest.mark.parametrize("tokenizer", VOCABULARIES)
@given(text=TEXTS, calls=CALLS)
@example(text="", calls=[("f", {"a": "ü😀𝒳"})])
def test_tokens_are_what_their_text_is(tokenizer: str, text: str, calls: list[tuple[str, dict[str, Any]]]) -> None:
    pieces, written = rendered(TEMPLATES["hermes"], text, calls)
    answer = "".join(piece.name if isinstance(piece, Special) else piece for piece in pieces)
    parser = TokenParser(TEMPLATES["hermes"], VOCABULARIES[tokenizer]())
    # What is spelled like a marker is one to a tokenizer: a template's author escapes it.
    if answer.count("tool_call>") == 2 * len(calls):
        tokens = TOKENIZERS[tokenizer]().encode(answer, add_special_tokens=False).ids
        said, called = gathered([event for token in tokens for event in parser.feed([token])] + parser.finish())
        assert called == written
        assert said == (text.rstrip() if calls else text)


def test_half_a_character_is_said_to_be_so() -> None:
    vocabulary = VOCABULARIES["byte-level"]()
    tokens = TOKENIZERS["byte-level"]().encode("😱", add_special_tokens=False).ids
    parser = TokenParser(TEMPLATES["hermes"], vocabulary)
    assert merged(parser.feed([*tokens, *tokens[:1], vocabulary.ends[0]]) + parser.finish()) == [Text("😱\ufffd")]
