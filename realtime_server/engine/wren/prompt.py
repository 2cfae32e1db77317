"""A conversation as Wren's token ids: free instructions reduced to what so small a model can honour."""

import json
import re
from itertools import islice
from typing import Any

from realtime_server.engine.wren.schemas import shown
from realtime_server.engine.wren.script import Script
from realtime_server.engine.wren.words import identifier_words, plain
from realtime_server.messages import Audio, Context, ContextItem, FunctionCall, FunctionResult, Image, Message, Text, Truncation

DEFAULT_NAME = "Wren"
_NAME = re.compile(
    r"(?:\b[Nn]ame\s*(?:is|:)|\b[Yy]ou\s+are\s+(?:called|named)|\b[Cc]all\s+yourself|\b[Yy]ou\s+are|\b[Yy]ou're)\s+([A-Z][a-z]+)\b"
)
_NOT_NAMES = {"The", "An", "English", "German", "French", "Spanish", "Italian", "Helpful", "Always", "Now"}


FACTS, LONGEST_FACT = 8, 8
"""How many facts are taken from the instructions, and of how many words."""
KEYWORDS, LONGEST_KEYWORD = 400, 40
"""How many keywords are listened for, and of how many characters."""
_SENTENCE_END = re.compile(r"\n+|(?<=[a-z0-9])[.;](?:\s+|$)", re.IGNORECASE)
_KEY_COLON = re.compile(r"\s*[-*\u2022]?\s*(?P<key>[A-Za-z][\w ]{0,30}?)\s*[:=]\s*(?P<value>.+)")
_THE_KEY_IS = re.compile(r"\s*(?:[Tt]he|[Yy]our|[Oo]ur)\s+(?P<key>[A-Za-z][\w ]{0,30}?)\s+(?:is|are)\s+(?P<value>.+)")
_TODAY_IS = re.compile(r"\s*[Tt]oday\s+is\s+(?P<value>.+)")


class Unsupported(Exception):
    """The context holds something that Wren cannot take in."""


class ContextTooLong(Exception):
    """The conversation does not fit, and the session forbids to leave anything out."""


def fitting(parts: list[list[int]], room: int, truncation: Truncation) -> list[list[int]]:
    """The newest parts that fit, after the oldest were left out in the steps that retention asks for.

    What is left out depends on the parts alone, so a later turn of the same conversation leaves out the same, until the
    limit is met again: between two such cuts the prompt only grows, and what the model holds of it can be used again.
    """
    limit = min(room, truncation.conversation_tokens if truncation.conversation_tokens is not None else room)
    first = total = 0
    for n, part in enumerate(parts):
        total += len(part)
        if total <= limit:
            continue
        if not truncation.allowed:
            raise ContextTooLong(
                f"The conversation has {sum(map(len, parts))} tokens; {limit} fit, and truncation is disabled."
            )
        while first < n and total > limit * truncation.retention:
            total -= len(parts[first])
            first += 1
    return parts[first:]


def name_from(instructions: str) -> str:
    """'Your name is Robin.' -> 'Robin'; 'Wren' where no name is given."""
    for match in _NAME.finditer(instructions):
        if match[1] not in _NOT_NAMES:
            return match[1]
    return DEFAULT_NAME


def facts_from(instructions: str) -> list[tuple[str, str]]:
    """'Date: November 21.' and 'The opening hours are nine to five.' -> (key, value) in plain words, at most FACTS."""
    facts: dict[str, str] = {}
    for sentence in _SENTENCE_END.split(instructions):
        match = _KEY_COLON.match(sentence) or _THE_KEY_IS.match(sentence) or _TODAY_IS.match(sentence)
        if match is None:
            continue
        key, value = plain(match["key"] if "key" in match.groupdict() else "day"), plain(match["value"])
        if key and value and key not in ("name", "your name"):
            facts.setdefault(key, " ".join(value.split()[:LONGEST_FACT]))
    return list(facts.items())[:FACTS]


def keywords_from(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """As they are written in a transcript: the first KEYWORDS that are short enough, each once."""
    short = islice((keyword for keyword in keywords if len(keyword) <= LONGEST_KEYWORD), KEYWORDS)
    return tuple(dict.fromkeys(filter(None, map(plain, short))))


def system_ids(script: Script, context: Context, choices_shown: bool) -> list[int]:
    """`choices_shown`: with the values that a parameter offers, for models that know what these are."""
    tools = [
        (tool.name, [(parameter, choices if choices_shown else ()) for parameter, choices in shown(tool.parameters)])
        for tool in context.tools
    ]
    return script.system(name_from(context.instructions), facts_from(context.instructions), tools)


def item_ids(script: Script, item: ContextItem, transcripts: dict[str, str]) -> list[int]:
    """One item of the history; `transcripts` holds what was heard in items that came without one."""
    match item:
        case FunctionCall():
            return script.call(item.name, call_arguments(item.arguments))
        case FunctionResult():
            return script.result(result_words(item.output))
        case Message(role="assistant"):
            return script.say(message_text(item, transcripts))
        case Message(role="user"):
            return script.user(message_text(item, transcripts))
        case Message():
            return []
    raise Unsupported(f"Wren takes no {type(item).__name__}.")


def item_text(item: ContextItem, transcripts: dict[str, str]) -> str:
    """What an item says: words, a call's values, a result."""
    match item:
        case FunctionCall():
            return " ".join(identifier_words(value) for _, value in call_arguments(item.arguments))
        case FunctionResult():
            return result_words(item.output)
        case Message():
            return message_text(item, transcripts)
    return ""


def message_text(message: Message, transcripts: dict[str, str]) -> str:
    texts = []
    for part in message.parts:
        match part:
            case Text():
                texts.append(part.text)
            case Audio():
                texts.append(transcripts.get(message.item_id, part.transcript or ""))
            case Image():
                raise Unsupported("Wren cannot see images.")
    return " ".join(text for text in texts if text)


def call_arguments(arguments: str) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in parsed(arguments).items()]


def parsed(arguments: str) -> dict[str, Any]:
    """A call's arguments, which are a client's where it wrote the call: none where they are no object."""
    try:
        data = json.loads(arguments)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def result_words(output: str) -> str:
    """A function's output, JSON or not, as `key value` words."""
    try:
        return " ".join(_words(json.loads(output)))
    except ValueError:
        return output[:200]


def _words(value: Any) -> list[str]:
    match value:
        case dict():
            return [word for key, inner in value.items() for word in [str(key), *_words(inner)]]
        case list():
            return [word for inner in value for word in _words(inner)]
        case True:
            return ["true"]
        case False:
            return ["false"]
        case float():
            return [str(round(value))]
        case _:
            return [str(value)]
