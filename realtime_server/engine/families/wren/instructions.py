"""What so small a model can honour of free instructions: a name, and some facts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from realtime_server.engine.families.wren.caching import Cache
from realtime_server.engine.families.wren.words import plain
from realtime_server.messages import Context, Message, Text

DEFAULT_NAME = "Wren"
FACTS, LONGEST_FACT = 8, 8
"""How many facts are taken from the instructions, and of how many words."""
READ, LONGEST_SENTENCE, LONGEST_WORDS = 32_000, 240, 120
"""Characters of an instruction that are looked at, of a sentence in it, and of a fact's words."""
MOST_NOTES = 32
"""System items that count; older ones are forgotten."""
_SENTENCE_END = re.compile(r"\n|(?<=[a-z0-9])[.;](?=\s|$)", re.IGNORECASE)
# Sentences come without white space at their ends and with single spaces: no two quantifiers can take the same character.
_KEY_COLON = re.compile(r"(?:[-*\u2022] ?)?(?P<key>[A-Za-z][\w ]{0,30}?) ?[:=] ?(?P<value>.+)")
_THE_KEY_IS = re.compile(r"(?:[Tt]he|[Yy]our|[Oo]ur) (?P<key>[A-Za-z][\w ]{0,30}?) (?:is|are) (?P<value>.+)")
_TODAY_IS = re.compile(r"[Tt]oday is (?P<value>.+)")
_NAME = re.compile(
    r"(?:\b[Nn]ame ?(?:is|:)|\b[Yy]ou are (?:called|named)|\b[Cc]all yourself|\b[Yy]ou are|\b[Yy]ou're) ([A-Z][a-z]{1,20})\b"
)
_NOT_NAMES = {"The", "An", "English", "German", "French", "Spanish", "Italian", "Helpful", "Always", "Now"}


@dataclass(frozen=True)
class Told:
    """What an instruction says: a name, if it gives one, and facts (key, value) in plain words."""

    name: str | None
    facts: tuple[tuple[str, str], ...]


def told(context: Context) -> Told:
    """By the instructions and, behind them, by the system items: what is said later holds."""
    notes = [item for item in context.items if isinstance(item, Message) and item.role == "system"]
    texts = (part.text for note in notes[-MOST_NOTES:] for part in note.parts if isinstance(part, Text))
    name, facts = None, dict[str, str]()
    for text in (context.instructions, *texts):
        one = read(text)
        name = one.name or name
        for key, value in one.facts:
            facts.pop(key, None)
            facts[key] = value
    return Told(name, tuple(facts.items())[-FACTS:])


def read(text: str) -> Told:
    """Of one instruction."""
    text = text[:READ]
    return _read.get(text, len(text) + 1, lambda: Told(name_from(text), facts_from(text)))


_read: Cache[str, Told] = Cache(2_000_000)


def name_from(instructions: str) -> str | None:
    """'Your name is Robin.' -> 'Robin'; None where no name is given."""
    for match in _NAME.finditer(" ".join(instructions.split())):
        if match[1] not in _NOT_NAMES:
            return match[1]
    return None


def facts_from(instructions: str) -> tuple[tuple[str, str], ...]:
    """'Date: November 21.' and 'The opening hours are nine to five.' -> (key, value) in plain words, at most FACTS."""
    facts: dict[str, str] = {}
    for sentence in _sentences(instructions):
        match = _KEY_COLON.match(sentence) or _THE_KEY_IS.match(sentence) or _TODAY_IS.match(sentence)
        if match is None:
            continue
        key, value = plain(match["key"] if "key" in match.groupdict() else "day"), plain(match["value"])
        if key and value and key not in ("name", "your name"):
            facts.setdefault(key, " ".join(value.split()[:LONGEST_FACT])[:LONGEST_WORDS].strip())
        if len(facts) == FACTS:
            break
    return tuple(facts.items())


def _sentences(instructions: str) -> Iterator[str]:
    return (" ".join(sentence[:LONGEST_SENTENCE].split()) for sentence in _SENTENCE_END.split(instructions))
