"""Ordered items: insert, truncate, delete, retrieve; and what of them the engine is told."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

from realtime_server import messages
from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import Resampler
from realtime_server.messages import AUDIO_RATE_HZ, Samples
from realtime_server.protocol import items as wire
from realtime_server.protocol.errors import ClientError
from realtime_server.session.limits import Limits


@dataclass
class Recording:
    """The audio of one item, as 16-bit integers at AUDIO_RATE_HZ, and how far into its text each part of it reaches."""

    pieces: list[NDArray[np.int16]] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    """(sample, characters): by this sample, so many characters of the transcript have been spoken."""
    length: int = 0

    def append(self, samples: Samples, characters: int | None = None) -> None:
        self.pieces.append(np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16))
        self.length += len(samples)
        if characters is not None:
            self.marks.append((self.length, characters))

    def samples(self) -> Samples:
        whole = np.concatenate(self.pieces) if self.pieces else np.zeros(0, np.int16)
        return whole.astype(np.float32) / np.float32(32768)

    def cut(self, length: int) -> int:
        """Keeps the first `length` samples; returns how many characters had been spoken whole by then."""
        whole = np.concatenate(self.pieces)[:length] if self.pieces else np.zeros(0, np.int16)
        self.pieces, self.length = [whole], len(whole)
        spoken = max((characters for sample, characters in self.marks if sample <= length), default=0)
        self.marks = [mark for mark in self.marks if mark[0] <= length]
        return spoken


@dataclass
class Entry:
    """An item with what the wire does not show of it."""

    item: Any
    recording: Recording | None = None
    heard: str | None = None
    """The engine's transcript of a user turn, whether or not the client asked to see it."""

    size: int = 0
    """Bytes that the client made us keep."""

    @property
    def id(self) -> str:
        return str(self.item.id)

    def context_item(self) -> messages.ContextItem | None:
        """What the engine is told; None for items that it has no use for."""
        item = self.item
        match item:
            case wire.FunctionCall():
                return messages.FunctionCall(self.id, item.call_id or "", item.name, item.arguments)
            case wire.FunctionCallOutput():
                return messages.FunctionResult(self.id, item.call_id, item.output)
            case wire.SystemMessage() | wire.UserMessage() | wire.AssistantMessage():
                return messages.Message(self.id, item.role, tuple(self._part(part) for part in item.content))
            case _:
                return None

    def _part(self, part: wire.Part) -> messages.Text | messages.Audio | messages.Image:
        match part:
            case wire.InputText() | wire.OutputText():
                return messages.Text(part.text)
            case wire.OutputAudio():
                return messages.Text(part.transcript or "")
            case wire.InputImage():
                return messages.Image(part.image_url)
            case wire.InputAudio():
                samples = self.recording.samples() if self.recording else np.zeros(0, np.float32)
                return messages.Audio(samples, part.transcript or self.heard)


class Conversation:
    """The items of one conversation, in order."""

    def __init__(self, conversation_id: str, limits: Limits) -> None:
        self.id = conversation_id
        self._limits = limits
        self._entries: list[Entry] = []

    def __iter__(self) -> Any:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_id(self) -> str | None:
        return self._entries[-1].id if self._entries else None

    def find(self, item_id: str) -> Entry | None:
        return next((entry for entry in self._entries if entry.id == item_id), None)

    def previous_id(self, entry: Entry) -> str | None:
        index = self._entries.index(entry)
        return self._entries[index - 1].id if index else None

    def insert(self, entry: Entry, after: str | None) -> None:
        """`after`: None to append, 'root' for the beginning, or an item's id. ClientError when it cannot be."""
        if self.find(entry.id):
            message = f"Error adding item: an item with id '{entry.id}' already exists."
            raise ClientError(message, "item_create_duplicate_item_id", "item.id")
        if entry.size + sum(other.size for other in self._entries) > self._limits.item_bytes:
            message = f"A conversation holds at most {self._limits.item_bytes} bytes of items."
            raise ClientError(message, "conversation_too_long", "item")
        if len(self._entries) >= self._limits.items:
            raise ClientError(f"A conversation holds at most {self._limits.items} items.", "conversation_too_long", "item")
        if after is None:
            self._entries.append(entry)
        elif after == "root":
            self._entries.insert(0, entry)
        else:
            before = self.find(after)
            if before is None:
                message = f"Error adding item: the previous item with id '{after}' does not exist."
                raise ClientError(message, "item_create_invalid_previous_item_id", "previous_item_id")
            self._entries.insert(self._entries.index(before) + 1, entry)
        self._let_go_of_old_audio()

    def delete(self, item_id: str) -> None:
        self._entries.remove(self.get(item_id, "delete"))

    def get(self, item_id: str, verb: str) -> Entry:
        """ClientError with the code of this verb (`item_delete_invalid_item_id` and its like) if there is none."""
        entry = self.find(item_id)
        if entry is None:
            gerund = {"delete": "deleting", "retrieve": "retrieving", "truncate": "truncating"}[verb]
            message = f"Error {gerund} item: the item with id '{item_id}' does not exist."
            raise ClientError(message, f"item_{verb}_invalid_item_id", "item_id")
        return entry

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cuts audio at the sample, and the transcript after the last word that was spoken whole by then."""
        entry = self.get(item_id, "truncate")
        parts = entry.item.content if isinstance(entry.item, wire.AssistantMessage) else ()
        part = parts[content_index] if 0 <= content_index < len(parts) else None
        if entry.recording is None or not isinstance(part, wire.OutputAudio):
            raise ClientError("Only model output audio messages can be truncated.", "unsupported_content_type", "item_id")
        length = audio_end_ms * AUDIO_RATE_HZ // 1000
        have_ms = entry.recording.length * 1000 // AUDIO_RATE_HZ
        # Clients measure with a wall clock and overshoot a little; that is no error for any of them to hear of.
        if audio_end_ms > have_ms + 1000:
            raise ClientError(
                f"Audio content of {have_ms}ms is already shorter than {audio_end_ms}ms", "invalid_value", "audio_end_ms"
            )
        if length < entry.recording.length:
            spoken = entry.recording.cut(length)
            text = whole_words(part.transcript or "", spoken)
            cut = wire.OutputAudio(transcript=text)
            content = (*parts[:content_index], cut, *parts[content_index + 1 :])
            entry.item = entry.item.model_copy(update={"content": content})

    def _let_go_of_old_audio(self) -> None:
        left = self._limits.kept_audio_s * AUDIO_RATE_HZ
        for entry in reversed(self._entries):
            if entry.recording is not None:
                left -= entry.recording.length
                if left < 0:
                    entry.recording = None


def whole_words(text: str, characters: int) -> str:
    """The first `characters` characters without a word that is cut in half."""
    if characters >= len(text):
        return text
    kept = text[:characters]
    if text[characters].isalnum() and kept and kept[-1].isalnum():
        kept = kept[: max(kept.rfind(" "), 0)]
    return kept.rstrip()


def with_audio(entry: Entry) -> Any:
    """The item as `conversation.item.retrieved` shows it: audio as base64 PCM16."""
    if entry.recording is None or not isinstance(entry.item, wire.UserMessage | wire.AssistantMessage):
        return entry.item
    pcm = FORMATS["audio/pcm"].encode(entry.recording.samples())
    audio = pybase64.b64encode(pcm).decode()
    parts = [
        part.model_copy(update={"audio": audio}) if isinstance(part, wire.InputAudio | wire.OutputAudio) else part
        for part in entry.item.content
    ]
    return entry.item.model_copy(update={"content": tuple(parts)})


def decode_audio(text: str, audio_format: str, param: str, limit: int) -> Samples:
    """base64 -> samples at the format's rate; ClientError in the hosted service's words."""
    expected = f"Invalid '{param}'. Expected base64-encoded audio bytes ({_DESCRIPTIONS[audio_format]}) but got"
    if len(text) > limit * 4 // 3 + 4:
        raise ClientError(f"Invalid '{param}': more than {limit} bytes of audio in one event.", "invalid_value", param)
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise ClientError(f"{expected} an invalid value.", "invalid_value", param) from None
    if not data:
        raise ClientError(f"{expected} empty bytes.", "invalid_value", param)
    shape = FORMATS[audio_format]
    if len(data) % shape.bytes_per_sample:
        raise ClientError(f"{expected} an odd number of bytes.", "invalid_value", param)
    return shape.decode(data)


_DESCRIPTIONS = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "G.711 mu-law at 8kHz",
    "audio/pcma": "G.711 A-law at 8kHz",
}


def client_entry(item: Any, item_id: str, audio_format: str, limit: int) -> Entry:
    """What the client sent as an item, made whole: an id, a status, its audio taken out. ClientError on bad audio."""
    updates: dict[str, Any] = {"id": item_id, "status": "completed"}
    recording = None
    if isinstance(item, wire.UserMessage):
        content: list[Any] = []
        for n, part in enumerate(item.content):
            if isinstance(part, wire.InputAudio) and part.audio is not None:
                recording = recording or Recording()
                samples = decode_audio(part.audio, audio_format, f"item.content[{n}].audio", limit)
                recording.append(Resampler(FORMATS[audio_format].rate_hz, AUDIO_RATE_HZ).push(samples, last=True))
                part = part.model_copy(update={"audio": None})
            content.append(part)
        updates["content"] = tuple(content)
    if isinstance(item, wire.AssistantMessage):
        if any(isinstance(part, wire.OutputAudio) and part.audio for part in item.content):
            raise ClientError("Assistant audio cannot be populated; send its text.", "invalid_value", "item.content")
        parts = [wire.OutputText(text=p.text) if isinstance(p, wire.OutputText) else p for p in item.content]
        updates["content"] = tuple(parts)
    if isinstance(item, wire.FunctionCall) and item.call_id is None:
        updates["call_id"] = item_id.replace("item_", "call_")
    item = item.model_copy(update=updates)
    return Entry(item, recording, size=len(item.model_dump_json()))
