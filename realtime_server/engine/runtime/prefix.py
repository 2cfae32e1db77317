"""Prefix reuse: what a session's last stream begins with need not be computed again, nor a head that sessions share."""

from realtime_server.engine.runtime.cache import Slots
from realtime_server.engine.runtime.steps import Stream

WORTH_SHARING = 64
"""Positions of a head; a shorter one is computed sooner than it is looked for."""


def common(a: list[int], b: list[int]) -> int:
    """How many ids both begin with."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


class Prefixes:
    """Of each session one stream at most: that of its last turn or reply, from which the next one starts. Besides these, heads
    that any session may begin with: instructions and tools."""

    def __init__(self, slots: Slots, shared: int = 0) -> None:
        """`shared`: positions of all heads together, of which those that were used last are kept."""
        self._slots, self._room = slots, shared
        self._kept: dict[str, Stream] = {}
        self._heads: list[Stream] = []

    def kept(self, session_id: str) -> Stream | None:
        return self._kept.get(session_id)

    def take(self, session_id: str, ids: list[int]) -> tuple[Stream, int]:
        """A stream cropped to what it has in common with these ids, and how many of them that is.

        The last id is always left to run: what follows needs the logits behind it.
        """
        stream = self._kept.pop(session_id, None) or Stream(self._slots.take(), [])
        cached, before = common(stream.ids, ids[:-1]), ids[:-1]
        head = max(self._heads, key=lambda head: common(head.ids, before), default=None)
        if head is not None and (shared := common(head.ids, before)) > cached:
            self._slots.cache.copy(head.slot, stream.slot, shared)
            self._heads.append(self._heads.pop(self._heads.index(head)))
            stream.ids, cached = head.ids[:shared], shared
        del stream.ids[cached:]
        return stream, cached

    def share(self, stream: Stream, length: int) -> None:
        """Any session may begin with its first ids, which it holds already."""
        head = stream.ids[:length]
        if not WORTH_SHARING <= length <= self._room or any(common(held.ids, head) == length for held in self._heads):
            return
        slot = self._slots.take()
        self._slots.cache.copy(stream.slot, slot, length)
        self._heads.append(Stream(slot, head))
        while sum(len(held.ids) for held in self._heads) > self._room:
            self._slots.give_back(self._heads.pop(0).slot)

    def keep(self, session_id: str, stream: Stream) -> None:
        """The session's next stream starts from this one."""
        self.end(session_id)
        self._kept[session_id] = stream

    def end(self, session_id: str) -> None:
        """Gives back what is kept of the session."""
        kept = self._kept.pop(session_id, None)
        if kept is not None:
            self._slots.give_back(kept.slot)
