"""What was heard in a session, kept so that every answer hears it: a turn stands in a prompt as it stood while it was said."""

from collections.abc import Generator
from itertools import count
from typing import Any

from realtime_server.engine.families.wren.hearing import HeardTurn
from realtime_server.engine.families.wren.script import USER
from realtime_server.engine.runtime.steps import FRAME, Stream, Think, prefill

MOST_FRAMES = 2000
"""Of all turns that are kept: as many positions as a prompt has, which make 2 MB."""
FRAMES_AT_ONCE = 25
"""Of one step: others move in between."""


class Recordings:
    """The newest turns that were heard, by the keys of their recordings."""

    def __init__(self) -> None:
        self._turns: dict[str, HeardTurn] = {}
        self._marks = count(FRAME - 1, -1)

    def mark(self) -> int:
        """The id of the next turn's frames."""
        return next(self._marks)

    def keep(self, turn: HeardTurn) -> None:
        self._turns.pop(turn.key, None)
        self._turns[turn.key] = turn
        while len(self._turns) > 1 and sum(kept.sound.number for kept in self._turns.values()) > MOST_FRAMES:
            del self._turns[next(iter(self._turns))]

    def get(self, key: str) -> HeardTurn | None:
        return self._turns.get(key)


def ids_of(turn: HeardTurn) -> list[int]:
    """As it stands in a stream."""
    frames, words = turn.as_it_stood()
    return [*[turn.mark] * len(frames), USER, *words]


def replay(stream: Stream, before: list[int], turn: HeardTurn) -> Generator[Think, Any, None]:
    """Appends what the stream lacks of these ids and of the turn behind them."""
    (frames, words), at = turn.as_it_stood(), len(before)
    yield from prefill(stream, before[len(stream.ids) :])
    while (there := len(stream.ids) - at) < len(frames):
        part = frames[there : there + FRAMES_AT_ONCE]
        yield Think(stream, [turn.mark] * len(part), part)
    yield from prefill(stream, [USER, *words][len(stream.ids) - at - len(frames) :])
