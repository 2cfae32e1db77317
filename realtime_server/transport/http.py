"""Plain HTTP: health, the list of models, client secrets, the playground page."""

import time
from pathlib import Path

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from realtime_server.protocol import client_secrets
from realtime_server.protocol.errors import ClientError, error_object
from realtime_server.protocol.ids import new_id
from realtime_server.protocol.session_config import RealtimeSession
from realtime_server.session import asking
from realtime_server.transport.admission import Refused, identify
from realtime_server.transport.hall import Hall
from realtime_server.transport.secrets import ClientSecret

router = APIRouter()
PAGE = Path(__file__).parent / "page"
_FILES = {"": "index.html", "playground.js": "playground.js", "microphone.js": "microphone.js", "style.css": "style.css"}
BODY_BYTES = 1024 * 1024


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """200 once the models are ready: the application does not answer at all before."""
    hall: Hall = request.app.state.hall
    if hall.draining:
        return JSONResponse({"status": "draining"}, 503)
    return JSONResponse({"status": "ok", "model": hall.default.name, "sessions": len(hall.connections)})


@router.get("/v1/models")
async def models(request: Request) -> JSONResponse:
    hall: Hall = request.app.state.hall
    try:
        identify(hall, request.headers, [])
    except Refused as refused:
        return _refusal(refused)
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": "realtime-server"} for name in hall.models]
    return JSONResponse({"object": "list", "data": entries})


@router.post("/v1/realtime/client_secrets")
@router.post("/v1//realtime/client_secrets")
@router.post("/openai/v1/realtime/client_secrets")
async def make_client_secret(request: Request) -> Response:
    """A client secret makes no further ones: a key is needed."""
    hall: Hall = request.app.state.hall
    try:
        guest = identify(hall, request.headers, [], secrets=False)
        asked = client_secrets.request(await _json(request))
        session = client_secrets.effective(asked.session, new_id("sess"), hall.default.name)
        if isinstance(session, RealtimeSession):
            _check(hall, session)
    except Refused as refused:
        return _refusal(refused)
    except ClientError as error:
        return JSONResponse({"error": error_object("invalid_request_error", error.code, error.message, error.param)}, 400)
    seconds = asked.expires_after.seconds
    value = hall.secrets.make(ClientSecret(guest.who, asked.session, hall.now() + seconds), hall.now())
    answer = client_secrets.ClientSecretResponse(value=value, expires_at=int(time.time()) + seconds, session=session)
    return JSONResponse(answer.model_dump(mode="json"))


def _check(hall: Hall, session: RealtimeSession) -> None:
    """What the session would refuse when it is opened is refused here already."""
    served = hall.find(session.model)
    if served is None:
        text = f"The model '{session.model}' does not exist or you do not have access to it."
        raise ClientError(text, "model_not_found", "session.model")
    asking.check_voice(session.audio.output.voice, served.abilities, "session.audio.output.voice")
    asking.check_tools(session.tools, session.tool_choice, served.abilities, hall.settings.limits, "session")


async def _json(request: Request) -> object:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            raise Refused("request_too_large", f"The body has more than {BODY_BYTES} bytes.", 1009, 413)
    try:
        return orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise ClientError("The body is not valid JSON.", "invalid_value") from None


def _refusal(refused: Refused) -> JSONResponse:
    return JSONResponse({"error": error_object(refused.kind, refused.code, refused.message)}, refused.status)


@router.get("/")
@router.get("/{name}")
async def page(name: str = "") -> Response:
    if name not in _FILES:
        return JSONResponse({"error": error_object("invalid_request_error", "not_found", f"There is no /{name}.")}, 404)
    return FileResponse(PAGE / _FILES[name], headers={"Cache-Control": "no-cache"})
