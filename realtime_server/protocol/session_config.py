"""The session object of `session.update` (protocol section 4): fields, defaults, and what a partial update changes."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from realtime_server.protocol.errors import ClientError, from_validation
from realtime_server.protocol.items import OmitNone, Wire

MOST_TOOLS = 128
DEFAULT_INSTRUCTIONS = "You are a helpful assistant."


class PcmFormat(Wire):
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class MuLawFormat(Wire):
    type: Literal["audio/pcmu"] = "audio/pcmu"


class ALawFormat(Wire):
    type: Literal["audio/pcma"] = "audio/pcma"


AudioFormat = Annotated[PcmFormat | MuLawFormat | ALawFormat, Field(discriminator="type")]


class ServerVad(Wire):
    """A turn begins and ends where the detector's probability crosses `threshold`, with padding and silence in ms."""

    type: Literal["server_vad"] = "server_vad"
    threshold: float = Field(default=0.5, ge=0, le=1)
    prefix_padding_ms: int = Field(default=300, ge=0, le=5000)
    silence_duration_ms: int = Field(default=200, ge=0, le=10_000)
    idle_timeout_ms: int | None = Field(default=None, ge=5000, le=30_000)
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Wire):
    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class Transcription(Wire):
    """Any model name is accepted: the model that listens transcribes."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    languages: tuple[str, ...] | None = OmitNone
    keywords: tuple[str, ...] | None = OmitNone
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = Field(default=None, exclude=True)


class NoiseReduction(Wire):
    type: Literal["near_field", "far_field"]
    strength: float | None = OmitNone


class AudioInput(Wire):
    format: AudioFormat = PcmFormat()
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = ServerVad()


class CustomVoice(Wire):
    id: str


class AudioOutput(Wire):
    format: AudioFormat = PcmFormat()
    voice: str | CustomVoice = "alloy"
    speed: float = Field(default=1.0, ge=0.25, le=1.5)


class RealtimeAudio(Wire):
    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


class FunctionTool(Wire):
    type: Literal["function"] = "function"
    name: str = Field(min_length=1, max_length=64)
    description: str | None = OmitNone
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})


class McpTool(Wire):
    type: Literal["mcp"] = "mcp"
    server_label: str
    server_url: str | None = OmitNone
    connector_id: str | None = OmitNone
    tunnel_id: str | None = OmitNone
    authorization: str | None = Field(default=None, exclude=True)
    headers: dict[str, str] | None = Field(default=None, exclude=True)
    allowed_tools: Any = OmitNone
    require_approval: Any = OmitNone
    server_description: str | None = OmitNone
    allowed_callers: tuple[str, ...] | None = OmitNone
    defer_loading: bool | None = OmitNone


Tool = Annotated[FunctionTool | McpTool, Field(discriminator="type")]


class NamedFunction(Wire):
    type: Literal["function"] = "function"
    name: str


class NamedMcp(Wire):
    type: Literal["mcp"] = "mcp"
    server_label: str
    name: str | None = None


ToolChoice = Literal["auto", "none", "required"] | Annotated[NamedFunction | NamedMcp, Field(discriminator="type")]
OutputModalities = tuple[Literal["audio"]] | tuple[Literal["text"]]
MaxOutputTokens = Annotated[int, Field(ge=1, le=4096)] | Literal["inf"]


class TracingConfig(Wire):
    workflow_name: str | None = OmitNone
    group_id: str | None = OmitNone
    metadata: dict[str, Any] | None = OmitNone


class TokenLimits(Wire):
    post_instructions: int | None = Field(default=None, ge=0)


class RetentionRatio(Wire):
    type: Literal["retention_ratio"] = "retention_ratio"
    retention_ratio: float = Field(ge=0, le=1)
    token_limits: TokenLimits | None = OmitNone


class Prompt(Wire):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class Reasoning(Wire):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


Include = Literal["item.input_audio_transcription.logprobs"]


class RealtimeSession(Wire):
    """`type: realtime`, whole, as `session.created` and `session.updated` show it."""

    type: Literal["realtime"] = "realtime"
    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str
    expires_at: int
    output_modalities: OutputModalities = ("audio",)
    instructions: str = DEFAULT_INSTRUCTIONS
    audio: RealtimeAudio = RealtimeAudio()
    include: tuple[Include, ...] | None = None
    tracing: Literal["auto"] | TracingConfig | None = None
    tools: tuple[Tool, ...] = Field(default=(), max_length=MOST_TOOLS)
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    reasoning: Reasoning | None = OmitNone
    max_output_tokens: MaxOutputTokens = "inf"
    truncation: Literal["auto", "disabled"] | RetentionRatio = "auto"
    prompt: Prompt | None = None


class TranscriptionAudio(Wire):
    input: AudioInput = AudioInput()


class TranscriptionSession(Wire):
    """`type: transcription`: transcripts, never a response."""

    type: Literal["transcription"] = "transcription"
    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    id: str
    expires_at: int
    include: tuple[Include, ...] | None = None
    audio: TranscriptionAudio = TranscriptionAudio()


Session = RealtimeSession | TranscriptionSession
_SESSIONS: dict[str, TypeAdapter[Any]] = {
    "realtime": TypeAdapter(RealtimeSession),
    "transcription": TypeAdapter(TranscriptionSession),
}
_FIXED = ("id", "object", "model", "expires_at")
_CHOSEN_BY_TYPE = ("format", "turn_detection", "noise_reduction", "truncation", "tool_choice")
"""Objects that change their kind by their `type`: with another type they are replaced, not merged."""


def merge(current: Any, patch: Any) -> Any:
    """`patch` over `current`, key by key; lists and scalars are replaced."""
    if not isinstance(current, dict) or not isinstance(patch, dict):
        return patch
    merged = dict(current)
    for key, value in patch.items():
        before = current.get(key)
        if key in _CHOSEN_BY_TYPE and isinstance(before, dict) and isinstance(value, dict):
            merged[key] = merge(before, value) if value.get("type", before.get("type")) == before.get("type") else value
        elif key in ("variables", "metadata", "tracing", "prompt"):
            merged[key] = value
        else:
            merged[key] = merge(before, value)
    return merged


_NULL_MEANS_DEFAULT = ("instructions", "tools", "tool_choice", "max_output_tokens", "truncation", "parallel_tool_calls",
                       "output_modalities", "reasoning")  # fmt: skip


def updated(session: Session, patch: dict[str, Any]) -> Session:
    """The session after a `session.update`; ClientError, and no change at all, when any field is wrong."""
    if "type" not in patch:
        raise ClientError("Missing required parameter: 'session.type'.", "missing_required_parameter", "session.type")
    if patch["type"] != session.type:
        if patch["type"] not in _SESSIONS:
            raise ClientError(
                f"Invalid value: '{patch['type']}'. Supported values are: 'realtime' and 'transcription'.",
                "invalid_value", "session.type",
            )  # fmt: skip
        raise ClientError(f"Cannot change the session type from '{session.type}'.", "invalid_value", "session.type")
    # The model is fixed after the start: sending it again, even another one, changes nothing and is no error.
    changes = {k: v for k, v in patch.items() if k not in _FIXED}
    merged = merge(session.model_dump(mode="json"), changes)
    for name in _NULL_MEANS_DEFAULT:
        if name in changes and changes[name] is None:
            merged.pop(name)
    try:
        result: Session = _SESSIONS[session.type].validate_python(merged)
    except ValidationError as error:
        raise from_validation(error, merged, "session") from None
    if isinstance(session, RealtimeSession) and "tools" not in changes:
        # What is never shown again (an MCP server's authorization) would be lost on the way through JSON.
        result = result.model_copy(update={"tools": session.tools})
    return result
