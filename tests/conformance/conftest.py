"""One live server with the embedded model for all client libraries, over ws and over wss; questions as a microphone hears them."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import trustme

from realtime_server.engine import loader
from realtime_server.engine.contract import Model
from realtime_server.settings import Keys, Settings
from tests.conftest import RECORDINGS
from tests.live import Live, live

SETTINGS = Settings(keys=Keys.of(["sk-test"]))
CHUNK_BYTES = 1920


@dataclass(frozen=True)
class Secure:
    """A server behind TLS, and the file with the authority that vouches for it."""

    live: Live
    authority: Path

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.live.port}/v1"


@pytest.fixture(scope="session")
def wren() -> Model:
    return loader.load("wren")


@pytest.fixture(scope="session")
def server(wren: Model) -> Iterator[Live]:
    with live(SETTINGS, wren) as running:
        yield running


@pytest.fixture(scope="session")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    files = {
        "ssl_certfile": folder / "certificate.pem",
        "ssl_keyfile": folder / "key.pem",
        "ssl_version": ssl.PROTOCOL_TLS_SERVER,
    }
    with live(SETTINGS, loader.load("wren"), **files) as running:
        yield Secure(running, folder / "authority.pem")


def recording(name: str, silence_s: float = 1.0) -> bytes:
    """A question as 24 kHz PCM16, with silence around it."""
    audio, rate = soundfile.read(Path(RECORDINGS) / f"{name}.flac", dtype="float32")
    audio = soxr.resample(audio, rate, 24_000) * (0.4 / np.abs(audio).max())
    padded = np.concatenate([np.zeros(7200), audio, np.zeros(int(24_000 * silence_s))])
    return bytes(np.clip(padded * 32767, -32768, 32767).astype("<i2").tobytes())


def chunks(audio: bytes, size: int = CHUNK_BYTES) -> list[bytes]:
    return [audio[start : start + size] for start in range(0, len(audio), size)]
