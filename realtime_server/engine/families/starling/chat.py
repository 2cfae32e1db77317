"""A conversation as a chat template takes it, and the tokens that it makes of that."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from realtime_server.engine.families.starling.expected import Frames, Marks, Said
from realtime_server.engine.runtime.prefix import common
from realtime_server.engine.runtime.truncation import ContextTooLong, Part, first_kept, in_order
from realtime_server.messages import Audio, Context, ContextItem, Function, FunctionCall, FunctionResult, Image, Message, Text

UNTOLD = "You are a friendly voice assistant. Answer in one or two short spoken sentences."
"""What it is told where nobody has instructed it: templates put a text of their own in the place of none."""
GREETED = "Hello."
"""What is answered where nobody has said anything."""
AROUND = 16
"""Tokens that a template puts around a message of a role that it does not take by itself."""
CHARACTERS = 12
"""Of a token, at most: what has more of them than would fit is too long, whatever tokens they make."""
Heard = Mapping[str, Said]
"""What was said, by the keys of the recordings."""
Write = Callable[[Said], str]
"""How that stands in a text."""


KEYWORDS = 200
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")
"""One or more words in capitals that no sentence begins with."""


class Unsupported(Exception):
    """The context holds something that the model cannot take in."""


@dataclass(frozen=True)
class Prompt:
    """`head`: of how many ids any session may begin alike, with the same instructions and tools. `frames`: what stands at ids
    that are no tokens."""

    ids: list[int]
    head: int
    frames: Frames = field(default_factory=dict)


class Chat:
    def __init__(self, tokenizer: Any, room: int) -> None:
        """`tokenizer`: a fast one of `transformers` with a chat template. `room`: tokens of a prompt."""
        self._tokenizer, self._room, self._secret = tokenizer, room, secrets.token_hex(8)
        self._around = {role: self._measured(role) for role in ("user", "assistant", "system", "tool")}
        """Tokens that the template puts around a message."""

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _measured(self, role: str) -> int:
        told, said = {"role": "system", "content": UNTOLD}, {"role": role, "content": "a"}
        try:
            return len(self._rendered([told, said], (), answer=False)) - len(self._rendered([told], (), answer=False))
        except Unsupported:
            return AROUND

    def prompt(self, context: Context, tools: Sequence[Function], heard: Heard) -> Prompt:
        """What an answer to the newest item is written behind. Raises ContextTooLong and Unsupported."""
        parts = in_order(context.items, notes=True) or [Part((Message("", "user", (Text(GREETED),)),))]
        told = {"role": "system", "content": context.instructions or UNTOLD}
        head = self._rendered([told], tools, answer=False)
        room = self._room - len(self._rendered([told], tools, answer=True))
        sizes = [self._size(part, heard) for part in parts]
        if sizes[-1] > room:
            raise ContextTooLong(
                f"Instructions, functions and the newest item have more than the {self._room} tokens that fit."
            )
        first = min(first_kept(sizes, room, context.truncation, asks=[part.asks for part in parts]), len(parts) - 1)
        items, marks = [item for part in parts[first:] for item in part.items], Marks(self._secret)
        marked = [message for item in items for message in messages(item, heard, marks.write)]
        ids = marks.ids(self._text([told, *marked], tools, answer=True), self.encode)
        if ids is None:
            # A template that does something to what is said reads all of it as text.
            said = [message for item in items for message in messages(item, heard)]
            ids, marks = self._rendered([told, *said], tools, answer=True), Marks(self._secret)
        return Prompt(ids, common(head, ids), marks.frames)

    def _rendered(self, said: list[dict[str, Any]], tools: Sequence[Function], answer: bool) -> list[int]:
        return self.encode(self._text(said, tools, answer))

    def _text(self, said: list[dict[str, Any]], tools: Sequence[Function], answer: bool) -> str:
        from jinja2 import TemplateError

        try:
            return str(
                self._tokenizer.apply_chat_template(
                    said, tools=[described(tool) for tool in tools] or None, add_generation_prompt=answer, tokenize=False
                )
            )
        except TemplateError as error:
            raise Unsupported(f"The model's chat template does not take this conversation: {error}") from None

    def _size(self, part: Part, heard: Heard) -> int:
        said = [message for item in part.items for message in messages(item, heard)]
        texts = [str(message["content"]) + str(message.get("tool_calls", "")) for message in said]
        characters = sum(map(len, texts))
        if characters > self._room * CHARACTERS:
            return characters
        return sum(self._around[message["role"]] + len(self.encode(text)) for message, text in zip(said, texts, strict=True))


def likely_words(context: Context) -> list[str]:
    """What users are likely to say: the session's keywords, values that functions offer, names in the instructions."""
    offered = [value for tool in context.tools for value in _offered(tool.parameters)]
    return list(dict.fromkeys([*context.keywords, *offered, *_NAME.findall(context.instructions)]))[:KEYWORDS]


def _offered(schema: Any) -> Iterator[str]:
    """The words of all its enumerations."""
    match schema:
        case {"enum": list(values)}:
            yield from (value.replace("_", " ") for value in values if isinstance(value, str) and value)
        case dict():
            for inner in schema.values():
                yield from _offered(inner)
        case list():
            for inner in schema:
                yield from _offered(inner)


def described(tool: Function) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }


def as_text(said: Said) -> str:
    return said.text


def messages(item: ContextItem, heard: Heard, write: Write = as_text) -> list[dict[str, Any]]:
    """None where it says nothing. Unsupported for pictures."""
    match item:
        case FunctionCall():
            called = {
                "type": "function",
                "id": item.call_id,
                "function": {"name": item.name, "arguments": parsed(item.arguments)},
            }
            return [{"role": "assistant", "content": "", "tool_calls": [called]}]
        case FunctionResult():
            return [{"role": "tool", "tool_call_id": item.call_id, "content": item.output}]
        case Message():
            text = message_text(item, heard, write)
            return [{"role": item.role, "content": text}] if text else []


def message_text(message: Message, heard: Heard, write: Write = as_text) -> str:
    if any(isinstance(part, Image) for part in message.parts):
        raise Unsupported("This model cannot see images.")
    texts = [
        part.text if isinstance(part, Text) else write(heard.get(part.key) or Said(part.transcript or ""))
        for part in message.parts
        if isinstance(part, Text | Audio)
    ]
    return " ".join(text for text in texts if text)


def nothing_said(context: Context, heard: Heard) -> bool:
    """Whether the newest item is a recording in which nobody spoke."""
    newest = context.items[-1] if context.items else None
    if not isinstance(newest, Message) or newest.role != "user" or not newest.parts:
        return False
    return all(isinstance(part, Audio) for part in newest.parts) and not message_text(newest, heard)


def parsed(arguments: str) -> dict[str, Any]:
    """A call's arguments, which are a client's where it wrote the call: none where they are no object."""
    try:
        data = orjson.loads(arguments)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
