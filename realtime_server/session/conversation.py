"""Ordered items: insert, truncate, delete, retrieve."""

from collections.abc import Iterator

from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import items
from realtime_server.protocol.errors import ClientError
from realtime_server.session.context_changes import ContextChanges
from realtime_server.session.entry import Entry
from realtime_server.session.limits import Limits

ROOT = "root"
"""As `previous_item_id`: before the first item."""


class Conversation:
    """The items of one conversation, in order. The limits are for what the client puts in; what is said finds room always."""

    def __init__(self, conversation_id: str, limits: Limits, changes: ContextChanges | None = None) -> None:
        """`changes`: who tells an engine of them, if one has a use for it."""
        self.id = conversation_id
        self._limits, self._changes = limits, changes
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._bytes = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_id(self) -> str | None:
        return self._entries[-1].id if self._entries else None

    def find(self, item_id: str) -> Entry | None:
        return self._by_id.get(item_id)

    def holds(self, entry: Entry) -> bool:
        """The client may have deleted it, and may have put another one under its id."""
        return self._by_id.get(entry.id) is entry

    def previous_id(self, entry: Entry) -> str | None:
        index = self._index(entry)
        return self._entries[index - 1].id if index else None

    def insert(self, entry: Entry, after: str | None) -> None:
        """`after`: None to append, 'root' for the beginning, or an item's id. ClientError when it cannot be."""
        if entry.id == ROOT:
            raise ClientError(
                f"Invalid 'item.id': '{ROOT}' stands for the beginning of a conversation.", "invalid_value", "item.id"
            )
        if entry.id in self._by_id:
            message = f"Error adding item: an item with id '{entry.id}' already exists."
            raise ClientError(message, "item_create_duplicate_item_id", "item.id")
        if entry.size + self._bytes > self._limits.item_bytes:
            message = f"A conversation holds at most {self._limits.item_bytes} bytes of items."
            raise ClientError(message, "conversation_too_long", "item")
        if len(self._entries) >= self._limits.items:
            raise ClientError(f"A conversation holds at most {self._limits.items} items.", "conversation_too_long", "item")
        if after not in (None, ROOT) and after not in self._by_id:
            message = f"Error adding item: the previous item with id '{after}' does not exist."
            raise ClientError(message, "item_create_invalid_previous_item_id", "previous_item_id")
        at = len(self) if after is None else 0 if after == ROOT else self._index(self._by_id[after]) + 1
        self._put(entry, at)

    def make_room(self) -> Entry | None:
        """Before something that was said is added to a full conversation: the oldest item, which is let go for it."""
        if len(self._entries) < self._limits.items:
            return None
        # A system message is an instruction, which does not grow old.
        old = (e for e in self._entries if not isinstance(e.item, items.SystemMessage) and not e.running)
        if (oldest := next(old, None)) is not None:
            self._remove(oldest)
        return oldest

    def add(self, entry: Entry) -> None:
        """What was said, by the user or the model, at the end."""
        self._put(entry, len(self))

    def delete(self, item_id: str) -> None:
        self._remove(self.get(item_id, "delete"))

    def get(self, item_id: str, verb: str) -> Entry:
        """ClientError with the code of this verb (`item_delete_invalid_item_id` and its like) if there is none."""
        entry = self.find(item_id)
        if entry is None:
            gerund = {"delete": "deleting", "retrieve": "retrieving", "truncate": "truncating"}[verb]
            message = f"Error {gerund} item: the item with id '{item_id}' does not exist."
            raise ClientError(message, f"item_{verb}_invalid_item_id", "item_id")
        return entry

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> Entry:
        """Cuts audio at the sample, and the transcript after the last word that was spoken whole by then."""
        entry = self.get(item_id, "truncate")
        recording = entry.recordings.get(content_index)
        if isinstance(entry.item, items.AssistantMessage) and entry.recordings and recording is None:
            text = f"Invalid 'content_index': the item has no audio content at index {content_index}."
            raise ClientError(text, "invalid_value", "content_index")
        spoken_part = isinstance(entry.item, items.AssistantMessage) and recording is not None
        if recording is None or not spoken_part or (entry.running and not recording.length):
            raise ClientError("Only model output audio messages can be truncated.", "unsupported_content_type", "item_id")
        length = audio_end_ms * AUDIO_RATE_HZ // 1000
        have_ms = recording.length * 1000 // AUDIO_RATE_HZ
        # Clients measure with a wall clock and overshoot a little; that is no error for any of them to hear of.
        if audio_end_ms > have_ms + 1000:
            raise ClientError(
                f"Audio content of {have_ms}ms is already shorter than {audio_end_ms}ms", "invalid_value", "audio_end_ms"
            )
        # What is still being written is ahead of its sound.
        if length < recording.length or entry.running:
            entry.cut(content_index, length)
        return entry

    def tell_changes(self) -> None:
        """Before a command that names what is in it."""
        if self._changes is not None:
            self._changes.catch_up()

    def _index(self, entry: Entry) -> int:
        """Most that is asked for is new: from the end."""
        return next(n for n in range(len(self._entries) - 1, -1, -1) if self._entries[n] is entry)

    def _put(self, entry: Entry, at: int) -> None:
        self._entries.insert(at, entry)
        self._by_id[entry.id] = entry
        self._bytes += entry.size
        if self._changes is not None:
            self._changes.add(entry, (self._entries[n] for n in range(at - 1, -1, -1)))
        if entry.recordings:
            self._let_go_of_old_audio()

    def _remove(self, entry: Entry) -> None:
        del self._entries[self._index(entry)], self._by_id[entry.id]
        self._bytes -= entry.size
        if self._changes is not None:
            self._changes.remove(entry)

    def _let_go_of_old_audio(self) -> None:
        left = self._limits.kept_audio_s * AUDIO_RATE_HZ
        for entry in reversed(self._entries):
            left -= entry.kept
            if left < 0 and not entry.running and entry.kept:
                entry.let_go_of_sound()
                if self._changes is not None:
                    self._changes.update(entry)
