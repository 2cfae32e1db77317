"""The product as its user starts it, in a process of its own."""

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

STARTED_IN_S = 180


@contextmanager
def serving(model: str, port: int) -> Iterator[str]:
    """The address of its WebSocket."""
    command = [sys.executable, "-m", "realtime_server.cli", "serve", "--port", str(port), "--model", model]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([*command, "--log-level", "warning"], stdout=log, stderr=log)
        try:
            _wait_for(server, port)
            yield f"ws://127.0.0.1:{port}/v1/realtime"
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(STARTED_IN_S * 5):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass
        time.sleep(0.2)
    raise SystemExit(f"the server was not ready in {STARTED_IN_S} s")
