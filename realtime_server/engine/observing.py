"""What happens, when, and how long it took, to whoever measures: metrics and traces are made of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

Result = TypeVar("Result")
Kind = Literal["opened", "ended", "refused", "received", "sent", "output", "deadline", "command", "step"]
"""By a call: its begin and end, from its client, to its client, from engine or player, by the clock; at the door: why somebody
was refused; by the engine's worker: a command, a step."""


@dataclass(frozen=True)
class Noted:
    """`at` is when it began, by the monotonic clock, and `took_s` how long it kept its thread."""

    session_id: str
    """Empty for what is done for many at once."""
    kind: Kind
    name: str
    """The event's type, or the message's."""
    at: float
    took_s: float


class Observer(Protocol):
    def note(self, noted: Noted) -> None:
        """Called on any thread; returns at once, and raises nothing."""
        ...


def observed(observer: Observer | None, session_id: str, kind: Kind, name: str, work: Callable[[], Result]) -> Result:
    """Does the work, and notes it also where it raises; without an observer it does the work."""
    if observer is None:
        return work()
    at = time.monotonic()
    try:
        return work()
    finally:
        observer.note(Noted(session_id, kind, name, at, time.monotonic() - at))
