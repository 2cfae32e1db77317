"""What operators and their machines ask: would one more be let in, how many fit, and what has been counted."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from realtime_server.transport.admission import Principal, Refused, admit, identify
from realtime_server.transport.http import realtime_paths, refusal
from realtime_server.transport.metrics import CONTENT_TYPE, Metrics
from realtime_server.transport.registry import Registry

router = APIRouter()


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """200 where one more session would be let in; of a key's own limits it knows nothing."""
    registry: Registry = request.app.state.registry
    try:
        admit(registry, Principal(None), of_key=False)
    except Refused as refused:
        return JSONResponse({"status": "refusing", "reason": refused.code}, 503, headers={"Retry-After": "1"})
    return JSONResponse({"status": "ready"})


async def capacity(request: Request) -> JSONResponse:
    """Slots for sessions: what an autoscaler goes by."""
    registry: Registry = request.app.state.registry
    try:
        identify(registry, request.headers, [], secrets=False)
    except Refused as refused:
        return refusal(refused)
    used, slots = len(registry.calls), registry.settings.sessions
    return JSONResponse({"slots": slots, "used": used, "free": max(0, slots - used)})


for _path in realtime_paths("/capacity"):
    router.add_api_route(_path, capacity, methods=["GET"])


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """For Prometheus; where the server asks for keys, with one of them (`authorization` in its scrape configuration)."""
    registry: Registry = request.app.state.registry
    try:
        identify(registry, request.headers, [], secrets=False)
    except Refused as refused:
        return refusal(refused)
    counted: Metrics = request.app.state.metrics
    return Response(counted.text(), media_type=CONTENT_TYPE)
