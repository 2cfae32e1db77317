"""One item of a conversation, as Wren's token ids and in words: bounded, whatever a client wrote in it, and never an error."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson

from realtime_server.engine.families.wren.leaves import TRUE_WORDS
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.words import plain, with_signs
from realtime_server.messages import Audio, ContextItem, FunctionCall, FunctionResult, Image, Message, Text

LONGEST_OUTPUT, LONGEST_RESULT, DEEPEST = 64_000, 200, 16
"""Characters of a function's output that are read as JSON, of its words that are shown, and levels of it."""
MOST_ARGUMENTS, LONGEST_ARGUMENT = 32, 200
Transcripts = Mapping[str, str]
"""What was heard, by the keys of the recordings."""


def item_ids(script: Script, item: ContextItem, transcripts: Transcripts, longest: int | None = None) -> list[int]:
    """One item of the history; nothing where it says nothing. `longest`: characters that are looked at."""
    match item:
        case FunctionCall():
            return script.call(item.name[:LONGEST_ARGUMENT], call_arguments(item.arguments))
        case FunctionResult():
            return script.result(result_words(item.output))
        case Message(role="assistant"):
            return script.say(message_text(item, transcripts)[:longest])
        case Message(role="user"):
            silent = bool(item.parts) and all(isinstance(part, Image) for part in item.parts)
            return [] if silent else script.user(message_text(item, transcripts)[:longest])
        case Message():
            return []


def message_text(message: Message, transcripts: Transcripts) -> str:
    """What it says in words; pictures say nothing."""
    return " ".join(text for text in _texts(message, transcripts) if text)


def _texts(message: Message, transcripts: Transcripts) -> list[str]:
    return [
        part.text if isinstance(part, Text) else transcripts.get(part.key, part.transcript or "")
        for part in message.parts
        if isinstance(part, Text | Audio)
    ]


def call_arguments(arguments: str) -> list[tuple[str, str]]:
    """(parameter, its value in words)."""
    values = islice(parsed(arguments).items(), MOST_ARGUMENTS)
    return [(name[:LONGEST_ARGUMENT], _said(value)) for name, value in values]


def _said(value: Any) -> str:
    """A call's value as it was spoken: names as they are written, numbers in words."""
    return value[:LONGEST_ARGUMENT] if isinstance(value, str) else plain(with_signs(_cut(_words(value), LONGEST_ARGUMENT)))


def parsed(arguments: str) -> dict[str, Any]:
    """A call's arguments, which are a client's where it wrote the call: none where they are no object."""
    try:
        data = orjson.loads(arguments[:LONGEST_OUTPUT])
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def result_words(output: str) -> str:
    """A function's output, JSON or not, as `key value` words."""
    text = output
    if len(output) <= LONGEST_OUTPUT:
        # Figures stay as they are written, however long they are.
        with suppress(ValueError, RecursionError):
            text = _cut(_words(json.loads(output, parse_int=str, parse_float=str, parse_constant=str)), LONGEST_RESULT)
    return with_signs(text[:LONGEST_RESULT])


def _words(value: Any, levels: int = DEEPEST) -> Iterable[str]:
    match value:
        case dict() if levels:
            for key, inner in value.items():
                yield key
                yield from _words(inner, levels - 1)
        case list() if levels:
            for inner in value:
                yield from _words(inner, levels - 1)
        case dict() | list():
            pass
        case bool():
            yield TRUE_WORDS[0] if value else "false"
        case None:
            yield "none"
        case _:
            yield str(value)


def _cut(words: Iterable[str], longest: int) -> str:
    """As many of them as have no more characters than that; the first, in part, where it alone has more."""
    text = ""
    for word in words:
        longer = f"{text} {word[:longest]}" if text else word[:longest]
        if len(longer) > longest:
            break
        text = longer
    return text


def characters(item: ContextItem, transcripts: Transcripts) -> int:
    """Of what is shown of it, at most."""
    match item:
        case Message():
            return sum(map(len, _texts(item, transcripts)))
        case FunctionCall():
            return len(item.name) + min(len(item.arguments), MOST_ARGUMENTS * LONGEST_ARGUMENT)
        case FunctionResult():
            return min(len(item.output), LONGEST_RESULT)
