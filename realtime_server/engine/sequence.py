"""One generation: status and counters."""

from dataclasses import dataclass
from enum import Enum, auto


class Status(Enum):
    READY = auto()
    """Its next step is known."""
    WAITING = auto()
    """It needs something first: more audio, more text, another sequence."""
    DONE = auto()
    FAILED = auto()
    """All that has its key ends with it."""


@dataclass
class Sequence:
    """`key` groups what is cancelled together: a response's thinking and speaking, or a turn that is being heard."""

    number: int
    session_id: str
    key: str
    status: Status = Status.WAITING
    steps: int = 0
