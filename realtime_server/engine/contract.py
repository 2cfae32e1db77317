"""What every engine promises.

A turn-based model answers `Respond`. A full-duplex one (`Abilities.turns`) takes `Hear` as its frames, one after the other, and
emits text and audio when it pleases, behind `ResponseBegun`; `Listen` opens its stream, nothing is committed, and `Respond`
asks it to speak now.
"""

from collections.abc import Callable
from typing import Protocol

from realtime_server.messages import (
    Abilities,
    Cancel,
    Commit,
    Context,
    DetectorCommand,
    EngineCommand,
    Forget,
    Hear,
    Listen,
    Output,
    Respond,
)

ModelCommand = Listen[Context] | Hear | Forget | Commit | Respond[Context] | Cancel
"""A session's commands as a model is given them: what their contexts name is there (`engine.contexts`)."""
Deliver = Callable[[str, Output], None]
"""(session_id, output); called on the engine's thread."""


class ModelError(Exception):
    """The model cannot be loaded; the message says why and what to do."""


class DeviceLost(Exception):
    """The device computes nothing any more, for nobody: only a new process helps. Raised by `Model.step`."""


class Model(Protocol):
    """A loaded model with all its sequences. Only the worker's thread touches it."""

    name: str
    abilities: Abilities

    def run(self, session_id: str, command: ModelCommand) -> None:
        """Takes note of a command; never computes."""
        ...

    def hold(self, session_id: str, held: bool) -> None:
        """A client that does not read holds its own generation, nobody else's."""
        ...

    def end(self, session_id: str) -> None:
        """The session is over: all that it had is freed."""
        ...

    def step(self) -> list[tuple[str, Output]] | None:
        """One batched step of every sequence that can move; None when none can before another command.

        A sequence that breaks ends with its own failure, and the others do not notice.
        """
        ...

    def abandon(self) -> list[tuple[str, Output]]:
        """Ends every sequence, each with its failure: `step` itself has raised, and nobody knows what they are worth."""
        ...


class EngineClient(Protocol):
    """An engine and its speech detector as a call meets them, wherever they run: `open` first, `end` last.

    A session's commands are taken in order, and what comes of them is delivered in order, on the thread of the caller's loop.
    All that crosses is data, and pickles.
    """

    @property
    def alive(self) -> bool:
        """Do both do their work?"""
        ...

    def open(self, session_id: str, deliver: Callable[[Output], None]) -> None:
        """`deliver` is given each output. Where it raises, it is told so by `SessionFailed`, and gets no more."""
        ...

    def submit(self, session_id: str, command: EngineCommand | DetectorCommand) -> None: ...

    def hold(self, session_id: str, held: bool) -> None:
        """As `Model.hold`."""
        ...

    def end(self, session_id: str) -> None:
        """The session is over; nothing is delivered any more."""
        ...
