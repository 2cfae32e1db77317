"""The eleven events that a client may send (protocol section 1), one class each, and their union."""

from typing import Annotated, Any, Literal

from pydantic import Field

from realtime_server.protocol.items import InputItem, Item
from realtime_server.protocol.session_config import (
    MOST_TOOLS,
    AudioFormat,
    MaxOutputTokens,
    OutputModalities,
    Prompt,
    Reasoning,
    Tool,
    ToolChoice,
    VoiceChoice,
)
from realtime_server.protocol.shapes import Flag, Integer, Many, Tempered, Wire

LONGEST_EVENT_ID = 512


class _ClientEvent(Wire):
    event_id: Annotated[str, Field(max_length=LONGEST_EVENT_ID)] | None = None


class SessionUpdate(_ClientEvent, Tempered):
    """`session` stays a plain object: it is a patch, and is checked once merged (`session_config.updated`)."""

    type: Literal["session.update"] = "session.update"
    session: dict[str, Any]


class InputAudioBufferAppend(_ClientEvent):
    """`audio` is base64 of raw bytes in the session's input format, at most 15 MiB of them."""

    type: Literal["input_audio_buffer.append"] = "input_audio_buffer.append"
    audio: str


class InputAudioBufferCommit(_ClientEvent):
    type: Literal["input_audio_buffer.commit"] = "input_audio_buffer.commit"


class InputAudioBufferClear(_ClientEvent):
    type: Literal["input_audio_buffer.clear"] = "input_audio_buffer.clear"


class OutputAudioBufferClear(_ClientEvent):
    type: Literal["output_audio_buffer.clear"] = "output_audio_buffer.clear"


class ConversationItemCreate(_ClientEvent):
    type: Literal["conversation.item.create"] = "conversation.item.create"
    previous_item_id: str | None = None
    item: Item


class ConversationItemRetrieve(_ClientEvent):
    type: Literal["conversation.item.retrieve"] = "conversation.item.retrieve"
    item_id: str


class ConversationItemTruncate(_ClientEvent):
    type: Literal["conversation.item.truncate"] = "conversation.item.truncate"
    item_id: str
    content_index: Integer
    audio_end_ms: Annotated[Integer, Field(ge=0)]


class ConversationItemDelete(_ClientEvent):
    type: Literal["conversation.item.delete"] = "conversation.item.delete"
    item_id: str


class ResponseAudioOutput(Wire):
    format: AudioFormat | None = None
    voice: VoiceChoice | None = None


class ResponseAudio(Wire):
    output: ResponseAudioOutput | None = None


MetadataKey = Annotated[str, Field(max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)]


class ResponseConfig(Tempered):
    """What one response does differently from the session (protocol section 1.1); null and absent mean: as the session."""

    output_modalities: OutputModalities | None = None
    instructions: str | None = None
    audio: ResponseAudio | None = None
    tools: Annotated[Many[Tool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: Flag | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: MaxOutputTokens | None = None
    conversation: Literal["auto", "none"] | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)] | None = None
    prompt: Prompt | None = None
    input: Many[InputItem] | None = None


class ResponseCreate(_ClientEvent):
    type: Literal["response.create"] = "response.create"
    response: ResponseConfig | None = None


class ResponseCancel(_ClientEvent):
    type: Literal["response.cancel"] = "response.cancel"
    response_id: str | None = None


InputAudioBufferEvent = InputAudioBufferAppend | InputAudioBufferCommit | InputAudioBufferClear
ConversationItemEvent = ConversationItemCreate | ConversationItemRetrieve | ConversationItemTruncate | ConversationItemDelete
AnyClientEvent = (
    SessionUpdate | InputAudioBufferEvent | OutputAudioBufferClear | ConversationItemEvent | ResponseCreate | ResponseCancel
)
