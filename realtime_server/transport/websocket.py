"""The route `/v1/realtime`: which session a client gets, and with which close code others leave."""

import logging
import time
from collections.abc import Mapping

import orjson
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from realtime_server.engine.observing import Noted
from realtime_server.protocol.errors import OUR_FAULT, error_object
from realtime_server.protocol.ids import new_id
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport import http
from realtime_server.transport.admission import KEY_PREFIX, Principal, Refused, admit, beta_refused, identify
from realtime_server.transport.call import Call
from realtime_server.transport.connection import GA, NO_CLOSE_FRAME, Connection, Gone, beta_dialect
from realtime_server.transport.registry import Registry, Served

log = logging.getLogger(__name__)
router = APIRouter()
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
SUBPROTOCOL = "realtime"
AZURE_VOICE_LIVE = "/voice-live/realtime"
AZURE = ("/openai/", "/voice-live/")


def speaks_beta(headers: Mapping[str, str], subprotocols: list[str], api_version: str | None, path: str = "") -> bool:
    """By header, by subprotocol, by the old Azure path's preview version, or by Azure's Voice Live (protocol section 3)."""
    return (
        "realtime=v1" in headers.get("openai-beta", "")
        or BETA_SUBPROTOCOL in subprotocols
        or (api_version is not None and api_version.endswith("preview"))
        or path.startswith(AZURE_VOICE_LIVE)
    )


def asked_model(socket: WebSocket, principal: Principal) -> str | None:
    """`model`, Azure's name for it, or the client secret's."""
    return socket.query_params.get("model") or socket.query_params.get("deployment") or (principal.initial or {}).get("model")


def choose(registry: Registry, socket: WebSocket, principal: Principal) -> tuple[Served, str, bool]:
    """(the model, the name that it was asked for by, whether it only transcribes)."""
    if "call_id" in socket.query_params:
        raise Refused("call_id_not_found", f"No call with the id '{socket.query_params['call_id'][:64]}' exists.", 4000, 404)
    if principal.initial is not None:
        transcription = principal.initial.get("type") == "transcription"
    else:
        transcription = socket.query_params.get("intent") == "transcription"
    model = asked_model(socket, principal)
    served = registry.find(model)
    if served is None and (transcription or socket.url.path.startswith(AZURE)):
        # A transcription model's name, which some clients cannot leave out; or a deployment's, which its owner has chosen.
        served = registry.default
    if served is None:
        text = f"The model '{str(model)[:64]}' does not exist or you do not have access to it."
        raise Refused("model_not_found", text, 4000, 404)
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


async def realtime(socket: WebSocket) -> None:
    """The one boundary of all that happens before and around a connection: what nobody expected is logged, told and closed."""
    try:
        await _serve(socket)
    except Exception:
        log.exception("! %s", socket.url.path[:64])
        await _broken(socket)


for _path in http.realtime_paths() + http.realtime_paths("", "/openai", "/voice-live"):
    router.add_api_websocket_route(_path, realtime)


@router.websocket("/{path:path}")
async def elsewhere(socket: WebSocket) -> None:
    await _accept(socket)
    await _turn_away(_Socket(socket), Refused("unknown_url", f"Invalid URL (GET {socket.url.path[:256]})", 4000, 404))


async def _accept(socket: WebSocket) -> list[str]:
    """The subprotocols that were offered: clients abort where none of them is chosen."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    nameable = (name for name in offered if not name.startswith(KEY_PREFIX))
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else next(nameable, None))
    return offered


async def _serve(socket: WebSocket) -> None:
    registry: Registry = socket.app.state.registry
    offered = await _accept(socket)
    beta = speaks_beta(socket.headers, offered, socket.query_params.get("api-version"), socket.url.path)
    try:
        principal = identify(registry, socket.headers, offered)
        admit(registry, principal)
        _check_dialect(registry, beta)
        served, model, transcription = choose(registry, socket, principal)
    except Refused as refused:
        if registry.observer is not None:
            registry.observer.note(Noted("", "refused", refused.code, time.monotonic(), 0.0))
        await _turn_away(_Socket(socket), refused)
        registry.tidy_soon()
        return
    limits = registry.settings.limits
    start = SessionStart(
        model, transcription, int(time.time()) + limits.session_s, registry.now(), principal.initial,
        principal.temperature if beta else None, served.abilities,
        judge=served.judge, quota=registry.quota(principal.who),
    )  # fmt: skip
    dialect = beta_dialect(principal.temperature) if beta else GA

    def call(name: str) -> Call:
        return Call(name, Session(start, limits), served.engine, observer=registry.observer)

    def shell(call: Call) -> Connection:
        return Connection(call, _Socket(socket), registry.settings, dialect)

    await registry.serve(call, shell, principal.who)


def _check_dialect(registry: Registry, beta: bool) -> None:
    if registry.settings.refuse_beta and beta:
        raise beta_refused()


async def _turn_away(socket: _Socket, refused: Refused) -> None:
    log.info("x refused: %s", refused.code)
    error = error_object(refused.kind, refused.code, refused.message) | {"event_id": None}
    event = {"type": "error", "event_id": new_id("event"), "error": error}
    try:
        await socket.send(orjson.dumps(event).decode())
    except ConnectionError:
        return
    await socket.close(refused.close_code, f"{refused.kind}.{refused.code}")


async def _broken(socket: WebSocket) -> None:
    """Our fault: as an HTTP answer before the upgrade, as an `error` event and 1011 behind it."""
    if socket.application_state is WebSocketState.CONNECTING:
        await socket.send_denial_response(http.our_fault())
    elif socket.application_state is WebSocketState.CONNECTED:
        await _turn_away(_Socket(socket), Refused("internal_error", OUR_FAULT, 1011, 500, "server_error"))
