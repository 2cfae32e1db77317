"""Conversation items and their content parts (protocol section 1.2)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from realtime_server.protocol.shapes import Flag, Integer, Many, OmitNone, Wire, by_role, by_type

ItemId = Annotated[str, Field(min_length=1, max_length=32)]
ItemStatus = Literal["completed", "incomplete", "in_progress"]


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
    """Some clients call the part `text` or `input_text`; it is understood and written as `output_text`."""

    type: Literal["output_text", "text", "input_text"] = "output_text"
    text: str


class OutputAudio(Wire):
    type: Literal["output_audio"] = "output_audio"
    audio: str | None = OmitNone
    transcript: str | None = None


UserPart = Annotated[
    Annotated[InputText, Tag("<input_text>")]
    | Annotated[InputAudio, Tag("<input_audio>")]
    | Annotated[InputImage, Tag("<input_image>")],
    Discriminator(by_type),
]
AssistantPart = Annotated[
    Annotated[OutputText, Tag("<output_text>")]
    | Annotated[OutputText, Tag("<text>")]
    | Annotated[OutputText, Tag("<input_text>")]
    | Annotated[OutputAudio, Tag("<output_audio>")],
    Discriminator(by_type),
]
Part = InputText | InputAudio | InputImage | OutputText | OutputAudio


MOST_PARTS = 256


class _Item(Wire):
    id: ItemId | None = None
    object: Literal["realtime.item"] = "realtime.item"
    status: ItemStatus | None = None


class SystemMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["system"] = "system"
    content: Annotated[Many[InputText], Field(max_length=MOST_PARTS)]


class UserMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["user"] = "user"
    content: Annotated[Many[UserPart], Field(max_length=MOST_PARTS)]


class AssistantMessage(_Item):
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    content: Annotated[Many[AssistantPart], Field(max_length=MOST_PARTS)]


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
    tools: Many[McpTool]


class McpError(Wire):
    type: Literal["protocol_error", "tool_execution_error", "http_error"]
    code: Integer | None = OmitNone
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
    approve: Flag
    reason: str | None = None


class ItemReference(Wire):
    """Only in `response.input`: an item of the conversation, by id."""

    type: Literal["item_reference"] = "item_reference"
    id: ItemId


Message = SystemMessage | UserMessage | AssistantMessage
_MESSAGES = Annotated[
    Annotated[SystemMessage, Tag("<system>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")],
    Discriminator(by_role),
]
_ITEMS = (
    Annotated[_MESSAGES, Tag("<message>")]
    | Annotated[FunctionCall, Tag("<function_call>")]
    | Annotated[FunctionCallOutput, Tag("<function_call_output>")]
    | Annotated[McpListTools, Tag("<mcp_list_tools>")]
    | Annotated[McpCall, Tag("<mcp_call>")]
    | Annotated[McpApprovalRequest, Tag("<mcp_approval_request>")]
    | Annotated[McpApprovalResponse, Tag("<mcp_approval_response>")]
)
Item = Annotated[_ITEMS, Discriminator(by_type)]
InputItem = Annotated[_ITEMS | Annotated[ItemReference, Tag("<item_reference>")], Discriminator(by_type)]
