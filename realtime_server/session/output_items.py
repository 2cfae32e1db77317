"""A response's output items and their parts, and the exact order of their events (protocol 2.2, 2.3, 2.6, 2.10)."""

from dataclasses import dataclass
from typing import Any, Literal

from realtime_server.messages import Samples
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.session.conversation import Conversation
from realtime_server.session.delta_encoder import DeltaEncoder
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Playout
from realtime_server.session.recording import Recording


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


class OutputItems:
    """At most one is open: a message, which opens with its first word or sound, or a function call. `close` ends it."""

    def __init__(
        self, outbox: Outbox, response_id: str, modality: Literal["audio", "text"], encoder: DeltaEncoder,
        conversation: Conversation | None, playout: Playout | None,
    ) -> None:  # fmt: skip
        """`conversation`: to which they are added; `playout`: where their sound goes, if not into events."""
        self._out, self._response_id, self._modality, self._encoder = outbox, response_id, modality, encoder
        self._conversation, self._playout = conversation, playout
        self._done: list[Entry] = []
        self._open: OpenItem | None = None

    @property
    def done(self) -> tuple[Any, ...]:
        """As the client is shown them."""
        return tuple(entry.item for entry in self._done)

    def is_making(self, entry: Entry) -> bool:
        return self._open is not None and self._open.entry is entry

    def text(self, delta: str) -> None:
        """More of the words: of a text answer, or of a spoken one's transcript."""
        item = self._message()
        if self._modality == "text":
            item.entry.change_part(0, text=item.part.text + delta)
            self._send_part(ev.OutputTextDelta, item, delta=delta)
        else:
            item.entry.change_part(0, transcript=item.part.transcript + delta)
            self._send_part(ev.OutputAudioTranscriptDelta, item, delta=delta)

    def audio(self, samples: Samples, characters: int) -> None:
        """More of the sound; at its end, so many characters of the words have been spoken."""
        item = self._message()
        if self._conversation is not None:
            item.entry.recordings[0].append(samples, characters)
        if self._playout is not None:
            self._playout.play(self._response_id, item.entry, samples)
        else:
            self._send_audio(item, self._encoder.push(samples))

    def start_call(self, name: str) -> None:
        self.close("completed")
        call_id = self._out.new_id("call")
        item_id = self._out.new_id("item")
        call = wire.FunctionCall(id=item_id, status="in_progress", call_id=call_id, name=name, arguments="")
        self._add(Entry(call), call)

    def call_arguments(self, delta: str) -> None:
        item = self._open
        assert item is not None and item.is_call
        call = item.entry.item
        item.entry.change(arguments=call.arguments + delta)
        self._out.send(ev.FunctionCallArgumentsDelta, **self._place(item), call_id=call.call_id, delta=delta)

    def close(self, status: wire.ItemStatus) -> None:
        """The open one and its part, if one is open."""
        item = self._open
        if item is None:
            return
        entry = item.entry
        if item.is_call:
            call = entry.item
            self._out.send(
                ev.FunctionCallArgumentsDone,
                **self._place(item), call_id=call.call_id, name=call.name, arguments=call.arguments,
            )  # fmt: skip
        else:
            self._close_part(item, status)
        entry.change(status=status)
        # The client may have deleted it meanwhile; the response still closes what it opened.
        if self._conversation is not None:
            previous = self._conversation.previous_id(entry) if self._conversation.holds(entry) else None
            self._out.send(ev.ConversationItemDone, previous_item_id=previous, item=entry.item)
        self._out.send(ev.OutputItemDone, response_id=self._response_id, output_index=item.index, item=entry.item)
        self._done.append(entry)
        self._open = None

    def _message(self) -> OpenItem:
        """The open message; opens one if a call, or nothing, is open."""
        if self._open is not None and not self._open.is_call:
            return self._open
        self.close("completed")
        spoken = self._modality == "audio"
        content: Any = wire.OutputAudio(transcript="") if spoken else wire.OutputText(text="")
        item_id = self._out.new_id("item")
        message = wire.AssistantMessage(id=item_id, status="in_progress", content=(content,))
        # Nobody can ask again for what is spoken beside the conversation.
        recordings = {0: Recording(item_id)} if spoken and self._conversation is not None else {}
        item = self._add(Entry(message, recordings), message.model_copy(update={"content": ()}))
        self._send_part(ev.ContentPartAdded, item, part=ev.AudioPart() if spoken else ev.TextPart())
        return item

    def _add(self, entry: Entry, shown: Any) -> OpenItem:
        """`shown`: the item as it is announced, without its parts."""
        item = self._open = OpenItem(entry, len(self._done))
        self._out.send(ev.OutputItemAdded, response_id=self._response_id, output_index=item.index, item=shown)
        if self._conversation is not None:
            if (old := self._conversation.make_room()) is not None:
                self._out.send(ev.ConversationItemDeleted, item_id=old.id)
            self._conversation.add(entry)
            previous = self._conversation.previous_id(entry)
            self._out.send(ev.ConversationItemAdded, previous_item_id=previous, item=shown)
        return item

    def _close_part(self, item: OpenItem, status: wire.ItemStatus) -> None:
        if self._modality == "text":
            text = item.part.text
            self._send_part(ev.OutputTextDone, item, text=text)
            self._send_part(ev.ContentPartDone, item, part=ev.TextPart(text=text))
            return
        rest = self._encoder.end()
        if status == "completed":
            self._send_audio(item, rest)
        transcript = item.part.transcript
        self._send_part(ev.OutputAudioDone, item)
        self._send_part(ev.OutputAudioTranscriptDone, item, transcript=transcript)
        self._send_part(ev.ContentPartDone, item, part=ev.AudioPart(transcript=transcript))

    def _place(self, item: OpenItem) -> dict[str, Any]:
        return {"response_id": self._response_id, "item_id": item.entry.id, "output_index": item.index}

    def _send_part(self, kind: type[Any], item: OpenItem, **fields: Any) -> None:
        self._out.send(kind, **self._place(item), content_index=0, **fields)

    def _send_audio(self, item: OpenItem, deltas: list[str]) -> None:
        for delta in deltas:
            self._send_part(ev.OutputAudioDelta, item, delta=delta)
