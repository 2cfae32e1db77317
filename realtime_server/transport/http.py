"""Plain HTTP: health, the list of models, the playground page."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from realtime_server.transport.hall import Hall
from realtime_server.transport.websocket import foreign_page, key_of

router = APIRouter()
PAGE = Path(__file__).parent / "page"
_FILES = {"": "index.html", "playground.js": "playground.js", "microphone.js": "microphone.js", "style.css": "style.css"}


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """200 once the model is ready: the application does not answer at all before."""
    hall: Hall = request.app.state.hall
    if hall.draining:
        return JSONResponse({"status": "draining"}, 503)
    return JSONResponse({"status": "ok", "model": hall.model_name, "sessions": len(hall.connections)})


@router.get("/v1/models")
async def models(request: Request) -> JSONResponse:
    hall: Hall = request.app.state.hall
    allowed = (
        hall.settings.keys.accept(key_of(request.headers, [])) if hall.settings.keys else not foreign_page(request.headers)
    )
    if not allowed:
        error = {
            "type": "invalid_request_error",
            "code": "invalid_api_key",
            "message": "Incorrect API key provided.",
            "param": None,
        }
        return JSONResponse({"error": error}, 401)
    entry = {"id": hall.model_name, "object": "model", "created": 0, "owned_by": "realtime-server"}
    return JSONResponse({"object": "list", "data": [entry]})


@router.get("/")
@router.get("/{name}")
async def page(name: str = "") -> Response:
    if name not in _FILES:
        return JSONResponse({"error": {"type": "invalid_request_error", "code": "not_found", "message": f"There is no /{name}.",
                                       "param": None}}, 404)  # fmt: skip
    return FileResponse(PAGE / _FILES[name], headers={"Cache-Control": "no-cache"})
