"""Every event that we may send (protocol section 2), with every field; nulls are written out."""

from typing import Annotated, Literal

from pydantic import Field

from realtime_server.protocol.items import Item
from realtime_server.protocol.session_config import (
    AudioFormat,
    MaxOutputTokens,
    RealtimeSession,
    TranscriptionSession,
    VoiceChoice,
)
from realtime_server.protocol.shapes import OmitNone, Wire


class _Event(Wire):
    event_id: str


class _OfItem(_Event):
    response_id: str
    item_id: str
    output_index: int


class _OfPart(_OfItem):
    content_index: int


# --- what a response is -----------------------------------------------------------------------------------------------


class CachedTokensDetails(Wire):
    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokenDetails(Wire):
    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedTokensDetails = CachedTokensDetails()


class OutputTokenDetails(Wire):
    text_tokens: int = 0
    audio_tokens: int = 0


class Usage(Wire):
    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: InputTokenDetails = InputTokenDetails()
    output_token_details: OutputTokenDetails = OutputTokenDetails()


class ResponseError(Wire):
    type: str
    code: str | None = None
    message: str


ResponseStatus = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]
StatusReason = Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"]


class StatusDetails(Wire):
    type: Literal["completed", "cancelled", "incomplete", "failed"]
    reason: StatusReason | None = OmitNone
    error: ResponseError | None = OmitNone


class ResponseAudioOutput(Wire):
    format: AudioFormat
    voice: VoiceChoice


class ResponseAudio(Wire):
    output: ResponseAudioOutput


class Response(Wire):
    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: ResponseStatus
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    conversation_id: str | None
    output_modalities: tuple[Literal["audio", "text"], ...]
    max_output_tokens: MaxOutputTokens
    audio: ResponseAudio
    usage: Usage | None = None
    metadata: dict[str, str] | None = None


class TextPart(Wire):
    type: Literal["text"] = "text"
    text: str = ""


class AudioPart(Wire):
    type: Literal["audio"] = "audio"
    transcript: str = ""


ContentPart = Annotated[TextPart | AudioPart, Field(discriminator="type")]


# --- session and errors -----------------------------------------------------------------------------------------------


class ErrorDetails(Wire):
    type: str
    code: str | None
    message: str
    param: str | None
    event_id: str | None


class Error(_Event):
    type: Literal["error"] = "error"
    error: ErrorDetails


class SessionCreated(_Event):
    type: Literal["session.created"] = "session.created"
    session: RealtimeSession | TranscriptionSession


class SessionUpdated(_Event):
    type: Literal["session.updated"] = "session.updated"
    session: RealtimeSession | TranscriptionSession


class RateLimit(Wire):
    name: Literal["requests", "tokens"]
    limit: int
    remaining: int
    reset_seconds: float


class RateLimitsUpdated(_Event):
    type: Literal["rate_limits.updated"] = "rate_limits.updated"
    rate_limits: tuple[RateLimit, ...]


# --- conversation -----------------------------------------------------------------------------------------------------


class Conversation(Wire):
    id: str
    object: Literal["realtime.conversation"] = "realtime.conversation"


class ConversationCreated(_Event):
    type: Literal["conversation.created"] = "conversation.created"
    conversation: Conversation


class ConversationItemAdded(_Event):
    type: Literal["conversation.item.added"] = "conversation.item.added"
    previous_item_id: str | None
    item: Item


class ConversationItemDone(_Event):
    type: Literal["conversation.item.done"] = "conversation.item.done"
    previous_item_id: str | None
    item: Item


class ConversationItemCreated(_Event):
    """The beta's name for added and done in one; a GA session never sends it."""

    type: Literal["conversation.item.created"] = "conversation.item.created"
    previous_item_id: str | None
    item: Item


class ConversationItemRetrieved(_Event):
    type: Literal["conversation.item.retrieved"] = "conversation.item.retrieved"
    item: Item


class ConversationItemTruncated(_Event):
    type: Literal["conversation.item.truncated"] = "conversation.item.truncated"
    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDeleted(_Event):
    type: Literal["conversation.item.deleted"] = "conversation.item.deleted"
    item_id: str


class LogProb(Wire):
    token: str
    logprob: float
    bytes: tuple[int, ...]


class TranscriptionInputDetails(Wire):
    text_tokens: int
    audio_tokens: int


class TranscriptionUsage(Wire):
    type: Literal["tokens"] = "tokens"
    total_tokens: int
    input_tokens: int
    input_token_details: TranscriptionInputDetails
    output_tokens: int


class TranscriptionError(Wire):
    type: str
    code: str | None
    message: str
    param: str | None = None


class TranscriptionDelta(_Event):
    type: Literal["conversation.item.input_audio_transcription.delta"] = "conversation.item.input_audio_transcription.delta"
    item_id: str
    content_index: int
    delta: str
    logprobs: tuple[LogProb, ...] | None = None


class TranscriptionCompleted(_Event):
    type: Literal["conversation.item.input_audio_transcription.completed"] = (
        "conversation.item.input_audio_transcription.completed"
    )
    item_id: str
    content_index: int
    transcript: str
    logprobs: tuple[LogProb, ...] | None = None
    usage: TranscriptionUsage


class TranscriptionSegment(_Event):
    type: Literal["conversation.item.input_audio_transcription.segment"] = "conversation.item.input_audio_transcription.segment"
    item_id: str
    content_index: int
    text: str
    id: str
    speaker: str
    start: float
    end: float


class TranscriptionFailed(_Event):
    type: Literal["conversation.item.input_audio_transcription.failed"] = "conversation.item.input_audio_transcription.failed"
    item_id: str
    content_index: int
    error: TranscriptionError


# --- input and output audio -------------------------------------------------------------------------------------------


class InputAudioBufferCommitted(_Event):
    type: Literal["input_audio_buffer.committed"] = "input_audio_buffer.committed"
    previous_item_id: str | None
    item_id: str


class InputAudioBufferCleared(_Event):
    type: Literal["input_audio_buffer.cleared"] = "input_audio_buffer.cleared"


class SpeechStarted(_Event):
    type: Literal["input_audio_buffer.speech_started"] = "input_audio_buffer.speech_started"
    audio_start_ms: int
    item_id: str


class SpeechStopped(_Event):
    type: Literal["input_audio_buffer.speech_stopped"] = "input_audio_buffer.speech_stopped"
    audio_end_ms: int
    item_id: str


class TimeoutTriggered(_Event):
    type: Literal["input_audio_buffer.timeout_triggered"] = "input_audio_buffer.timeout_triggered"
    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class DtmfEventReceived(Wire):
    """The one event without an `event_id`."""

    type: Literal["input_audio_buffer.dtmf_event_received"] = "input_audio_buffer.dtmf_event_received"
    event: str
    received_at: int


class OutputAudioBufferStarted(_Event):
    type: Literal["output_audio_buffer.started"] = "output_audio_buffer.started"
    response_id: str


class OutputAudioBufferStopped(_Event):
    type: Literal["output_audio_buffer.stopped"] = "output_audio_buffer.stopped"
    response_id: str


class OutputAudioBufferCleared(_Event):
    type: Literal["output_audio_buffer.cleared"] = "output_audio_buffer.cleared"
    response_id: str


# --- responses --------------------------------------------------------------------------------------------------------


class ResponseCreated(_Event):
    type: Literal["response.created"] = "response.created"
    response: Response


class ResponseDone(_Event):
    type: Literal["response.done"] = "response.done"
    response: Response


class OutputItemAdded(_Event):
    type: Literal["response.output_item.added"] = "response.output_item.added"
    response_id: str
    output_index: int
    item: Item


class OutputItemDone(_Event):
    type: Literal["response.output_item.done"] = "response.output_item.done"
    response_id: str
    output_index: int
    item: Item


class ContentPartAdded(_OfPart):
    type: Literal["response.content_part.added"] = "response.content_part.added"
    part: ContentPart


class ContentPartDone(_OfPart):
    type: Literal["response.content_part.done"] = "response.content_part.done"
    part: ContentPart


class OutputTextDelta(_OfPart):
    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    delta: str


class OutputTextDone(_OfPart):
    type: Literal["response.output_text.done"] = "response.output_text.done"
    text: str


class OutputAudioDelta(_OfPart):
    """`delta` is base64 of audio in the response's output format."""

    type: Literal["response.output_audio.delta"] = "response.output_audio.delta"
    delta: str


class OutputAudioDone(_OfPart):
    type: Literal["response.output_audio.done"] = "response.output_audio.done"


class OutputAudioTranscriptDelta(_OfPart):
    type: Literal["response.output_audio_transcript.delta"] = "response.output_audio_transcript.delta"
    delta: str


class OutputAudioTranscriptDone(_OfPart):
    type: Literal["response.output_audio_transcript.done"] = "response.output_audio_transcript.done"
    transcript: str


class FunctionCallArgumentsDelta(_OfItem):
    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    call_id: str
    delta: str


class FunctionCallArgumentsDone(_OfItem):
    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    call_id: str
    name: str
    arguments: str


class McpCallArgumentsDelta(_OfItem):
    type: Literal["response.mcp_call_arguments.delta"] = "response.mcp_call_arguments.delta"
    delta: str
    obfuscation: str | None = OmitNone


class McpCallArgumentsDone(_OfItem):
    type: Literal["response.mcp_call_arguments.done"] = "response.mcp_call_arguments.done"
    arguments: str


class _McpCall(_Event):
    output_index: int
    item_id: str


class McpCallInProgress(_McpCall):
    type: Literal["response.mcp_call.in_progress"] = "response.mcp_call.in_progress"


class McpCallCompleted(_McpCall):
    type: Literal["response.mcp_call.completed"] = "response.mcp_call.completed"


class McpCallFailed(_McpCall):
    type: Literal["response.mcp_call.failed"] = "response.mcp_call.failed"


class _McpListTools(_Event):
    item_id: str


class McpListToolsInProgress(_McpListTools):
    type: Literal["mcp_list_tools.in_progress"] = "mcp_list_tools.in_progress"


class McpListToolsCompleted(_McpListTools):
    type: Literal["mcp_list_tools.completed"] = "mcp_list_tools.completed"


class McpListToolsFailed(_McpListTools):
    type: Literal["mcp_list_tools.failed"] = "mcp_list_tools.failed"


AnyServerEvent = (
    Error | SessionCreated | SessionUpdated | RateLimitsUpdated | ConversationCreated | ConversationItemAdded
    | ConversationItemDone | ConversationItemCreated | ConversationItemRetrieved | ConversationItemTruncated
    | ConversationItemDeleted | TranscriptionDelta | TranscriptionCompleted | TranscriptionSegment | TranscriptionFailed
    | InputAudioBufferCommitted | InputAudioBufferCleared | SpeechStarted | SpeechStopped | TimeoutTriggered
    | DtmfEventReceived | OutputAudioBufferStarted | OutputAudioBufferStopped | OutputAudioBufferCleared | ResponseCreated
    | ResponseDone | OutputItemAdded | OutputItemDone | ContentPartAdded | ContentPartDone | OutputTextDelta
    | OutputTextDone | OutputAudioDelta | OutputAudioDone | OutputAudioTranscriptDelta | OutputAudioTranscriptDone
    | FunctionCallArgumentsDelta | FunctionCallArgumentsDone | McpCallArgumentsDelta | McpCallArgumentsDone
    | McpCallInProgress | McpCallCompleted | McpCallFailed | McpListToolsInProgress | McpListToolsCompleted
    | McpListToolsFailed
)  # fmt: skip
ServerEvent = Annotated[AnyServerEvent, Field(discriminator="type")]
