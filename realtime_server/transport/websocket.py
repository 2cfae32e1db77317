"""The route `/v1/realtime`: which session a client gets, and with which close code others leave."""

import logging
import time
from collections.abc import Mapping

import orjson
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from realtime_server.protocol.errors import error_object
from realtime_server.protocol.ids import new_id
from realtime_server.session.session import Opening, Session
from realtime_server.transport.admission import Guest, Refused, admit, identify
from realtime_server.transport.connection import BETA, GA, NO_CLOSE_FRAME, Connection, Dialect, Gone
from realtime_server.transport.hall import Hall, Served

log = logging.getLogger(__name__)
router = APIRouter()
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
SUBPROTOCOL = "realtime"


def speaks_beta(headers: Mapping[str, str], subprotocols: list[str], api_version: str | None) -> bool:
    """By header, by subprotocol, or by the old Azure path's preview version (protocol section 3)."""
    return (
        "realtime=v1" in headers.get("openai-beta", "")
        or BETA_SUBPROTOCOL in subprotocols
        or (api_version is not None and api_version.endswith("preview"))
    )


def asked_model(socket: WebSocket, guest: Guest) -> str | None:
    """`model`, Azure's name for it, or the client secret's."""
    return socket.query_params.get("model") or socket.query_params.get("deployment") or (guest.initial or {}).get("model")


def choose(hall: Hall, socket: WebSocket, guest: Guest) -> tuple[Served, str, bool]:
    """(the model, the name that it was asked for by, whether it only transcribes)."""
    if guest.initial is not None:
        transcription = guest.initial.get("type") == "transcription"
    else:
        transcription = socket.query_params.get("intent") == "transcription"
        if transcription and socket.query_params.get("model") is not None:
            raise Refused("invalid_value", "You must not provide a model parameter for transcription sessions.", 4000, 400)
    model = asked_model(socket, guest)
    served = hall.find(model)
    if served is None:
        raise Refused("model_not_found", f"The model '{model}' does not exist or you do not have access to it.", 4000, 404)
    return served, model or served.name, transcription


class _Socket:
    """Starlette's WebSocket as a `connection.Socket`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | Gone:
        try:
            message = await self._socket.receive()
        except RuntimeError:
            # Someone else was told already.
            return Gone(NO_CLOSE_FRAME, "")
        if message["type"] == "websocket.disconnect":
            return Gone(message.get("code", NO_CLOSE_FRAME), message.get("reason") or "")
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
        guest = identify(hall, socket.headers, offered)
        admit(hall, guest)
        _check_dialect(hall, dialect)
        served, model, transcription = choose(hall, socket, guest)
    except Refused as refused:
        await _refuse(_Socket(socket), refused)
        return
    limits = hall.settings.limits
    opening = Opening(
        model, transcription, int(time.time()) + limits.session_s, hall.now(), guest.initial, served.abilities,
        hall.quota(guest.who),
    )  # fmt: skip

    def connection(name: str) -> Connection:
        return Connection(name, _Socket(socket), Session(opening, limits), served.bridge, hall.settings, dialect)

    await hall.serve(connection, guest.who)


def _check_dialect(hall: Hall, dialect: Dialect) -> None:
    if hall.settings.refuse_beta and dialect is BETA:
        text = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
        raise Refused("beta_api_shape_disabled", text, 4000, 400)


async def _refuse(socket: _Socket, refused: Refused) -> None:
    log.info("x refused: %s", refused.code)
    error = error_object(refused.kind, refused.code, refused.message) | {"event_id": None}
    event = {"type": "error", "event_id": new_id("event"), "error": error}
    try:
        await socket.send(orjson.dumps(event).decode())
    except ConnectionError:
        return
    await socket.close(refused.close_code, f"{refused.kind}.{refused.code}")
