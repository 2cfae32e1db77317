"""What a talk of the measures is made of."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One that is wanted. A value that is a tuple: any of these; a list: its values in any order."""

    name: str
    arguments: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One thing that a user says: `said` as it is spoken, numbers in words.

    `right` are regular expressions, all of which are found in a right answer's words, and `wrong` are found in none; without
    any, whatever is answered is right. Wanted are exactly these calls, in any order; `result` is what each returns.
    """

    said: str
    right: tuple[str, ...] = ()
    wrong: str = ""
    calls: tuple[Call, ...] = ()
    result: str = '{"ok": true}'


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    properties: Json = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def schema(self) -> Json:
        return {"type": "object", "properties": self.properties, "required": list(self.required)}

    @property
    def event(self) -> Json:
        """As `session.update` has it."""
        return {"type": "function", "name": self.name, "description": self.description, "parameters": self.schema}


@dataclass(frozen=True)
class Talk:
    """The turns of one session."""

    kind: str
    instructions: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()


def alone(kind: str, instructions: str, turns: tuple[Turn, ...], tools: tuple[Tool, ...] = ()) -> tuple[Talk, ...]:
    """Each turn in a session of its own."""
    return tuple(Talk(kind, instructions, (turn,), tools) for turn in turns)
