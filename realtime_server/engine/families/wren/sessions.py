"""What Wren keeps of a session between its turns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from realtime_server.engine.families.wren.recordings import Recording, Recordings
from realtime_server.engine.families.wren.transcribing import TurnTooLong
from realtime_server.engine.families.wren.turns import HeardTurn
from realtime_server.messages import Audio, Message

REMEMBERED_TURNS = 4096
"""Transcripts of a session; older ones are in what the session says of its items, or are heard again."""


@dataclass
class Session:
    id: str
    turns: dict[str, HeardTurn] = field(default_factory=dict)
    """Being heard, or heard and not yet answered."""
    newest: str = ""
    transcripts: dict[str, str] = field(default_factory=dict)
    recordings: Recordings = field(default_factory=Recordings)
    too_long: dict[str, TurnTooLong] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    """Turns of which too little was understood to act on."""

    def note(self, turn: HeardTurn) -> None:
        """What was heard of it: nothing, where it failed."""
        self.transcripts[turn.key] = turn.heard.transcript if turn.heard else ""
        if turn.heard is not None:
            self.recordings.keep(turn.heard)
        while len(self.transcripts) > REMEMBERED_TURNS:
            forgotten = next(iter(self.transcripts))
            del self.transcripts[forgotten]
            self.doubted.discard(forgotten)
            self.too_long.pop(forgotten, None)

    def done_with(self, turn: HeardTurn) -> bool:
        """Forgets it, unless it is still being heard or may still be answered; is its stream free now?"""
        answerable = turn.heard is not None and (turn.wanted or self.newest == turn.key)
        return turn.over and not answerable and self.turns.pop(turn.key, None) is not None

    def recording(self, item: Any) -> Recording | None:
        """What was heard of an item that is a recording and nothing else."""
        parts = item.parts if isinstance(item, Message) else ()
        return self.recordings.get(parts[0].key) if len(parts) == 1 and isinstance(parts[0], Audio) else None


def keys(item: Any) -> Iterator[str]:
    """Of the recordings in it."""
    return (part.key for part in item.parts if isinstance(part, Audio)) if isinstance(item, Message) else iter(())
