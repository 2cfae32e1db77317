"""The session object of `session.update` (protocol section 4): fields, defaults, and what a partial update changes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationError
from pydantic_core import PydanticCustomError

from realtime_server.protocol.errors import ClientError, from_validation, listed, missing, not_supported, wrong_type
from realtime_server.protocol.shapes import Decimal, Flag, Integer, Many, OmitNone, Tempered, Wire, by_json_type, by_type

MOST_TOOLS = 128
DEFAULT_INSTRUCTIONS = "You are a helpful assistant."


class PcmFormat(Wire):
    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class MuLawFormat(Wire):
    type: Literal["audio/pcmu"] = "audio/pcmu"


class ALawFormat(Wire):
    type: Literal["audio/pcma"] = "audio/pcma"


AudioFormat = Annotated[
    Annotated[PcmFormat, Tag("<audio/pcm>")]
    | Annotated[MuLawFormat, Tag("<audio/pcmu>")]
    | Annotated[ALawFormat, Tag("<audio/pcma>")],
    Discriminator(by_type),
]


class ServerVad(Wire):
    """A turn begins and ends where the detector's probability crosses `threshold`, with padding and silence in ms."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Decimal = Field(default=0.5, ge=0, le=1)
    prefix_padding_ms: Integer = Field(default=300, ge=0, le=5000)
    silence_duration_ms: Integer = Field(default=200, ge=0, le=10_000)
    idle_timeout_ms: Integer | None = Field(default=None, ge=5000, le=30_000)
    create_response: Flag = True
    interrupt_response: Flag = True


class SemanticVad(Wire):
    type: Literal["semantic_vad"] = "semantic_vad"
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: Flag = True
    interrupt_response: Flag = True


TurnDetection = Annotated[
    Annotated[ServerVad, Tag("<server_vad>")] | Annotated[SemanticVad, Tag("<semantic_vad>")], Discriminator(by_type)
]


class Transcription(Wire):
    """Any model name is accepted: the model that listens transcribes."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    languages: Many[str] | None = OmitNone
    keywords: Many[str] | None = OmitNone
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = Field(default=None, exclude=True)


class NoiseReduction(Wire):
    type: Literal["near_field", "far_field"]
    strength: Decimal | None = OmitNone


class AudioInput(Wire):
    format: AudioFormat = PcmFormat()
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None = ServerVad()


class CustomVoice(Wire):
    id: str


VoiceChoice = Annotated[
    Annotated[str, Tag("<a string>")] | Annotated[CustomVoice, Tag("<an object>")], Discriminator(by_json_type)
]


class AudioOutput(Wire):
    format: AudioFormat = PcmFormat()
    voice: VoiceChoice = "alloy"
    speed: Decimal = Field(default=1.0, ge=0.25, le=1.5)


class RealtimeAudio(Wire):
    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


def no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


def _or_no_parameters(value: object) -> object:
    return no_parameters() if value is None else value


class FunctionTool(Wire):
    type: Literal["function"] = "function"
    name: str = Field(min_length=1, max_length=64)
    description: str | None = OmitNone
    parameters: Annotated[dict[str, Any], BeforeValidator(_or_no_parameters)] = Field(default_factory=no_parameters)


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
    allowed_callers: Many[str] | None = OmitNone
    defer_loading: Flag | None = OmitNone


Tool = Annotated[Annotated[FunctionTool, Tag("<function>")] | Annotated[McpTool, Tag("<mcp>")], Discriminator(by_type)]


class NamedFunction(Wire):
    type: Literal["function"] = "function"
    name: str


class NamedMcp(Wire):
    type: Literal["mcp"] = "mcp"
    server_label: str
    name: str | None = None


_NamedTool = Annotated[Annotated[NamedFunction, Tag("<function>")] | Annotated[NamedMcp, Tag("<mcp>")], Discriminator(by_type)]
ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("<a string>")] | Annotated[_NamedTool, Tag("<an object>")],
    Discriminator(by_json_type),
]
MaxOutputTokens = Annotated[
    Annotated[Integer, Field(ge=1, le=4096), Tag("<an integer>")] | Annotated[Literal["inf"], Tag("<a string>")],
    Discriminator(by_json_type),
]


def _one(modalities: tuple[str, ...]) -> tuple[str, ...]:
    """Sound brings its transcript along: both at once is the beta's way to say so."""
    if len(modalities) != 1:
        text = f"{list(modalities)[:4]} cannot be combined. Supported combinations are: ['text'] and ['audio']"
        raise PydanticCustomError("modalities", "{text}", {"text": text})
    return modalities


OutputModalities = Annotated[Many[Literal["text", "audio"]], AfterValidator(_one)]


class TracingConfig(Wire):
    workflow_name: str | None = OmitNone
    group_id: str | None = OmitNone
    metadata: dict[str, Any] | None = OmitNone


Tracing = Annotated[
    Annotated[Literal["auto"], Tag("<a string>")] | Annotated[TracingConfig, Tag("<an object>")], Discriminator(by_json_type)
]


class TokenLimits(Wire):
    post_instructions: Integer | None = Field(default=None, ge=0)


class RetentionRatio(Wire):
    type: Literal["retention_ratio"] = "retention_ratio"
    retention_ratio: Decimal = Field(ge=0, le=1)
    token_limits: TokenLimits | None = OmitNone


Truncation = Annotated[
    Annotated[Literal["auto", "disabled"], Tag("<a string>")]
    | Annotated[Annotated[Annotated[RetentionRatio, Tag("<retention_ratio>")], Discriminator(by_type)], Tag("<an object>")],
    Discriminator(by_json_type),
]


class Prompt(Wire):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class Reasoning(Wire):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


Include = Literal["item.input_audio_transcription.logprobs"]


class RealtimeSession(Tempered):
    """`type: realtime`, whole, as `session.created` and `session.updated` show it."""

    type: Literal["realtime"] = "realtime"
    object: Literal["realtime.session"] = "realtime.session"
    id: str
    model: str
    expires_at: int
    output_modalities: OutputModalities = ("audio",)
    instructions: str = DEFAULT_INSTRUCTIONS
    audio: RealtimeAudio = RealtimeAudio()
    include: Many[Include] | None = None
    tracing: Tracing | None = None
    tools: Many[Tool] = Field(default=(), max_length=MOST_TOOLS)
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: Flag = True
    reasoning: Reasoning | None = OmitNone
    max_output_tokens: MaxOutputTokens = "inf"
    truncation: Truncation = "auto"
    prompt: Prompt | None = None


class TranscriptionAudio(Wire):
    input: AudioInput = AudioInput()


class TranscriptionSession(Wire):
    """`type: transcription`: transcripts, never a response."""

    type: Literal["transcription"] = "transcription"
    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    id: str
    expires_at: int
    include: Many[Include] | None = None
    audio: TranscriptionAudio = TranscriptionAudio()


Session = RealtimeSession | TranscriptionSession
_SESSIONS: dict[str, type[RealtimeSession | TranscriptionSession]] = {
    "realtime": RealtimeSession,
    "transcription": TranscriptionSession,
}
_FIXED = ("id", "object", "model", "expires_at")
_CHOSEN_BY_TYPE = ("format", "turn_detection", "noise_reduction", "truncation", "tool_choice")
"""Objects that change their kind by their `type`: with another type they are replaced, not merged."""


_NULL_MEANS_UNCHANGED = ("audio", "input", "output", "format", "voice", "speed")
"""Clients write out the optional fields that they do not set."""


def merge(current: Any, patch: Any) -> Any:
    """`patch` over `current`, key by key; lists and scalars are replaced."""
    if not isinstance(current, dict) or not isinstance(patch, dict):
        return patch
    merged = dict(current)
    for key, value in patch.items():
        if value is None and key in _NULL_MEANS_UNCHANGED:
            continue
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
        raise missing("session.type")
    kind = patch["type"]
    if not isinstance(kind, str):
        raise wrong_type(kind, "session.type", "a string")
    if kind not in _SESSIONS:
        raise not_supported(kind, "session.type", listed(list(_SESSIONS)))
    if kind != session.type:
        raise ClientError(f"Cannot change the session type from '{session.type}'.", "invalid_value", "session.type")
    # The model is fixed after the start: sending it again, even another one, changes nothing and is no error.
    changes = {k: v for k, v in patch.items() if k not in _FIXED}
    merged = merge(session.model_dump(mode="json"), changes)
    for name in _NULL_MEANS_DEFAULT:
        if name in changes and changes[name] is None:
            merged.pop(name)
    try:
        result: Session = _SESSIONS[session.type].model_validate(merged)
    except ValidationError as error:
        raise from_validation(error, "session") from None
    if isinstance(session, RealtimeSession) and "tools" not in changes:
        # What is never shown again (an MCP server's authorization) would be lost on the way through JSON.
        result = result.model_copy(update={"tools": session.tools})
    return result
