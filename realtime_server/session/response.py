"""One response: its output items, and the exact order of its server events (protocol sequences 2.2, 2.3, 2.6, 2.10, 2.17)."""

from dataclasses import dataclass
from typing import Any, Literal

from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import PcmResampler
from realtime_server.messages import AUDIO_RATE_HZ, Prompted, Samples
from realtime_server.protocol import audio
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.session_config import AudioFormat, CustomVoice, MaxOutputTokens
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Playout
from realtime_server.session.recording import SILENCE, Recording
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


@dataclass(frozen=True)
class OpenItem:
    """The output item that is being made; its entry holds what there is of it at any time."""

    entry: Entry
    index: int

    @property
    def part(self) -> Any:
        return self.entry.item.content[0]

    @property
    def is_call(self) -> bool:
        return isinstance(self.entry.item, wire.FunctionCall)


class Response:
    """In progress from the moment it is made; `close` ends it, once, and closes what is open in order."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation | None, settings: ResponseSettings, input_audio_s: float,
        key: str | None = None, playout: Playout | None = None,
    ):  # fmt: skip
        self.id = outbox.new_id("resp")
        self.key = key or self.id
        """What the engine knows it by."""
        self.state = ResponseState.IN_PROGRESS
        self.settings = settings
        self.audio_samples = 0
        self.reserved_tokens = 0
        self._prompt = Prompted(self.id, 0, 0)
        self._written_tokens = 0
        self._outbox, self._conversation = outbox, conversation
        self._input_audio_s = input_audio_s
        self._playout = playout
        """Where its sound goes, if not into events."""
        self._done: list[Entry] = []
        self._open: OpenItem | None = None
        shape = FORMATS[settings.format.type]
        self._encode = shape.encode
        self._most_samples = shape.rate_hz * LONGEST_DELTA_MS // 1000
        self._resampler = PcmResampler(AUDIO_RATE_HZ, shape.rate_hz)
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
            item.entry.change_part(0, text=item.part.text + delta)
            self._send_part(ev.OutputTextDelta, item, delta=delta)
        else:
            item.entry.change_part(0, transcript=item.part.transcript + delta)
            self._send_part(ev.OutputAudioTranscriptDelta, item, delta=delta)

    def audio(self, samples: Samples, characters: int) -> None:
        item = self._message()
        if self._conversation is not None:
            item.entry.recordings[0].append(samples, characters)
        self.audio_samples += len(samples)
        if self._playout is not None:
            self._playout.play(self.id, item.entry, samples)
        else:
            self._send_audio(item, self._resampler.push(samples))

    def start_call(self, name: str) -> None:
        self._close_item("completed")
        call_id = self._outbox.new_id("call")
        item_id = self._outbox.new_id("item")
        call = wire.FunctionCall(id=item_id, status="in_progress", call_id=call_id, name=name, arguments="")
        self._add(Entry(call), call)

    def call_arguments(self, delta: str, tokens: int) -> None:
        self._written_tokens += tokens
        item = self._open
        assert item is not None and item.is_call
        call = item.entry.item
        item.entry.change(arguments=call.arguments + delta)
        self._send(ev.FunctionCallArgumentsDelta, **self._place(item), call_id=call.call_id, delta=delta)

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
        if self._playout is not None:
            self._playout.complete(self.id)
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

    def is_making(self, entry: Entry) -> bool:
        return self._open is not None and self._open.entry is entry

    def _message(self) -> OpenItem:
        """The open message; opens one if a call, or nothing, is open."""
        if self._open is not None and not self._open.is_call:
            return self._open
        self._close_item("completed")
        spoken = self.settings.modality == "audio"
        content: Any = wire.OutputAudio(transcript="") if spoken else wire.OutputText(text="")
        item_id = self._outbox.new_id("item")
        message = wire.AssistantMessage(id=item_id, status="in_progress", content=(content,))
        # Nobody can ask again for what is spoken beside the conversation.
        recordings = {0: Recording(item_id)} if spoken and self._conversation is not None else {}
        item = self._add(Entry(message, recordings), message.model_copy(update={"content": ()}))
        self._send_part(ev.ContentPartAdded, item, part=ev.AudioPart() if spoken else ev.TextPart())
        return item

    def _add(self, entry: Entry, shown: Any) -> OpenItem:
        """`shown`: the item as it is announced, without its parts."""
        item = self._open = OpenItem(entry, len(self._done))
        self._send(ev.OutputItemAdded, response_id=self.id, output_index=item.index, item=shown)
        if self._conversation is not None:
            if (old := self._conversation.make_room()) is not None:
                self._send(ev.ConversationItemDeleted, item_id=old.id)
            self._conversation.add(entry)
            previous = self._conversation.previous_id(entry)
            self._send(ev.ConversationItemAdded, previous_item_id=previous, item=shown)
        return item

    def _close_item(self, status: wire.ItemStatus) -> None:
        item = self._open
        if item is None:
            return
        entry = item.entry
        if item.is_call:
            call = entry.item
            self._send(
                ev.FunctionCallArgumentsDone,
                **self._place(item), call_id=call.call_id, name=call.name, arguments=call.arguments,
            )  # fmt: skip
        else:
            self._close_part(item, status)
        entry.change(status=status)
        # The client may have deleted it meanwhile; the response still closes what it opened.
        if self._conversation is not None:
            previous = self._conversation.previous_id(entry) if self._conversation.holds(entry) else None
            self._send(ev.ConversationItemDone, previous_item_id=previous, item=entry.item)
        self._send(ev.OutputItemDone, response_id=self.id, output_index=item.index, item=entry.item)
        self._done.append(entry)
        self._open = None

    def _close_part(self, item: OpenItem, status: wire.ItemStatus) -> None:
        if self.settings.modality == "text":
            text = item.part.text
            self._send_part(ev.OutputTextDone, item, text=text)
            self._send_part(ev.ContentPartDone, item, part=ev.TextPart(text=text))
            return
        rest = self._resampler.push(SILENCE, last=True)
        if status == "completed":
            self._send_audio(item, rest)
        transcript = item.part.transcript
        self._send_part(ev.OutputAudioDone, item)
        self._send_part(ev.OutputAudioTranscriptDone, item, transcript=transcript)
        self._send_part(ev.ContentPartDone, item, part=ev.AudioPart(transcript=transcript))

    # --- sending ------------------------------------------------------------------------------------------------------

    def _object(self, details: ev.StatusDetails | None = None, usage: ev.Usage | None = None) -> ev.Response:
        output = ev.ResponseAudioOutput(format=self.settings.format, voice=self.settings.voice)
        status: Any = self.state.value
        return ev.Response(
            id=self.id,
            status=status,
            status_details=details,
            output=tuple(entry.item for entry in self._done),
            conversation_id=self._conversation.id if self._conversation is not None else None,
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
            delta = audio.encode(self._encode(samples[start : start + self._most_samples]))
            self._send_part(ev.OutputAudioDelta, item, delta=delta)
