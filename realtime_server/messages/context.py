"""What an answer is based on: the items of a conversation, the functions, and what happens where they are too many."""

from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import TypeVar

from realtime_server.messages.samples import Samples


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True, eq=False)
class Audio:
    """Something the user said; `transcript` is None until the engine has written one."""

    samples: Samples
    """None of them where they are no longer kept."""
    transcript: str | None
    key: str
    """Of this recording, and never of another: made by the server; for a turn that was listened to, the id in its `Listen`."""


@dataclass(frozen=True)
class Image:
    """A data URI."""

    url: str


Part = Text | Audio | Image


@dataclass(frozen=True)
class Message:
    item_id: str
    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class FunctionCall:
    item_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class FunctionResult:
    item_id: str
    call_id: str
    output: str


ContextItem = Message | FunctionCall | FunctionResult


@dataclass(frozen=True)
class Function:
    """A tool of the client's; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Truncation:
    """What happens to items that no longer fit: the oldest are left out, down to `retention` of the limit at once."""

    allowed: bool = True
    retention: float = 1.0
    conversation_tokens: int | None = None
    """A limit of the conversation's own, besides the model's."""


@dataclass(frozen=True)
class Context:
    instructions: str
    tools: tuple[Function, ...]
    items: tuple[ContextItem, ...]
    truncation: Truncation = Truncation()
    keywords: tuple[str, ...] = ()
    """Words and phrases that are likely to be said (`audio.input.transcription.keywords`)."""


@dataclass(frozen=True)
class ContextRef:
    """A `Context` that names what the engine has been told already."""

    instructions: str
    tools: tuple[Function, ...]
    items: tuple[str | ContextItem, ...] | None = None
    """Ids of the conversation's, and items beside it; None for the conversation as it is now."""
    truncation: Truncation = Truncation()
    keywords: tuple[str, ...] = ()


Known = TypeVar("Known", Context, ContextRef, default=Context)
"""How a command has its context: a session names it, and a model is given it."""
