"""Prefix reuse across turns: what a session's last stream begins with need not be computed again."""

from realtime_server.engine.runtime.cache import Slots
from realtime_server.engine.runtime.steps import Stream


def common(a: list[int], b: list[int]) -> int:
    """How many ids both begin with."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


class Prefixes:
    """Of each session one stream at most: that of its last turn or reply, from which the next one starts."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._kept: dict[str, Stream] = {}

    def kept(self, session_id: str) -> Stream | None:
        return self._kept.get(session_id)

    def take(self, session_id: str, ids: list[int]) -> tuple[Stream, int]:
        """A stream cropped to what it has in common with these ids, and how many of them that is.

        The last id is always left to run: what follows needs the logits behind it.
        """
        stream = self._kept.pop(session_id, None) or Stream(self._slots.take(), [])
        cached = common(stream.ids, ids[:-1])
        del stream.ids[cached:]
        return stream, cached

    def keep(self, session_id: str, stream: Stream) -> None:
        """The session's next stream starts from this one."""
        self.end(session_id)
        self._kept[session_id] = stream

    def end(self, session_id: str) -> None:
        """Gives back what is kept of the session."""
        kept = self._kept.pop(session_id, None)
        if kept is not None:
            self._slots.give_back(kept.slot)
