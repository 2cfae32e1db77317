"""The parts of a training example: who said what, in which context. Words only, no sound."""

from dataclasses import asdict, dataclass
from typing import Any

NOT_ABLE = "Sorry, I can not do that."


@dataclass(frozen=True)
class Say:
    """A spoken reply."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function call; arguments are the words that were spoken, by parameter name."""

    name: str
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Result:
    """What the client's function returned, already in words."""

    text: str


@dataclass(frozen=True)
class Turn:
    """A finished turn of the history: what the user (or a function) said and what was replied."""

    user: str | Result
    reply: Say | Call


@dataclass(frozen=True)
class Tool:
    """A function as the model is shown it: its name, its parameters' names, and the values of those that offer a choice."""

    name: str
    parameters: tuple[str, ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def shown(self) -> list[tuple[str, tuple[str, ...]]]:
        choices = dict(self.choices)
        return [(key, choices.get(key, ())) for key in self.parameters]


@dataclass(frozen=True)
class Dialogue:
    """One training example: in this context, to this utterance, this reply."""

    intent: str
    user: str | Result
    reply: Say | Call
    name: str = "Wren"
    facts: tuple[tuple[str, str], ...] = ()
    tools: tuple[Tool, ...] = ()
    history: tuple[Turn, ...] = ()
    language: str = "en"

    @property
    def transcript(self) -> str:
        """What is to be heard in the spoken turn: nothing where it is not English."""
        return str(self.user) if self.language == "en" else ""


def dump(dialogue: Dialogue) -> dict[str, Any]:
    """As JSON values; `undump` is the inverse."""
    return asdict(dialogue)


def undump(row: dict[str, Any]) -> Dialogue:
    return Dialogue(
        row["intent"], _user(row["user"]), _reply(row["reply"]), row["name"], tuple((k, v) for k, v in row["facts"]),
        tuple(_tool(tool) for tool in row["tools"]),
        tuple(Turn(_user(t["user"]), _reply(t["reply"])) for t in row["history"]), row["language"],
    )  # fmt: skip


def _tool(value: dict[str, Any]) -> Tool:
    choices = value.get("choices", ())
    return Tool(value["name"], tuple(value["parameters"]), tuple((key, tuple(values)) for key, values in choices))


def _user(value: str | dict[str, str]) -> str | Result:
    return value if isinstance(value, str) else Result(value["text"])


def _reply(value: dict[str, Any]) -> Say | Call:
    return Say(value["text"]) if "text" in value else Call(value["name"], tuple((k, v) for k, v in value["arguments"]))
