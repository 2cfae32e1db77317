"""Which sequences step now, and how far. It counts; it never computes."""

from collections import Counter
from collections.abc import Iterator
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
    """One generation. `key` groups what is cancelled together: a response's thinking and speaking, or a turn being heard."""

    number: int
    session_id: str
    key: str
    status: Status = Status.WAITING
    positions: int = 1
    """Of its next step."""
    divisible: bool = False
    """May its next step be done in parts?"""
    turn: int = -1
    """How many turns had been granted before its last one."""


@dataclass(frozen=True)
class Limits:
    """Of a batch. `share`: sequences of one session, those that came first (an answer is two: it thinks and speaks); who asks
    for much at once waits for himself, and has it done, and its memory free, one thing after the other. `budget`: positions
    of all together; `chunk`: positions of a step that may be done in parts (chunked prefill, Agrawal et al. 2024)."""

    sequences: int = 64
    share: int = 2
    budget: int = 512
    chunk: int = 128


@dataclass(frozen=True)
class Granted:
    """So many positions of a sequence's next step."""

    sequence: Sequence
    positions: int


class Scheduler:
    """Sequences in order of arrival, of which those that have waited longest come first."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._sequences: dict[int, Sequence] = {}
        self._held: set[str] = set()
        self._next = self._turns = 0

    def add(self, session_id: str, key: str) -> Sequence:
        sequence = Sequence(self._next, session_id, key)
        self._sequences[sequence.number] = sequence
        self._next += 1
        return sequence

    def remove(self, sequence: Sequence) -> None:
        self._sequences.pop(sequence.number, None)

    def of(self, session_id: str, key: str | None = None) -> list[Sequence]:
        """A session's sequences, or those of one key."""
        return [s for s in self._sequences.values() if s.session_id == session_id and key in (None, s.key)]

    def all(self) -> list[Sequence]:
        return list(self._sequences.values())

    def hold(self, session_id: str, held: bool) -> None:
        (self._held.add if held else self._held.discard)(session_id)

    def waiting(self) -> list[Sequence]:
        return [s for s in self._sequences.values() if s.status is Status.WAITING]

    def next_batch(self) -> list[Granted]:
        """The sequences of held sessions wait; their turn comes when their client reads again.

        A step that stays whole and is too long for the budget has its turn once it has waited longest.
        """
        chosen: list[Granted] = []
        left = self.limits.budget
        for sequence in self._in_turn():
            if len(chosen) == self.limits.sequences:
                break
            positions = min(sequence.positions, self.limits.chunk, left) if sequence.divisible else sequence.positions
            if chosen and not 0 < positions <= left:
                continue
            left -= positions
            sequence.turn = self._turns
            self._turns += 1
            chosen.append(Granted(sequence, positions))
        return chosen

    def _in_turn(self) -> list[Sequence]:
        """Who has waited longest is in, whatever it costs; then what stays whole; prompts are read in the room that is left."""
        ready = sorted(self._entitled(), key=lambda s: (s.turn, s.number))
        return ready[:1] + sorted(ready[1:], key=lambda s: s.divisible)

    def _entitled(self) -> Iterator[Sequence]:
        """Of each session that reads, those that came first of what is ready."""
        seen: Counter[str] = Counter()
        for sequence in self._sequences.values():
            if sequence.status is Status.READY and sequence.session_id not in self._held:
                seen[sequence.session_id] += 1
                if seen[sequence.session_id] <= self.limits.share:
                    yield sequence
