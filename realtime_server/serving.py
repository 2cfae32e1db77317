"""The server process: uvicorn around the app, and an end that lets running answers finish."""

import asyncio
import logging
import signal
import socket
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from realtime_server.app import create_app, loaded
from realtime_server.settings import Settings, SettingsError
from realtime_server.transport.bounded_http import REQUEST_S, BoundedHttp
from realtime_server.transport.bounded_websocket import BoundedWebSocket

log = logging.getLogger(__name__)


class _Loop(uvloop.Loop):
    """A TLS handshake has to be done in the time of a request; uvicorn leaves it asyncio's minute."""

    async def create_server(self, *arguments: Any, **more: Any) -> Any:
        if more.get("ssl") is not None:
            more["ssl_handshake_timeout"] = REQUEST_S
        return await super().create_server(*arguments, **more)


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


def bound(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of the host, none of them listening yet; SettingsError where one cannot be had."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sockets.append(socket.socket(family, kind, protocol))
            sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sockets[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sockets[-1].bind(address)
    except OSError as error:
        for one in sockets:
            one.close()
        raise SettingsError(f"--host {host}, --port {port}: {error.strerror}.") from None
    return sockets


def serve(settings: Settings) -> None:
    """Returns when the server has been stopped. Before it listens: SettingsError when the address cannot be had, ModelError
    when the model cannot be served."""
    app = create_app(settings, *loaded(settings))
    sockets = bound(settings.host, settings.port)
    scheme = "http" if settings.tls_certificate is None else "https"
    log.info("= serving %s://%s:%d, %s", scheme, settings.host, settings.port, "with keys" if settings.keys else "without keys")
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", loop="uvloop", http=BoundedHttp, ws=BoundedWebSocket,
        ws_max_size=settings.frame_bytes, ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_timeout_s, timeout_graceful_shutdown=5,
        ssl_certfile=settings.tls_certificate, ssl_keyfile=settings.tls_key,
    )  # fmt: skip

    async def run() -> None:
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets), name="server")
            stopping = group.create_task(server.asked_to_stop.wait(), name="stop")
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() and not serving.done():
                await app.state.registry.drain()
            server.should_exit = True
            server.asked_to_stop.set()

    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(run())
