"""One frozen Settings: address, keys, limits, device, model."""

import hashlib
import hmac
import ipaddress
import math
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from realtime_server.session.limits import Limits


class SettingsError(Exception):
    """The settings cannot be served; the message says which and why."""


@dataclass(frozen=True)
class Keys:
    """SHA-256 digests of the accepted keys: the keys themselves are nowhere kept, printed or compared."""

    digests: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, keys: list[str]) -> "Keys":
        return cls(tuple(_digest(key) for key in keys))

    @classmethod
    def from_file(cls, path: Path) -> "Keys":
        """One key a line; blank lines and lines that start with # are skipped."""
        try:
            lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
        except OSError as error:
            raise SettingsError(f"--api-key-file {path}: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SettingsError(f"--api-key-file {path} is not a text file in UTF-8.") from None
        keys = [line for line in lines if line and not line.startswith("#")]
        if not keys:
            raise SettingsError(f"--api-key-file {path} holds no key.")
        return cls.of(keys)

    def __bool__(self) -> bool:
        return bool(self.digests)

    def whose(self, key: str | None) -> int | None:
        """Which of the keys it is, counted from 0; None for any other. Constant time in the key, and in which it is."""
        digest = _digest(key or "")
        matches = [n for n, known in enumerate(self.digests) if hmac.compare_digest(digest, known)]
        return matches[0] if matches and key is not None else None


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 8000
    models: tuple[str, ...] = ("wren",)
    """Names or folders; the first is the one that hosted names, and no name at all, stand for."""
    transcriber: str = ""
    """A model, by name or folder, whose ear transcribes for all of them; '' is each model's own."""
    device: str = "auto"
    thinker: str | None = None
    """In the place of the models' own."""
    detector: str = "silero"
    keys: Keys = Keys()
    limits: Limits = Limits()
    sessions: int = 256
    """At once; more are refused with `rate_limit_exceeded` rather than served badly."""
    sessions_per_key: int | None = None
    """At once with one key; None is as many as fit."""
    backlog_bytes: int = 2 * 1024 * 1024
    """A client with more than this unread is not read from until it has read half of it."""
    hold_bytes: int = 1024 * 1024
    """A client with more than this unread holds its own generation (about 16 s of audio)."""
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 30.0
    """A client from which nothing has come so long after a ping, neither an answer nor anything else, is gone."""
    frame_bytes: int = 21 * 1024 * 1024
    drain_s: float = 30.0
    """How long running answers may take after SIGTERM."""
    refuse_beta: bool = False
    """Treat clients of the beta dialect as the hosted service does since it was switched off there."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if not self.keys and not is_this_machine(self.host):
            raise SettingsError(
                f"--host {self.host} is reachable from other machines: give --api-key-file, or serve on 127.0.0.1."
            )
        if not self.models:
            raise SettingsError("--model: name at least one.")
        if not 1 <= self.port <= 65535:
            raise SettingsError(f"--port {self.port}: ports are 1 to 65535.")
        self._check_limits()
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("--tls-certificate and --tls-key go together.")
        if self.tls_certificate is not None and self.tls_key is not None:
            _check_tls(self.tls_certificate, self.tls_key)

    def _check_limits(self) -> None:
        counts = {
            "--sessions": self.sessions, "--sessions-per-key": self.sessions_per_key,
            "--requests-per-minute": self.limits.requests_per_minute, "--tokens-per-minute": self.limits.tokens_per_minute,
            "--session-seconds": self.limits.session_s,
        }  # fmt: skip
        for flag, count in counts.items():
            if count is not None and count < 1:
                raise SettingsError(f"{flag} {count}: at least 1.")
        for flag, seconds in (("--ping-interval", self.ping_interval_s), ("--ping-timeout", self.ping_timeout_s)):
            if not (math.isfinite(seconds) and seconds > 0):
                raise SettingsError(f"{flag} {seconds:g}: more than 0 seconds.")


def _check_tls(certificate: Path, key: Path) -> None:
    """What would fail when the port is opened fails here. A key with a passphrase is refused, not asked about."""
    for flag, path in (("--tls-certificate", certificate), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{flag} {path}: {error.strerror}.") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise SettingsError(f"--tls-certificate {certificate}, --tls-key {key}: no PEM pair that fits ({reason}).") from None


def _digest(key: str) -> bytes:
    """Of any text: what a client sends need not be UTF-8."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def is_this_machine(host: str) -> bool:
    """Is this a loopback name or address?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
