"""The engine's side of the conversations: what commands name by its id stands here, once, and is given to the model whole."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import assert_never

from realtime_server.engine.contract import ModelCommand
from realtime_server.messages import (
    AddItem,
    AddTranscript,
    Audio,
    Cancel,
    Commit,
    Context,
    ContextItem,
    ContextRef,
    EngineCommand,
    Forget,
    Hear,
    Listen,
    Message,
    RemoveItem,
    ReplaceItem,
    Respond,
)


@dataclass
class _Items:
    """Of one conversation."""

    by_id: dict[str, ContextItem] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def add(self, item: ContextItem, after: str | None) -> None:
        self.order.insert(0 if after is None else self.order.index(after) + 1, item.item_id)
        self.by_id[item.item_id] = item

    def remove(self, item_id: str) -> None:
        del self.by_id[item_id]
        self.order.remove(item_id)

    def add_transcript(self, change: AddTranscript) -> None:
        message = self.by_id[change.item_id]
        assert isinstance(message, Message)
        part = message.parts[change.part]
        assert isinstance(part, Audio)
        heard = Audio(part.samples, change.transcript, part.key)
        parts = (*message.parts[: change.part], heard, *message.parts[change.part + 1 :])
        self.by_id[change.item_id] = replace(message, parts=parts)

    def context(self, reference: ContextRef) -> Context:
        """Its sound is shared, not copied. KeyError for an item that is not there."""
        named = self.order if reference.items is None else reference.items
        items = tuple(self.by_id[item] if isinstance(item, str) else item for item in named)
        return Context(reference.instructions, reference.tools, items, reference.truncation, reference.keywords)


class Contexts:
    """Of all sessions of an engine; the order of a session's commands is what keeps both sides the same."""

    def __init__(self) -> None:
        self._sessions: defaultdict[str, _Items] = defaultdict(_Items)

    def take(self, session_id: str, command: EngineCommand) -> ModelCommand | None:
        """What the model is given for it; None where only the context changes."""
        items = self._sessions[session_id]
        match command:
            case AddItem():
                items.add(command.item, command.after)
            case RemoveItem():
                items.remove(command.item_id)
            case ReplaceItem():
                items.by_id[command.item.item_id] = command.item
            case AddTranscript():
                items.add_transcript(command)
            case Listen():
                return Listen(command.item_id, items.context(command.context), command.live)
            case Respond():
                return Respond(
                    command.response_id, items.context(command.context), command.audio, command.voice,
                    command.tool_choice, command.max_output_tokens, command.speed, command.sampling,
                )  # fmt: skip
            case Hear() | Forget() | Commit() | Cancel():
                return command
            case _:
                assert_never(command)
        return None

    def end(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
