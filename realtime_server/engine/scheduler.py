"""Which sequences step now. It counts; it never computes."""

from collections import Counter

from realtime_server.engine.sequence import Sequence, Status


class Scheduler:
    """Each step takes the ready sequences that have stepped least, up to `limit` of them, and of one session the `share` that
    came first: who asks for much at once waits for himself, and has it done, and its memory free, one thing after the other.

    An answer is a sequence that thinks and one that speaks.
    """

    def __init__(self, limit: int = 64, share: int = 2) -> None:
        self.limit, self.share = limit, share
        self._sequences: dict[int, Sequence] = {}
        self._held: set[str] = set()
        self._next = 0

    def add(self, session_id: str, key: str) -> Sequence:
        sequence = Sequence(self._next, session_id, key)
        self._sequences[sequence.number] = sequence
        self._next += 1
        return sequence

    def get(self, number: int) -> Sequence:
        return self._sequences[number]

    def remove(self, number: int) -> None:
        self._sequences.pop(number, None)

    def of(self, session_id: str, key: str | None = None) -> list[Sequence]:
        """A session's sequences, or those of one key."""
        return [s for s in self._sequences.values() if s.session_id == session_id and key in (None, s.key)]

    def hold(self, session_id: str, held: bool) -> None:
        (self._held.add if held else self._held.discard)(session_id)

    def waiting(self) -> list[Sequence]:
        return [s for s in self._sequences.values() if s.status is Status.WAITING]

    def next_batch(self) -> list[Sequence]:
        """The sequences of held sessions wait; their turn comes when their client reads again."""
        ready = [s for s in self._sequences.values() if s.status is Status.READY and s.session_id not in self._held]
        entitled: list[Sequence] = []
        taken: Counter[str] = Counter()
        for sequence in ready:
            if taken[sequence.session_id] < self.share:
                taken[sequence.session_id] += 1
                entitled.append(sequence)
        chosen = sorted(entitled, key=lambda s: (s.steps, s.number))[: self.limit]
        for sequence in chosen:
            sequence.steps += 1
        return chosen
