"""What a client does to the items of its conversation: `conversation.item.create`, `retrieve`, `truncate` and `delete`."""

from typing import assert_never

from realtime_server.protocol import client_events as cl
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import ClientError
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry, Intake, with_audio
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.responses import Responses


class ItemEvents:
    """Each has its answer, or raises ClientError and changes nothing."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation, sound: InputAudio, responses: Responses, limits: Limits
    ) -> None:
        self._out, self._conversation, self._sound = outbox, conversation, sound
        self._responses, self._limits = responses, limits

    def receive(self, event: cl.ConversationItemEvent, audio_format: str, now: float) -> None:
        """`audio_format` is the session's, of sound that comes in."""
        match event:
            case cl.ConversationItemCreate():
                self._create(event, audio_format)
            case cl.ConversationItemRetrieve():
                entry = self._conversation.get(event.item_id, "retrieve")
                self._out.send(ev.ConversationItemRetrieved, item=with_audio(entry))
            case cl.ConversationItemTruncate():
                entry = self._conversation.truncate(event.item_id, event.content_index, event.audio_end_ms)
                self._responses.cut_short(entry, now)
                self._out.send(ev.ConversationItemTruncated, item_id=event.item_id, content_index=event.content_index,
                               audio_end_ms=event.audio_end_ms)  # fmt: skip
            case cl.ConversationItemDelete():
                self._conversation.delete(event.item_id)
                self._out.send(ev.ConversationItemDeleted, item_id=event.item_id)
            case _:
                assert_never(event)

    def _create(self, event: cl.ConversationItemCreate, audio_format: str) -> None:
        item = event.item
        if isinstance(item, wire.FunctionCallOutput) and not self._has_call(item.call_id):
            text = f"Tool call ID '{item.call_id}' not found in conversation."
            raise ClientError(text, "invalid_tool_call_id", "item.call_id")
        if item.id is not None and item.id == self._sound.item_id:
            text = f"Error adding item: '{item.id}' is the turn that is being heard."
            raise ClientError(text, "item_create_duplicate_item_id", "item.id")
        entry = Intake(self._out, audio_format, self._limits).entry(item, "item")
        self._conversation.insert(entry, event.previous_item_id)
        announce(self._out, self._conversation, entry)

    def _has_call(self, call_id: str) -> bool:
        return any(isinstance(e.item, wire.FunctionCall) and e.item.call_id == call_id for e in self._conversation)


def announce(outbox: Outbox, conversation: Conversation, entry: Entry) -> None:
    """That it stands in the conversation, whole: `conversation.item.added` and `done`."""
    previous = conversation.previous_id(entry)
    outbox.send(ev.ConversationItemAdded, previous_item_id=previous, item=entry.item)
    outbox.send(ev.ConversationItemDone, previous_item_id=previous, item=entry.item)
