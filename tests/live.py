"""A live server in this process: the real application behind real sockets, on a port of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from fastapi import FastAPI

from realtime_server.app import create_app
from realtime_server.engine.contract import Model
from realtime_server.settings import Settings
from realtime_server.transport.bounded_websocket import BoundedWebSocket

WAIT_S = 30
"""The limit of every wait in these tests; nothing is ever waited for by sleeping."""


@dataclass(frozen=True)
class Live:
    port: int
    app: FastAPI

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, *arguments: Any, **more: Any) -> None:
        await super().startup(*arguments, **more)
        self.up.set()


@contextmanager
def live(settings: Settings, *models: Model, **options: Any) -> Iterator[Live]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    app = create_app(replace(settings, port=port), *models)
    config = uvicorn.Config(
        app, log_level="warning", ws=BoundedWebSocket, ws_max_size=settings.frame_bytes,
        ws_ping_interval=settings.ping_interval_s, ws_ping_timeout=settings.ping_timeout_s, **options,
    )  # fmt: skip
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    assert server.up.wait(WAIT_S), "the server did not start"
    try:
        yield Live(port, app)
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        listening.close()
