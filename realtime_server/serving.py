"""The server process: uvicorn around the app, and an end that lets running answers finish."""

import asyncio
import signal
from types import FrameType

import uvicorn

from realtime_server.app import create_app
from realtime_server.engine import loader
from realtime_server.settings import Settings
from realtime_server.transport.bounded_websocket import BoundedWebSocket


class _Server(uvicorn.Server):
    """The first SIGTERM or SIGINT drains, a second one stops at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.asked_to_stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, *arguments: object, **more: object) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(*arguments, **more)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is None or self.asked_to_stop.is_set() or sig not in (signal.SIGTERM, signal.SIGINT):
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self.asked_to_stop.set)


def serve(settings: Settings) -> None:
    """Returns when the server has been stopped; ModelError before it listens when the model cannot be served."""
    app = create_app(settings, *[loader.load(name, settings.device) for name in settings.models])
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", ws=BoundedWebSocket, loop="uvloop",
        ws_max_size=settings.frame_bytes, ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_timeout_s, timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_certificate, ssl_keyfile=settings.tls_key,
    )  # fmt: skip

    async def run() -> None:
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(), name="server")
            stopping = group.create_task(server.asked_to_stop.wait(), name="stop")
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() and not serving.done():
                await app.state.hall.drain()
            server.should_exit = True
            server.asked_to_stop.set()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())
