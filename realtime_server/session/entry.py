"""One item of the conversation with what the wire does not show of it; and how a client's item becomes one."""

from dataclasses import dataclass, field
from typing import Any

from realtime_server import messages
from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import PcmResampler
from realtime_server.messages import AUDIO_RATE_HZ, Samples
from realtime_server.protocol import audio, items
from realtime_server.protocol.errors import ClientError
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.recording import Recording, whole_words


@dataclass(eq=False)
class Entry:
    """`item` is what the client is shown, or would be: also while it is being made, with what there is of it so far."""

    item: Any
    recordings: dict[int, Recording] = field(default_factory=dict)
    """The sound of its parts, by content index."""
    transcript: str | None = None
    """The engine's transcript of a user turn, whether or not the client asked to see it."""
    size: int = 0
    """Bytes that the client made us keep."""
    changed: bool = False
    """Since the engine was told of it (`context_changes`)."""

    @property
    def id(self) -> str:
        return str(self.item.id)

    @property
    def running(self) -> bool:
        """Is it still being made?"""
        return bool(self.item.status == "in_progress")

    @property
    def kept(self) -> int:
        """Samples."""
        return sum(recording.kept for recording in self.recordings.values())

    def change(self, **fields: Any) -> None:
        self.item = self.item.model_copy(update=fields)
        self.changed = True

    def change_part(self, index: int, **fields: Any) -> None:
        content = self.item.content
        self.change(content=(*content[:index], content[index].model_copy(update=fields), *content[index + 1 :]))

    def cut(self, index: int, length: int) -> None:
        """The first `length` samples of a spoken part, and what had been said whole by then."""
        text = self.item.content[index].transcript or ""
        self.change_part(index, transcript=whole_words(text, self.recordings[index].cut(length)))

    def note_transcript(self, transcript: str) -> None:
        self.transcript = transcript
        self.changed = True

    def let_go_of_sound(self) -> None:
        for recording in self.recordings.values():
            recording.let_go()
        self.changed = True

    @property
    def user_samples(self) -> int:
        """Of the user's sound."""
        return self.kept if isinstance(self.item, items.UserMessage) else 0

    def context_item(self) -> messages.ContextItem | None:
        """What the engine is told; None for items that it has no use for."""
        item = self.item
        match item:
            case items.FunctionCall():
                return messages.FunctionCall(self.id, item.call_id or "", item.name, item.arguments)
            case items.FunctionCallOutput():
                return messages.FunctionResult(self.id, item.call_id, item.output)
            case items.SystemMessage() | items.UserMessage() | items.AssistantMessage():
                return messages.Message(self.id, item.role, tuple(self._part(n, part) for n, part in enumerate(item.content)))
            case _:
                return None

    def _part(self, index: int, part: items.Part) -> messages.Text | messages.Audio | messages.Image:
        match part:
            case items.InputText() | items.OutputText():
                return messages.Text(part.text)
            case items.OutputAudio():
                return messages.Text(part.transcript or "")
            case items.InputImage():
                return messages.Image(part.image_url)
            case items.InputAudio():
                recording = self.recordings[index]
                return messages.Audio(recording.samples(), part.transcript or self.transcript, recording.key)


def with_audio(entry: Entry) -> Any:
    """The item as `conversation.item.retrieved` shows it: audio as base64 PCM16, each part's own."""
    sounds = {n: recording.samples() for n, recording in entry.recordings.items() if recording.kept}
    if not sounds:
        return entry.item
    encode = FORMATS["audio/pcm"].encode
    parts = [
        part.model_copy(update={"audio": audio.encode(encode(sounds[n]))}) if n in sounds else part
        for n, part in enumerate(entry.item.content)
    ]
    return entry.item.model_copy(update={"content": tuple(parts)})


class Intake:
    """What one event of the client's brings as items; `Limits.item_audio_s` bounds all of its audio together."""

    def __init__(self, outbox: Outbox, audio_format: str, limits: Limits) -> None:
        self._outbox, self._format, self._limits = outbox, audio_format, limits
        self._left = limits.item_audio_s * FORMATS[audio_format].rate_hz

    def entry(self, item: Any, param: str) -> Entry:
        """The item made whole: an id, a status, its audio taken out. ClientError, below `param`, for audio that is refused."""
        item_id = item.id or self._outbox.new_id("item")
        whole = item.model_copy(update={"id": item_id, "status": "completed"})
        entry = Entry(whole)
        match item:
            case items.UserMessage():
                self._take_audio(entry, f"{param}.content")
            case items.AssistantMessage():
                if any(isinstance(part, items.OutputAudio) and part.audio for part in item.content):
                    text = "Assistant audio cannot be populated; send its text."
                    raise ClientError(text, "invalid_value", f"{param}.content")
                # Old clients call the part `text`.
                written = (items.OutputText(text=p.text) if isinstance(p, items.OutputText) else p for p in item.content)
                entry.change(content=tuple(written))
            case items.FunctionCall(call_id=None):
                entry.change(call_id=item_id.replace("item_", "call_"))
            case _:
                pass
        entry.size = len(entry.item.model_dump_json())
        return entry

    def _take_audio(self, entry: Entry, param: str) -> None:
        content = list(entry.item.content)
        for n, part in enumerate(content):
            if isinstance(part, items.InputAudio):
                entry.recordings[n] = self._recording(part.audio, f"{param}[{n}].audio")
                content[n] = part.model_copy(update={"audio": None})
        entry.change(content=tuple(content))

    def _recording(self, text: str | None, param: str) -> Recording:
        """Of no audio, an empty one."""
        recording = Recording(self._outbox.new_id("audio"))
        if text is not None:
            recording.append(self._samples(text, param))
        return recording

    def _samples(self, text: str, param: str) -> Samples:
        shape = FORMATS[self._format]
        data = audio.decode(text, self._format, param, self._limits.append_bytes)
        if len(data) % shape.bytes_per_sample:
            raise ClientError(f"Invalid '{param}': half a sample is left at its end.", "invalid_value", param)
        self._left -= len(data) // shape.bytes_per_sample
        if self._left < 0:
            seconds = self._limits.item_audio_s
            raise ClientError(f"Invalid '{param}': more than {seconds} s of audio in one event.", "invalid_value", param)
        return PcmResampler(shape.rate_hz, AUDIO_RATE_HZ).push(shape.decode(data), last=True)
