"""What the engine has been told of the conversation: each change of it crosses once."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from realtime_server import messages as m
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox


class ContextChanges:
    """`add` and `remove` tell at once, so that the order is the engine's too; what grows word by word is told by `catch_up`,
    which comes before every command that names the conversation."""

    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._told: dict[Entry, m.ContextItem] = {}

    def add(self, entry: Entry, before: Iterable[Entry]) -> None:
        """`before`: what stands before it, the nearest first."""
        item = entry.context_item()
        if item is not None:
            after = next((other.id for other in before if other in self._told), None)
            self._told[entry] = item
            entry.changed = False
            self._out.run(m.AddItem(item, after))

    def remove(self, entry: Entry) -> None:
        if self._told.pop(entry, None) is not None:
            self._out.run(m.RemoveItem(entry.id))

    def update(self, entry: Entry) -> None:
        if entry.changed and (before := self._told.get(entry)) is not None:
            entry.changed = False
            now = self._told[entry] = entry.context_item() or before
            for change in _changes(before, now):
                self._out.run(change)

    def catch_up(self) -> None:
        for entry in self._told:
            self.update(entry)


def _changes(before: m.ContextItem, now: m.ContextItem) -> Iterator[m.ReplaceItem | m.AddTranscript]:
    """A recording that was told does not cross again for its transcript."""
    parts = _parts(before, now)
    if not parts or not all(old == new or _same_sound(old, new) for old, new in parts):
        if now != before:
            yield m.ReplaceItem(now)
        return
    for n, (old, new) in enumerate(parts):
        if isinstance(old, m.Audio) and isinstance(new, m.Audio) and new.transcript not in (None, old.transcript):
            yield m.AddTranscript(now.item_id, n, new.transcript)


def _parts(before: m.ContextItem, now: m.ContextItem) -> list[tuple[m.Part | None, m.Part | None]]:
    """Side by side; none where they are no messages."""
    if isinstance(before, m.Message) and isinstance(now, m.Message):
        return list(zip_longest(before.parts, now.parts))
    return []


def _same_sound(old: m.Part | None, new: m.Part | None) -> bool:
    return isinstance(old, m.Audio) and isinstance(new, m.Audio) and old.key == new.key and old.samples is new.samples
