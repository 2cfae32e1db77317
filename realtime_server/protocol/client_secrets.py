"""`POST /v1/realtime/client_secrets` (protocol 6.1): what is asked for, and what is answered."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from realtime_server.protocol.errors import ClientError, from_validation, wrong_type
from realtime_server.protocol.session_config import RealtimeSession, TranscriptionSession, updated
from realtime_server.protocol.shapes import Integer, Wire


class ExpiresAfter(Wire):
    anchor: Literal["created_at"] = "created_at"
    seconds: Integer = Field(default=600, ge=10, le=7200)


class ClientSecretRequest(Wire):
    expires_after: ExpiresAfter = ExpiresAfter()
    session: dict[str, Any] | None = None


class ClientSecretResponse(Wire):
    """`session` is whole, with `expires_at` 0: it has not begun."""

    value: str
    expires_at: int
    session: RealtimeSession | TranscriptionSession


def request(data: Any) -> ClientSecretRequest:
    """ClientError with the dotted path of the field that is wrong."""
    if not isinstance(data, dict):
        raise ClientError("The body must be a JSON object.", "invalid_value")
    try:
        return ClientSecretRequest.model_validate({k: v for k, v in data.items() if v is not None})
    except ValidationError as error:
        raise from_validation(error) from None


def effective(patch: dict[str, Any] | None, session_id: str, default_model: str) -> RealtimeSession | TranscriptionSession:
    """The session that these fields make; ClientError as for `session.update`."""
    patch = patch if patch is not None else {"type": "realtime"}
    model = patch.get("model") or default_model
    if not isinstance(model, str):
        raise wrong_type(model, "session.model", "a string")
    if patch.get("type") == "transcription":
        return updated(TranscriptionSession(id=session_id, expires_at=0), patch)
    return updated(RealtimeSession(id=session_id, model=model, expires_at=0), patch)
