"""Conversation items and their content parts (protocol section 1.2)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

ItemId = Annotated[str, Field(min_length=1, max_length=32)]
ItemStatus = Literal["completed", "incomplete", "in_progress"]


def _absent(value: object) -> bool:
    return value is None


OmitNone: Any = Field(default=None, exclude_if=_absent)
"""A field that is left out rather than written as null: clients take a null `audio` or `text` amiss."""


class Wire(BaseModel):
    """Every wire type: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputText(Wire):
    type: Literal["input_text"] = "input_text"
    text: str


class InputAudio(Wire):
    """`audio` is base64 in the session's input format; written only by `conversation.item.retrieved`."""

    type: Literal["input_audio"] = "input_audio"
    audio: str | None = OmitNone
    transcript: str | None = None


class InputImage(Wire):
    type: Literal["input_image"] = "input_image"
    image_url: str
    detail: Literal["auto", "low", "high"] = "auto"


class OutputText(Wire):
    """Old clients call the part `text`; it is understood and written as `output_text`."""

    type: Literal["output_text", "text"] = "output_text"
    text: str


class OutputAudio(Wire):
    type: Literal["output_audio"] = "output_audio"
    audio: str | None = OmitNone
    transcript: str | None = None


UserPart = Annotated[InputText | InputAudio | InputImage, Field(discriminator="type")]
AssistantPart = Annotated[OutputText | OutputAudio, Field(discriminator="type")]
Part = InputText | InputAudio | InputImage | OutputText | OutputAudio


class _Item(Wire):
    id: ItemId | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: ItemStatus | None = None


class SystemMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["system"] = "system"
    content: tuple[InputText, ...]


class UserMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["user"] = "user"
    content: tuple[UserPart, ...]


class AssistantMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    content: tuple[AssistantPart, ...]


class FunctionCall(_Item):
    type: Literal["function_call"] = "function_call"
    call_id: ItemId | None = None
    name: str
    arguments: str


class FunctionCallOutput(_Item):
    type: Literal["function_call_output"] = "function_call_output"
    call_id: ItemId
    output: str


class McpTool(Wire):
    name: str
    description: str | None = None
    input_schema: dict[str, Any]
    annotations: dict[str, Any] | None = None


class McpListTools(_Item):
    type: Literal["mcp_list_tools"] = "mcp_list_tools"
    server_label: str
    tools: tuple[McpTool, ...]


class McpError(Wire):
    type: Literal["protocol_error", "tool_execution_error", "http_error"]
    code: int | None = OmitNone
    message: str


class McpCall(_Item):
    type: Literal["mcp_call"] = "mcp_call"
    server_label: str
    name: str
    arguments: str
    approval_request_id: str | None = None
    output: str | None = None
    error: McpError | None = None


class McpApprovalRequest(_Item):
    type: Literal["mcp_approval_request"] = "mcp_approval_request"
    server_label: str
    name: str
    arguments: str


class McpApprovalResponse(_Item):
    type: Literal["mcp_approval_response"] = "mcp_approval_response"
    approval_request_id: str
    approve: bool
    reason: str | None = None


class ItemReference(Wire):
    """Only in `response.input`: an item of the conversation, by id."""

    type: Literal["item_reference"] = "item_reference"
    id: ItemId


def _tag(value: Any) -> str | None:
    """Messages are told apart by their role, all else by its type."""
    if isinstance(value, dict):
        kind, role = value.get("type"), value.get("role")
    else:
        kind, role = getattr(value, "type", None), getattr(value, "role", None)
    return f"message:{role}" if kind == "message" else kind


_ITEMS = (
    Annotated[SystemMessage, Tag("message:system")]
    | Annotated[UserMessage, Tag("message:user")]
    | Annotated[AssistantMessage, Tag("message:assistant")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")]
    | Annotated[McpListTools, Tag("mcp_list_tools")]
    | Annotated[McpCall, Tag("mcp_call")]
    | Annotated[McpApprovalRequest, Tag("mcp_approval_request")]
    | Annotated[McpApprovalResponse, Tag("mcp_approval_response")]
)
Item = Annotated[_ITEMS, Discriminator(_tag)]
InputItem = Annotated[_ITEMS | Annotated[ItemReference, Tag("item_reference")], Discriminator(_tag)]
Message = SystemMessage | UserMessage | AssistantMessage
