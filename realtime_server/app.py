"""create_app(settings): engine up, routes on, engine down."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from realtime_server.engine import loader
from realtime_server.engine.contract import Model
from realtime_server.engine.worker import EngineWorker
from realtime_server.settings import Settings
from realtime_server.transport import http, websocket
from realtime_server.transport.bridge import Bridge
from realtime_server.transport.hall import Hall
from realtime_server.turns.detectors import DETECTORS
from realtime_server.turns.worker import DetectorWorker

log = logging.getLogger(__name__)


def create_app(settings: Settings, model: Model | None = None) -> FastAPI:
    """The server as an ASGI application; `model` replaces the one that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loaded = model or loader.load(settings.model, settings.device)
        bridge = Bridge(asyncio.get_running_loop())
        engine = EngineWorker(loaded, bridge.deliver)
        detector = DetectorWorker(DETECTORS[settings.detector](), bridge.deliver)
        bridge.attach(engine, detector)
        engine.start()
        detector.start()
        app.state.hall = Hall(settings, loaded.name, bridge)
        log.info("= %s is ready", loaded.name)
        try:
            yield
        finally:
            detector.stop()
            engine.stop()

    app = FastAPI(title="realtime-server", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(websocket.router)
    app.include_router(http.router)
    return app
