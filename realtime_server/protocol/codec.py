"""Text -> ClientEvent, ServerEvent -> text. The adapters are built once, when this module is imported."""

from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from realtime_server.protocol.client_events import LONGEST_EVENT_ID, AnyClientEvent
from realtime_server.protocol.errors import ClientError, from_validation, listed, not_supported, wrong_type
from realtime_server.protocol.parsing import parse
from realtime_server.protocol.server_events import AnyServerEvent, ServerEvent

_CLIENT: dict[str, type[AnyClientEvent]] = {cls.model_fields["type"].default: cls for cls in get_args(AnyClientEvent)}
PLAIN_BYTES = 1024 * 1024
"""Of an event that cannot carry audio or images. A session is written back whole at each update."""
_MAY_CARRY_MEDIA = ("input_audio_buffer.append", "conversation.item.create", "response.create")
_SERVER: TypeAdapter[AnyServerEvent] = TypeAdapter(ServerEvent)


def decode(text: str | bytes) -> AnyClientEvent:
    """One JSON text frame; ClientError (with the client's `event_id` where it could be read) when it is no valid event."""
    return event_of(json_object(text))


def json_object(text: str | bytes) -> dict[str, Any]:
    """What every event is, whatever its dialect."""
    data = parse(text)
    if not isinstance(data, dict):
        raise ClientError("The event must be a JSON object.", "invalid_event")
    if len(text) > PLAIN_BYTES and data.get("type") not in _MAY_CARRY_MEDIA:
        message = f"The event has more than {PLAIN_BYTES} bytes: only audio and images may be longer."
        raise ClientError(message, "event_too_large", event_id=event_id_of(data))
    return data


def event_of(data: dict[str, Any]) -> AnyClientEvent:
    """The event that this object is; ClientError as `decode`."""
    try:
        return _class_of(data).model_validate(data)
    except ValidationError as error:
        raise from_validation(error, event_id=event_id_of(data)) from None
    except ClientError as error:
        error.event_id = event_id_of(data)
        raise


def event_id_of(data: dict[str, Any]) -> str | None:
    """The client's own, for an error about this event; none where it is no id."""
    event_id = data.get("event_id")
    return event_id if isinstance(event_id, str) and len(event_id) <= LONGEST_EVENT_ID else None


def _class_of(data: dict[str, Any]) -> type[AnyClientEvent]:
    if "type" not in data:
        raise ClientError("The 'type' field is missing.", "invalid_event", "type")
    kind = data["type"]
    if not isinstance(kind, str):
        raise wrong_type(kind, "type", "a string")
    if kind not in _CLIENT:
        raise not_supported(kind, "type", listed(list(_CLIENT)))
    return _CLIENT[kind]


def encode(event: AnyServerEvent) -> str:
    return event.model_dump_json()


def decode_server_event(text: str | bytes) -> AnyServerEvent:
    """The inverse of `encode`, for clients and tests."""
    return _SERVER.validate_json(text)


def encode_client_event(event: AnyClientEvent) -> str:
    return event.model_dump_json(exclude_unset=False, exclude_none=True)


def as_data(event: AnyServerEvent) -> dict[str, Any]:
    return event.model_dump(mode="json")
