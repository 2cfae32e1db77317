"""A conversation as Wren's token ids."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from realtime_server.engine.families.wren.instructions import DEFAULT_NAME, told
from realtime_server.engine.families.wren.items import Transcripts, characters, item_ids
from realtime_server.engine.families.wren.schemas import shown
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.runtime.truncation import ContextTooLong, Part, fitting, in_order, is_note, newest
from realtime_server.messages import Context, ContextItem, Image, Message, Text

KEYWORDS, LONGEST_KEYWORD = 400, 40
"""How many keywords are listened for, and of how many characters."""
LONGEST_HEAD = 1000
"""Tokens of name, facts and tools: of more tools only the names are shown."""
CHARACTERS = 16
"""Of one token, at most: what has more of them than would fit is too long, whatever tokens they make."""
GREETED = "hello"
"""What is answered where nobody has said anything: so the model greets, as it was taught to."""


class Unsupported(Exception):
    """The context holds something that Wren cannot take in."""


@dataclass(frozen=True)
class Bounds:
    """Of a model: positions in all, tokens of a conversation that it was trained on (None: all), and whether it knows what the
    values are that a parameter offers."""

    positions: int
    trained: int | None = None
    choices_shown: bool = True


def keywords_from(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """As they are written in a transcript: the first KEYWORDS that are short enough, each once."""
    short = islice((keyword for keyword in keywords if len(keyword) <= LONGEST_KEYWORD), KEYWORDS)
    return tuple(dict.fromkeys(filter(None, map(plain, short))))


def before_turn(script: Script, context: Context, transcripts: Transcripts, bounds: Bounds) -> list[int]:
    """What stands before a turn that is heard. ContextTooLong where nothing may be left out of it, and not all fits."""
    head = system_ids(script, context, bounds.choices_shown)
    return head + _history(script, in_order(context.items), context, transcripts, bounds, bounds.positions - len(head))


def listening(script: Script, context: Context, transcripts: Transcripts, bounds: Bounds) -> list[int]:
    """The same while it is heard, when nothing fails yet: a turn can be transcribed without what is too long."""
    try:
        return before_turn(script, context, transcripts, bounds)
    except ContextTooLong:
        return script.system(DEFAULT_NAME)


def to_answer(script: Script, context: Context, transcripts: Transcripts, bounds: Bounds) -> list[int]:
    """What stands before a reply to the newest item: that is shown as a whole, or not answered.

    ContextTooLong, also where nothing may be left out, and Unsupported for what cannot be read.
    """
    parts = in_order(context.items) or [Part((Message("", "user", (Text(GREETED),)),))]
    head = system_ids(script, context, bounds.choices_shown)
    room = bounds.positions - len(head)
    _check_newest(parts[-1], transcripts, room)
    asked = _part_ids(script, parts[-1], transcripts)
    if len(asked) > room:
        raise ContextTooLong(f"The newest item has {len(asked)} tokens; {room} fit.")
    return head + _history(script, parts[:-1], context, transcripts, bounds, room - len(asked)) + asked


def _check_newest(part: Part, transcripts: Transcripts, room: int) -> None:
    for item in part.items:
        if isinstance(item, Message) and any(isinstance(piece, Image) for piece in item.parts):
            raise Unsupported("Wren cannot see images.")
    if _size(part, transcripts) > room * CHARACTERS:
        raise ContextTooLong(f"The newest item has more than {room} tokens, which are what fits.")


def _history(
    script: Script, parts: Sequence[Part], context: Context, transcripts: Transcripts, bounds: Bounds, room: int
) -> list[int]:
    """No more of it is turned into tokens than could fit."""
    truncation = context.truncation
    limit = room if bounds.trained is None or not truncation.allowed else min(room, bounds.trained)
    sizes = [_size(part, transcripts) for part in parts]
    if not truncation.allowed and sum(sizes) > room * CHARACTERS:
        raise ContextTooLong(f"The conversation has more than {room} tokens, which are what fits, and truncation is disabled.")
    if limit <= 0:
        return []
    first = newest(sizes, limit * CHARACTERS)
    # Of what is cut here the tokens are still too many.
    longest = (limit + 1) * CHARACTERS
    ids = [_part_ids(script, part, transcripts, longest) for part in parts[first:]]
    kept = fitting(ids, room, truncation, bounds.trained, [part.asks for part in parts[first:]])
    return [token for part in kept for token in part]


def _part_ids(script: Script, part: Part, transcripts: Transcripts, longest: int | None = None) -> list[int]:
    return [token for item in part.items for token in item_ids(script, item, transcripts, longest)]


def _size(part: Part, transcripts: Transcripts) -> int:
    """Characters of what is shown of it, at most, and one for its marks."""
    return 1 + sum(characters(item, transcripts) for item in part.items)


def system_ids(script: Script, context: Context, choices_shown: bool) -> list[int]:
    """`choices_shown`: with the values that a parameter offers, for models that know what these are. ContextTooLong where not
    even the functions' names fit."""
    known = told(context)
    head = script.system(known.name or DEFAULT_NAME, known.facts)
    for choices, parameters in ((choices_shown, True), (False, True), (False, False)):
        tools = _tools_ids(script, context, choices, parameters, LONGEST_HEAD - len(head))
        if tools is not None:
            return head + tools
    raise ContextTooLong(f"The functions' names have more than {LONGEST_HEAD - len(head)} tokens, which are what fits.")


def _tools_ids(script: Script, context: Context, choices: bool, parameters: bool, room: int) -> list[int] | None:
    """None as soon as they are too long."""
    ids: list[int] = []
    for tool in context.tools:
        ids += script.tool(tool.name)
        for parameter, offered in shown(tool.parameters) if parameters else ():
            ids += script.parameter(parameter, offered if choices else ())
            if len(ids) > room:
                return None
        if len(ids) > room:
            return None
    return ids


def unanswered(context: Context) -> Context:
    """Without the replies at its end, where something was said before them: who asks again wants another reply to that."""
    items = list(context.items)
    while items and isinstance(items[-1], Message) and items[-1].role == "assistant":
        items.pop()
    said = any(not is_note(item) for item in items)
    return replace(context, items=tuple(items)) if said else context


def asked(context: Context) -> ContextItem | None:
    """The newest item that is no instruction: a reply answers it."""
    return next((item for item in reversed(context.items) if not is_note(item)), None)
