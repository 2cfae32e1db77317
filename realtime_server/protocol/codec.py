"""Text -> ClientEvent, ServerEvent -> text. The adapters are built once, when this module is imported."""

from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from realtime_server.protocol.client_events import AnyClientEvent, ClientEvent
from realtime_server.protocol.errors import ClientError, from_validation
from realtime_server.protocol.server_events import AnyServerEvent, ServerEvent

_CLIENT: TypeAdapter[AnyClientEvent] = TypeAdapter(ClientEvent)
_SERVER: TypeAdapter[AnyServerEvent] = TypeAdapter(ServerEvent)


def decode(text: str | bytes) -> AnyClientEvent:
    """One JSON text frame; ClientError (with the client's `event_id` where it could be read) when it is no valid event."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ClientError(f"The event is not valid JSON: {error}.", "invalid_event") from None
    if not isinstance(data, dict):
        raise ClientError("The event must be a JSON object.", "invalid_event")
    event_id = data.get("event_id") if isinstance(data.get("event_id"), str) else None
    if "type" not in data:
        raise ClientError("The 'type' field is missing.", "invalid_event", "type", event_id)
    try:
        return _CLIENT.validate_python(data)
    except ValidationError as error:
        raise from_validation(error, data, event_id=event_id) from None


def encode(event: AnyServerEvent) -> str:
    return event.model_dump_json()


def decode_server_event(text: str | bytes) -> AnyServerEvent:
    """The inverse of `encode`, for clients and tests."""
    return _SERVER.validate_json(text)


def encode_client_event(event: AnyClientEvent) -> str:
    return event.model_dump_json(exclude_unset=False, exclude_none=True)


def as_data(event: AnyServerEvent) -> dict[str, Any]:
    return event.model_dump(mode="json")
