"""`POST /v1/realtime/client_secrets` and its beta ancestors (protocol 6.1 and 6.6): what is asked for, and what is answered."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from realtime_server.protocol import beta
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


class BetaClientSecret(Wire):
    """Stands among the fields of the flat session; the two kinds of session name it differently."""

    expires_after: ExpiresAfter | None = None
    expires_at: ExpiresAfter | None = None


class _BetaBody(Wire):
    client_secret: BetaClientSecret | None = None


BETA_SECONDS = 60


def request(data: Any) -> ClientSecretRequest:
    """ClientError with the dotted path of the field that is wrong."""
    try:
        return ClientSecretRequest.model_validate({k: v for k, v in _object(data).items() if v is not None})
    except ValidationError as error:
        raise from_validation(error) from None


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ClientError("The body must be a JSON object.", "invalid_value")
    return data


def beta_request(data: Any, kind: str) -> tuple[ClientSecretRequest, float | None]:
    """A flat session, which is the whole body, as the GA's request; and its temperature. ClientError as `request`."""
    flat = dict(_object(data))
    try:
        secret = _BetaBody.model_validate({"client_secret": flat.pop("client_secret", None)}).client_secret
        expiry = (secret and (secret.expires_after or secret.expires_at)) or ExpiresAfter(seconds=BETA_SECONDS)
        return ClientSecretRequest(expires_after=expiry, session=beta.ga_session(flat, kind)), beta.temperature_of(flat)
    except ValidationError as error:
        raise from_validation(error) from None
    except ClientError as error:
        raise beta.of_flat_body(error) from None


def beta_response(answer: ClientSecretResponse, temperature: float | None) -> dict[str, Any]:
    """The flat session, and its secret among its fields."""
    flat = beta.beta_session(answer.session.model_dump(mode="json"), temperature or beta.DEFAULT_TEMPERATURE)
    return flat | {"client_secret": {"value": answer.value, "expires_at": answer.expires_at}}


def effective(patch: dict[str, Any] | None, session_id: str, default_model: str) -> RealtimeSession | TranscriptionSession:
    """The session that these fields make; ClientError as for `session.update`."""
    patch = patch if patch is not None else {"type": "realtime"}
    model = patch.get("model")
    if model is not None and not isinstance(model, str):
        raise wrong_type(model, "session.model", "a string")
    if model == "":
        raise ClientError("Invalid 'session.model': an empty string is no model's name.", "invalid_value", "session.model")
    if patch.get("type") == "transcription":
        return updated(TranscriptionSession(id=session_id, expires_at=0), patch)
    return updated(RealtimeSession(id=session_id, model=model or default_model, expires_at=0), patch)
