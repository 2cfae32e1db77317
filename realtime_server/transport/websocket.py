"""The route `/v1/realtime`: who may come in, as what, and with which close code they leave."""

import logging
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from realtime_server.session.session import Opening, Session
from realtime_server.settings import is_this_machine
from realtime_server.transport.connection import BETA, GA, Connection, Dialect
from realtime_server.transport.hall import Hall

log = logging.getLogger(__name__)
router = APIRouter()
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
KEY_PREFIX = "openai-insecure-api-key."
SUBPROTOCOL = "realtime"


class Refused(Exception):
    """The client is told with an `error` event, then the socket closes (protocol 7.5)."""

    def __init__(self, code: str, message: str, close_code: int, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.code, self.message, self.close_code, self.kind = code, message, close_code, kind


def key_of(headers: Mapping[str, str], subprotocols: list[str]) -> str | None:
    """From `Authorization`, `api-key`, or the browser's subprotocol (protocol 7.2 and 7.3)."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    if headers.get("api-key"):
        return headers["api-key"]
    return next((p.removeprefix(KEY_PREFIX) for p in subprotocols if p.startswith(KEY_PREFIX)), None)


def foreign_page(headers: Mapping[str, str]) -> bool:
    """Without keys only this machine's own pages may connect: any page that its user visits could try to."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if not is_this_machine(host):
        return True
    origin = headers.get("origin")
    return origin is not None and not is_this_machine(urlsplit(origin).hostname or "")


def speaks_beta(headers: Mapping[str, str], subprotocols: list[str], api_version: str | None) -> bool:
    """By header, by subprotocol, or by the old Azure path's preview version (protocol section 3)."""
    return (
        "realtime=v1" in headers.get("openai-beta", "")
        or BETA_SUBPROTOCOL in subprotocols
        or (api_version is not None and api_version.endswith("preview"))
    )


def asked_model(socket: WebSocket) -> str | None:
    """`model`, or Azure's name for it."""
    return socket.query_params.get("model") or socket.query_params.get("deployment")


def admit(hall: Hall, socket: WebSocket, offered: list[str], dialect: Dialect) -> None:
    """Refused, when the client may not come in."""
    settings = hall.settings
    if settings.keys and not settings.keys.accept(key_of(socket.headers, offered)):
        raise Refused("invalid_api_key", "Incorrect API key provided.", 3000)
    if not settings.keys and foreign_page(socket.headers):
        raise Refused("invalid_origin", "Without API keys only pages and programs of this machine may connect.", 3000)
    if hall.draining:
        raise Refused("server_shutting_down", "The server is shutting down.", 1001, "server_error")
    if len(hall.connections) >= settings.sessions:
        raise Refused("rate_limit_exceeded", f"The server holds {settings.sessions} sessions already.", 1013)
    if settings.refuse_beta and dialect is BETA:
        text = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
        raise Refused("beta_api_shape_disabled", text, 4000)
    model, transcription = asked_model(socket), socket.query_params.get("intent") == "transcription"
    if transcription and model is not None:
        raise Refused("invalid_value", "You must not provide a model parameter for transcription sessions.", 4000)
    if model is not None and not hall.knows(model):
        raise Refused("model_not_found", f"The model '{model}' does not exist or you do not have access to it.", 4000)


class _Socket:
    """Starlette's WebSocket as a `connection.Socket`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | bytes | None = message.get("text")
        return text if text is not None else message["bytes"]

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionError(str(error)) from None

    async def close(self, code: int, reason: str) -> None:
        try:
            await self._socket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError):
            log.debug("x already closed")


@router.websocket("/v1/realtime")
@router.websocket("/v1//realtime")
@router.websocket("/openai/v1/realtime")
@router.websocket("/openai/realtime")
async def realtime(socket: WebSocket) -> None:
    hall: Hall = socket.app.state.hall
    offered: list[str] = socket.scope.get("subprotocols", [])
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    dialect = BETA if speaks_beta(socket.headers, offered, socket.query_params.get("api-version")) else GA
    try:
        admit(hall, socket, offered, dialect)
    except Refused as refused:
        await _refuse(_Socket(socket), refused)
        return
    model = asked_model(socket) or hall.model_name
    limits = hall.settings.limits
    opening = Opening(
        model, socket.query_params.get("intent") == "transcription", int(time.time()) + limits.session_s, hall.now()
    )

    def connection(name: str) -> Connection:
        return Connection(name, _Socket(socket), Session(opening, limits), hall.bridge, hall.settings, dialect)

    await hall.serve(connection)


async def _refuse(socket: _Socket, refused: Refused) -> None:
    log.info("x refused: %s", refused.code)
    error = {"type": refused.kind, "code": refused.code, "message": refused.message, "param": None, "event_id": None}
    event = {"type": "error", "event_id": f"event_{time.time_ns():x}", "error": error}
    try:
        await socket.send(orjson.dumps(event).decode())
    except ConnectionError:
        return
    await socket.close(refused.close_code, f"{refused.kind}.{refused.code}")
