"""create_app(settings): engine up, routes on, engine down."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException

from realtime_server.engine import loader
from realtime_server.engine.contract import Model
from realtime_server.engine.observing import Observer
from realtime_server.engine.worker import EngineWorker
from realtime_server.settings import Settings
from realtime_server.transport import http, probes, websocket
from realtime_server.transport.engines.local import LocalEngine
from realtime_server.transport.metrics import Both, Metrics
from realtime_server.transport.registry import Registry, Served
from realtime_server.turns.detectors import DETECTORS
from realtime_server.turns.worker import DetectorWorker

log = logging.getLogger(__name__)


THIS_MACHINE = r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"


def loaded(settings: Settings) -> list[Model]:
    """The models that the settings name. Raises ModelError."""
    device, thinker, ear = settings.device, settings.thinker, settings.transcriber
    return [loader.with_ear(loader.load(name, device, thinker=thinker), ear, device) for name in settings.models]


def create_app(settings: Settings, *models: Model, observer: Observer | None = None) -> FastAPI:
    """The server as an ASGI application; `models` replace the ones that the settings name, `observer` is told beside the
    metrics."""
    metrics = Metrics()
    watching: Observer = metrics if observer is None else Both(metrics, observer)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        served: list[Served] = []
        engines: list[LocalEngine] = []
        workers: list[EngineWorker | DetectorWorker] = []
        for model in models or loaded(settings):
            engine = LocalEngine(asyncio.get_running_loop())
            speech_model = EngineWorker(model, engine.deliver, watching)
            detector = DetectorWorker(DETECTORS[settings.detector](), engine.deliver)
            engine.attach(speech_model, detector)
            engines.append(engine)
            served.append(Served(model.name, model.abilities, engine))
            workers += [detector, speech_model]
        for worker in workers:
            worker.start()
        for engine in engines:
            engine.watch()
        app.state.registry = Registry(settings, *served, observer=watching)
        app.state.metrics, stop_watching = metrics, metrics.watch(asyncio.get_running_loop())
        log.info("= ready: %s", ", ".join(app.state.registry.models))
        try:
            yield
        finally:
            stop_watching()
            for engine in engines:
                engine.stop_watching()
            for worker in workers:
                worker.stop()

    app = FastAPI(title="realtime-server", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    # Pages of other origins need a key, and then may come from anywhere; without keys they stay outside.
    origins: Any = {"allow_origins": ["*"]} if settings.keys else {"allow_origin_regex": THIS_MACHINE}
    app.add_middleware(
        CORSMiddleware, **origins, allow_methods=["GET", "POST"], allow_headers=["*"], expose_headers=["Location"]
    )  # fmt: skip
    app.add_exception_handler(HTTPException, http.refused_by_router)
    app.add_exception_handler(Exception, http.broken)
    app.include_router(websocket.router)
    app.include_router(probes.router)
    app.include_router(http.router)
    return app
