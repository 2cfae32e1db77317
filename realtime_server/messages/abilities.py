"""What a model declares to the sessions that it serves, so that they refuse at once what it cannot do: plain data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class SchemaFault:
    """Why calls of a function cannot be promised to fit its JSON schema; `path` is dotted, from the schema's top."""

    path: str
    why: str
    malformed: bool = False
    """It is no JSON schema at all."""
    partial: bool = False
    """What is at fault need not be there: without it, the function can be called."""


SchemaJudge = Callable[[dict[str, Any]], SchemaFault | None]
"""Why calls with all of a function's parameters cannot be promised to be valid, or None; called on any thread."""


def honours_everything(_: dict[str, Any]) -> SchemaFault | None:
    return None


@dataclass(frozen=True)
class Abilities:
    voice_ids: frozenset[str] = frozenset()
    """What `{"id": ...}` may name, besides the ten names of the protocol."""
    schemas: str = ""
    """The dialect of JSON schema that its calls can be held to: a name in `engine.dialects`; '' is all of it."""
    scores_turn_end: bool = False
    """It tells, as it listens, whether the speaker has finished (`TurnEnd`); `semantic_vad` waits for that."""
    turns: Literal["server", "engine"] = "server"
    """Who decides when an answer begins: the server, by the user's turns, or a full-duplex model itself (`ResponseBegun`).

    To the latter one `Listen` opens a stream that never ends, and all that comes is heard in it; what the detector makes of the
    same sound is only reported.
    """
