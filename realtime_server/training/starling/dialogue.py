"""What a training example is: who said what, with which tools at hand. Words only; `rendering` makes tokens of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    text: str


@dataclass(frozen=True)
class Say:
    """A spoken answer."""

    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Calls:
    """One answer that consists of calls, made at once."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Results:
    """What the client's functions returned, in the order of the calls."""

    outputs: tuple[str, ...]


Turn = User | Say | Calls | Results


@dataclass(frozen=True)
class Tool:
    """A function as the client declares it; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]

    def declared(self) -> dict[str, Any]:
        """As a chat template takes it."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True)
class Exchange:
    """A stretch of a conversation that can stand anywhere in one: from a user's turn to the last answer to it."""

    kind: str
    turns: tuple[Turn, ...]

    @staticmethod
    def of(kind: str, *said: str) -> "Exchange":
        """User and assistant by turns."""
        return Exchange(kind, tuple(Say(text) if n % 2 else User(text) for n, text in enumerate(said)))


@dataclass(frozen=True)
class Dialogue:
    """Without instructions (None) the chat template puts in what it likes."""

    instructions: str | None
    tools: tuple[Tool, ...]
    exchanges: tuple[Exchange, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return tuple(turn for exchange in self.exchanges for turn in exchange.turns)
