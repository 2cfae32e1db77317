"""Plain HTTP: health, the list of models, client secrets, the playground page; and what is none of these."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from realtime_server.protocol import beta, client_secrets
from realtime_server.protocol.errors import OUR_FAULT, ClientError, error_object
from realtime_server.protocol.ids import new_id
from realtime_server.protocol.parsing import parse
from realtime_server.protocol.session_config import RealtimeSession
from realtime_server.session import validation
from realtime_server.transport.admission import Principal, Refused, beta_refused, identify
from realtime_server.transport.registry import Registry
from realtime_server.transport.secrets import SESSION_BYTES, ClientSecret, ShareUsedUp

router = APIRouter()
PAGE = Path(__file__).parent / "page"
_FILES = {"": "index.html", "playground.js": "playground.js", "microphone.js": "microphone.js", "style.css": "style.css"}
BODY_BYTES = 1024 * 1024


def realtime_paths(rest: str = "", *bases: str) -> list[str]:
    """Everywhere that clients look for it: some join URLs with two slashes, some end them with one (protocol 7.1)."""
    return [f"{base}/realtime{rest}{end}" for base in bases or ("/v1", "/v1/", "/openai/v1") for end in ("", "/")]


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """200 once the models are ready (the application does not answer at all before) and as long as they do their work."""
    registry: Registry = request.app.state.registry
    if registry.draining:
        return JSONResponse({"status": "draining"}, 503)
    if not registry.alive:
        return JSONResponse({"status": "failed", "model": registry.default.name, "sessions": len(registry.calls)}, 503)
    return JSONResponse({"status": "ok", "model": registry.default.name, "sessions": len(registry.calls)})


@router.get("/v1/models")
async def models(request: Request) -> JSONResponse:
    registry: Registry = request.app.state.registry
    try:
        identify(registry, request.headers, [])
    except Refused as refused:
        return refusal(refused)
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": "realtime-server"} for name in registry.models]
    return JSONResponse({"object": "list", "data": entries})


# --- client secrets ---------------------------------------------------------------------------------------------------


async def make_client_secret(request: Request) -> Response:
    """A client secret makes no further ones: a key is needed."""

    async def make(registry: Registry, principal: Principal) -> JSONResponse:
        answer = _make(registry, principal, client_secrets.request(await _json(request)), None)
        return JSONResponse(answer.model_dump(mode="json"))

    return await _told(request, make)


async def make_beta_session(request: Request) -> Response:
    """`POST /v1/realtime/sessions` and `/transcription_sessions`, which the beta's SDKs call (protocol 6.6)."""

    async def make(registry: Registry, principal: Principal) -> JSONResponse:
        if registry.settings.refuse_beta:
            raise beta_refused()
        kind = "transcription" if "transcription_sessions" in request.url.path else "realtime"
        asked, temperature = client_secrets.beta_request(await _json(request), kind)
        try:
            answer = _make(registry, principal, asked, temperature)
        except ClientError as error:
            raise beta.of_flat_body(error) from None
        return JSONResponse(client_secrets.beta_response(answer, temperature))

    return await _told(request, make)


for _path in realtime_paths("/client_secrets"):
    router.add_api_route(_path, make_client_secret, methods=["POST"])
for _path in realtime_paths("/sessions") + realtime_paths("/transcription_sessions"):
    router.add_api_route(_path, make_beta_session, methods=["POST"])


async def _told(request: Request, make: Callable[[Registry, Principal], Awaitable[JSONResponse]]) -> Response:
    """The answer of `make`, for who may make secrets; what is wrong with him or his request as an error object."""
    registry: Registry = request.app.state.registry
    try:
        return await make(registry, identify(registry, request.headers, [], secrets=False))
    except Refused as refused:
        return refusal(refused)
    except ClientError as error:
        return _error(400, error.code, error.message, error.param)
    except ClientDisconnect:
        return Response(status_code=400)


def _make(
    registry: Registry, principal: Principal, asked: client_secrets.ClientSecretRequest, temperature: float | None
) -> client_secrets.ClientSecretResponse:
    session = client_secrets.effective(asked.session, new_id("sess"), registry.default.name)
    if isinstance(session, RealtimeSession):
        _check(registry, session)
    if len(orjson.dumps(asked.session)) > SESSION_BYTES:
        raise ClientError(f"Invalid 'session': more than {SESSION_BYTES} bytes.", "invalid_value", "session")
    seconds = asked.expires_after.seconds
    secret = ClientSecret(principal.who, asked.session, registry.now() + seconds, temperature)
    try:
        value = registry.secrets.make(secret, registry.now())
    except ShareUsedUp:
        text = "This API key has too many client secrets that have not expired yet."
        raise Refused("rate_limit_exceeded", text, 1013, 429) from None
    return client_secrets.ClientSecretResponse(value=value, expires_at=int(time.time()) + seconds, session=session)


def _check(registry: Registry, session: RealtimeSession) -> None:
    """What the session would refuse when it is opened is refused here already."""
    served = registry.find(session.model)
    if served is None:
        text = f"The model '{session.model[:64]}' does not exist or you do not have access to it."
        raise ClientError(text, "model_not_found", "session.model")
    validation.check_voice(session.audio.output.voice, served.abilities, "session.audio.output.voice")
    validation.check_tools(session.tools, session.tool_choice, served.judge, registry.settings.limits, "session")


async def _json(request: Request) -> object:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            raise Refused("request_too_large", f"The body has more than {BODY_BYTES} bytes.", 1009, 413)
    try:
        return parse(bytes(body), "body") if body else {}
    except ClientError as error:
        error.code = "invalid_value" if error.code == "invalid_event" else error.code
        raise


# --- what goes wrong --------------------------------------------------------------------------------------------------


def _error(status: int, code: str | None, message: str, param: str | None = None) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": error_object(kind, code, message, param)}, status)


def refusal(refused: Refused) -> JSONResponse:
    """An error object with the status that goes with it."""
    return JSONResponse({"error": error_object(refused.kind, refused.code, refused.message)}, refused.status)


async def refused_by_router(request: Request, exception: Exception) -> JSONResponse:
    """No such path, or not this method."""
    assert isinstance(exception, HTTPException)
    if exception.status_code == 404:
        return _error(404, None, f"Invalid URL ({request.method} {request.url.path[:256]})")
    if exception.status_code == 405:
        answer = _error(405, "method_not_supported", f"Not allowed to {request.method} on {request.url.path[:256]}.")
        answer.headers.update(exception.headers or {})
        return answer
    return _error(exception.status_code, None, str(exception.detail))


async def broken(_: Request, __: Exception) -> JSONResponse:
    """The server that runs the application has logged it."""
    return our_fault()


def our_fault() -> JSONResponse:
    return _error(500, "internal_error", OUR_FAULT)


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(file: str) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(PAGE / file, headers={"Cache-Control": "no-cache"})

    return page


for _name, _file in _FILES.items():
    router.add_api_route(f"/{_name}", _page(_file), methods=["GET"])
