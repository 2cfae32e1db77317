"""Who may come in, as what: keys, client secrets, pages of this machine, limits per key. Used by every route."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from realtime_server.settings import is_this_machine
from realtime_server.transport.registry import Registry

KEY_PREFIX = "openai-insecure-api-key."

NO_KEY = "You didn't provide an API key. It belongs into the header 'Authorization', behind 'Bearer '."


class Refused(Exception):
    """The client is told with an error object, then sent away: an HTTP status, or a close code behind an `error` event."""

    def __init__(
        self, code: str, message: str, close_code: int, status: int = 401, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.close_code, self.status, self.kind = code, message, close_code, status, kind


@dataclass(frozen=True)
class Principal:
    """Someone who was let in: `who` is the key's number (None where no keys are asked for)."""

    who: int | None
    initial: dict[str, Any] | None = None
    """The session that his client secret brings along."""
    temperature: float | None = None
    """The beta's, from his client secret."""


def key_of(headers: Mapping[str, str], subprotocols: list[str]) -> str | None:
    """From `Authorization`, `api-key`, or the browser's subprotocol (protocol 7.2 and 7.3)."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return _as_sent(key.strip())
    if headers.get("api-key"):
        return _as_sent(headers["api-key"])
    return next((p.removeprefix(KEY_PREFIX) for p in subprotocols if p.startswith(KEY_PREFIX)), None)


def _as_sent(header: str) -> str:
    """ASGI's headers are bytes read as Latin-1, keys are UTF-8; what is neither matches no key."""
    return header.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def foreign_page(headers: Mapping[str, str]) -> bool:
    """Without keys only this machine's own pages may connect: any page that its user visits could try to."""
    origin = headers.get("origin")
    return not _of_this_machine(f"//{headers.get('host', '')}") or not (origin is None or _of_this_machine(origin))


def _of_this_machine(url: str) -> bool:
    try:
        return is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False


def identify(registry: Registry, headers: Mapping[str, str], subprotocols: list[str], secrets: bool = True) -> Principal:
    """Refused, unless the client has a key, or (where `secrets` will do) a client secret that was made with one."""
    key = key_of(headers, subprotocols)
    if registry.settings.keys and (who := registry.settings.keys.whose(key)) is not None:
        return Principal(who)
    secret = registry.secrets.find(key, registry.now()) if secrets and key is not None else None
    if secret is not None:
        if secret.expired(registry.now()):
            raise Refused("invalid_api_key", "Ephemeral token expired.", 3000)
        return Principal(secret.who, secret.session, secret.temperature)
    if registry.settings.keys:
        raise Refused("invalid_api_key", "Incorrect API key provided." if key is not None else NO_KEY, 3000)
    if foreign_page(headers):
        raise Refused("invalid_origin", "Without API keys only pages and programs of this machine may connect.", 3000, 403)
    return Principal(None)


def admit(registry: Registry, principal: Principal, of_key: bool = True) -> None:
    """Refused, when there is no room for one more session, `of_key`: of his key too."""
    if registry.draining:
        raise Refused("server_shutting_down", "The server is shutting down.", 1001, 503, "server_error")
    if not registry.alive:
        raise Refused("engine_failed", "The speech model has failed; the server needs a restart.", 1011, 503, "server_error")
    if len(registry.calls) >= registry.settings.sessions:
        raise Refused("rate_limit_exceeded", f"The server holds {registry.settings.sessions} sessions already.", 1013, 429)
    most = registry.settings.sessions_per_key
    if of_key and most is not None and registry.sessions_of(principal.who) >= most:
        raise Refused("rate_limit_exceeded", f"This API key has {most} sessions already.", 1013, 429)


def beta_refused() -> Refused:
    """As the hosted service answers the beta since it was switched off there (protocol section 3)."""
    text = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
    return Refused("beta_api_shape_disabled", text, 4000, 400)
