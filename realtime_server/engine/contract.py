"""What every engine promises, and what a model declares that it can do.

A turn-based model answers `Respond`. A full-duplex one takes `Hear` as its frames, one after the other, and emits text
and audio when it pleases; `Listen` opens its stream and nothing needs to be committed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from realtime_server.messages import Command, Output

Deliver = Callable[[str, Output], None]
"""(session_id, output); called on the engine's thread."""


@dataclass(frozen=True)
class Capabilities:
    """Declared by the model, read by the server; a request beyond them fails with a clear `ResponseFailed`."""

    mode: Literal["turn", "duplex"]
    input_rate_hz: int
    output_rate_hz: int
    frame_ms: int
    voices: tuple[str, ...]
    modalities_in: frozenset[Literal["audio", "text", "image"]]
    tools: bool
    transcribes: bool
    context_tokens: int


class Model(Protocol):
    """A loaded model with all its sequences. Only the worker's thread touches it."""

    name: str
    capabilities: Capabilities

    def run(self, session_id: str, command: Command) -> None:
        """Takes note of a command; never computes."""
        ...

    def hold(self, session_id: str, held: bool) -> None:
        """A client that does not read holds its own generation, nobody else's."""
        ...

    def end(self, session_id: str) -> None:
        """The session is over: all that it had is freed."""
        ...

    def step(self) -> list[tuple[str, Output]] | None:
        """One batched step of every sequence that can move; None when none can before another command."""
        ...
