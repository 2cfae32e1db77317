"""One response: its output items, and the exact order of its server events (protocol sequences 2.2, 2.3, 2.6, 2.10, 2.17)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pybase64

from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import Resampler
from realtime_server.messages import AUDIO_RATE_HZ, Prompted, Samples
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.session_config import AudioFormat, CustomVoice, MaxOutputTokens
from realtime_server.session.conversation import Conversation, Entry, Recording
from realtime_server.session.outbox import Outbox
from realtime_server.session.states import ResponseInput, ResponseState, next_response_state
from realtime_server.session.transcripts import INPUT_AUDIO_TOKENS_PER_S

LONGEST_DELTA_MS = 500
"""Some clients drop the connection at frames of 1 MiB; and shorter pieces start to play sooner."""
OUTPUT_AUDIO_TOKENS_PER_S = 20


@dataclass(frozen=True)
class ResponseSettings:
    """The session's fields with this response's overrides."""

    modality: Literal["audio", "text"]
    voice: str | CustomVoice
    format: AudioFormat
    max_output_tokens: MaxOutputTokens
    metadata: dict[str, str] | None


@dataclass
class OpenItem:
    """The output item that is being made."""

    entry: Entry
    index: int
    call_id: str = ""
    name: str = ""
    text: list[str] = field(default_factory=list)

    @property
    def whole(self) -> str:
        return "".join(self.text)


class Response:
    """In progress from the moment it is made; `close` ends it, once, and closes what is open in order."""

    def __init__(self, outbox: Outbox, conversation: Conversation | None, settings: ResponseSettings, input_audio_s: float):
        self.id = outbox.new_id("resp")
        self.state = ResponseState.IN_PROGRESS
        self.settings = settings
        self.audio_samples = 0
        self.reserved_tokens = 0
        self._prompt = Prompted(self.id, 0, 0)
        self._written_tokens = 0
        self._outbox, self._conversation = outbox, conversation
        self._input_audio_s = input_audio_s
        self._done: list[Entry] = []
        self._open: OpenItem | None = None
        shape = FORMATS[settings.format.type]
        self._encode = shape.encode
        self._most_samples = shape.rate_hz * LONGEST_DELTA_MS // 1000
        self._resampler = Resampler(AUDIO_RATE_HZ, shape.rate_hz)
        self._send(ev.ResponseCreated, response=self._object())

    @property
    def in_conversation(self) -> bool:
        return self._conversation is not None

    @property
    def audio_s(self) -> float:
        """How long its sound takes to play."""
        return self.audio_samples / AUDIO_RATE_HZ

    # --- what the engine makes ----------------------------------------------------------------------------------------

    def prompted(self, prompt: Prompted) -> None:
        self._prompt = prompt

    def text(self, delta: str, tokens: int) -> None:
        self._written_tokens += tokens
        item = self._message()
        if self.settings.modality == "text":
            self._send_part(ev.OutputTextDelta, item, delta=delta)
        else:
            self._send_part(ev.OutputAudioTranscriptDelta, item, delta=delta)
        item.text.append(delta)

    def audio(self, samples: Samples, characters: int) -> None:
        item = self._message()
        assert item.entry.recording is not None
        item.entry.recording.append(samples, characters)
        self.audio_samples += len(samples)
        self._send_audio(item, self._resampler.push(samples))

    def start_call(self, name: str) -> None:
        self._close_item("completed")
        item = OpenItem(Entry(None), len(self._done), self._outbox.new_id("call"), name)
        self._add(item, self._call(item, "in_progress"))

    def call_arguments(self, delta: str, tokens: int) -> None:
        self._written_tokens += tokens
        item = self._open
        assert item is not None and item.name
        item.text.append(delta)
        self._send(ev.FunctionCallArgumentsDelta, **self._place(item), call_id=item.call_id, delta=delta)

    def end_call(self) -> None:
        self._close_item("completed")

    # --- the end ------------------------------------------------------------------------------------------------------

    def close(
        self,
        by: ResponseInput,
        reason: ev.StatusReason | None = None,
        error: ev.ResponseError | None = None,
    ) -> ev.Usage:
        """What it used in the end."""
        state = next_response_state(self.state, by)
        self._close_item("completed" if state is ResponseState.COMPLETED else "incomplete")
        self.state = state
        kind: Any = state.value
        details = None if by is ResponseInput.FINISH else ev.StatusDetails(type=kind, reason=reason, error=error)
        usage = ev.Usage() if by is ResponseInput.FAIL else self._usage()
        self._send(ev.ResponseDone, response=self._object(details, usage))
        return usage

    def _usage(self) -> ev.Usage:
        """Protocol section 5; what was made before a cancellation counts."""
        text, written = self._prompt.text_tokens, self._written_tokens
        heard = round(self._input_audio_s * INPUT_AUDIO_TOKENS_PER_S)
        spoken = self.audio_samples * OUTPUT_AUDIO_TOKENS_PER_S // AUDIO_RATE_HZ
        cached = min(self._prompt.cached_tokens, text)
        return ev.Usage(
            total_tokens=text + heard + written + spoken,
            input_tokens=text + heard,
            output_tokens=written + spoken,
            input_token_details=ev.InputTokenDetails(
                text_tokens=text,
                audio_tokens=heard,
                cached_tokens=cached,
                cached_tokens_details=ev.CachedTokensDetails(text_tokens=cached),
            ),
            output_token_details=ev.OutputTokenDetails(text_tokens=written, audio_tokens=spoken),
        )

    # --- items and parts ----------------------------------------------------------------------------------------------

    def _message(self) -> OpenItem:
        """The open message; opens one if a call, or nothing, is open."""
        if self._open is None or self._open.name:
            self._close_item("completed")
            recording = Recording() if self.settings.modality == "audio" else None
            item = OpenItem(Entry(None, recording), len(self._done))
            self._add(item, wire.AssistantMessage(id=self._outbox.new_id("item"), status="in_progress", content=()))
            part = ev.AudioPart() if self.settings.modality == "audio" else ev.TextPart()
            self._send_part(ev.ContentPartAdded, item, part=part)
            return item
        return self._open

    def _call(self, item: OpenItem, status: wire.ItemStatus) -> wire.FunctionCall:
        item_id = item.entry.id if item.entry.item is not None else self._outbox.new_id("item")
        return wire.FunctionCall(id=item_id, status=status, call_id=item.call_id, name=item.name, arguments=item.whole)

    def _add(self, item: OpenItem, wire_item: Any) -> None:
        item.entry.item = wire_item
        self._open = item
        self._send(ev.OutputItemAdded, response_id=self.id, output_index=item.index, item=wire_item)
        if self._conversation is not None:
            self._conversation.insert(item.entry, None)
            previous = self._conversation.previous_id(item.entry)
            self._send(ev.ConversationItemAdded, previous_item_id=previous, item=wire_item)

    def _close_item(self, status: wire.ItemStatus) -> None:
        item = self._open
        if item is None:
            return
        if item.name:
            final: Any = self._call(item, status)
            self._send(
                ev.FunctionCallArgumentsDone,
                **self._place(item), call_id=item.call_id, name=item.name, arguments=item.whole,
            )  # fmt: skip
        else:
            final = self._close_message(item, status)
        item.entry.item = final
        # The client may have deleted it meanwhile; the response still closes what it opened.
        if self._conversation is not None:
            kept = self._conversation.find(item.entry.id) is not None
            previous = self._conversation.previous_id(item.entry) if kept else None
            self._send(ev.ConversationItemDone, previous_item_id=previous, item=final)
        self._send(ev.OutputItemDone, response_id=self.id, output_index=item.index, item=final)
        self._done.append(item.entry)
        self._open = None

    def _close_message(self, item: OpenItem, status: wire.ItemStatus) -> wire.AssistantMessage:
        if self.settings.modality == "text":
            self._send_part(ev.OutputTextDone, item, text=item.whole)
            self._send_part(ev.ContentPartDone, item, part=ev.TextPart(text=item.whole))
            content: Any = wire.OutputText(text=item.whole)
        else:
            if status == "completed":
                self._send_audio(item, self._resampler.push(_NOTHING, last=True))
                self._resampler = Resampler(AUDIO_RATE_HZ, FORMATS[self.settings.format.type].rate_hz)
            self._send_part(ev.OutputAudioDone, item)
            self._send_part(ev.OutputAudioTranscriptDone, item, transcript=item.whole)
            self._send_part(ev.ContentPartDone, item, part=ev.AudioPart(transcript=item.whole))
            content = wire.OutputAudio(transcript=item.whole)
        return wire.AssistantMessage(id=item.entry.id, status=status, content=(content,))

    # --- sending ------------------------------------------------------------------------------------------------------

    def _object(self, details: ev.StatusDetails | None = None, usage: ev.Usage | None = None) -> ev.Response:
        output = ev.ResponseAudioOutput(format=self.settings.format, voice=self.settings.voice)
        status: Any = self.state.value
        return ev.Response(
            id=self.id,
            status=status,
            status_details=details,
            output=tuple(entry.item for entry in self._done),
            conversation_id=self._conversation.id if self._conversation else None,
            output_modalities=(self.settings.modality,),
            max_output_tokens=self.settings.max_output_tokens,
            audio=ev.ResponseAudio(output=output),
            usage=usage,
            metadata=self.settings.metadata,
        )

    def _send(self, kind: type[Any], **fields: Any) -> None:
        self._outbox.send(kind, **fields)

    def _place(self, item: OpenItem) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": item.entry.id, "output_index": item.index}

    def _send_part(self, kind: type[Any], item: OpenItem, **fields: Any) -> None:
        self._send(kind, **self._place(item), content_index=0, **fields)

    def _send_audio(self, item: OpenItem, samples: Samples) -> None:
        for start in range(0, len(samples), self._most_samples):
            delta = pybase64.b64encode(self._encode(samples[start : start + self._most_samples])).decode()
            self._send_part(ev.OutputAudioDelta, item, delta=delta)


_NOTHING: Samples = FORMATS["audio/pcm"].decode(b"")
