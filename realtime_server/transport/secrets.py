"""Client secrets (`ek_...`): keys for browsers, good for some minutes, that bring their session along (protocol 6.1)."""

import hashlib
from dataclasses import dataclass
from typing import Any

from realtime_server.protocol.ids import new_id

KEPT_S = 3600.0
"""How long an expired secret is still known as one, so that its holder is told so."""


@dataclass(frozen=True)
class ClientSecret:
    """`who` made it; `expires` is a time of the server's own clock. It may be used again and again until then."""

    who: int | None
    session: dict[str, Any] | None
    expires: float

    def expired(self, now: float) -> bool:
        return now >= self.expires


class ClientSecrets:
    """Known by SHA-256 alone, like the keys."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._known: dict[bytes, ClientSecret] = {}

    def make(self, secret: ClientSecret, now: float) -> str:
        """The value to hand out, this once. The oldest secrets are forgotten where there are too many."""
        for digest in [d for d, s in self._known.items() if now >= s.expires + KEPT_S]:
            del self._known[digest]
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        value = new_id("ek", length=32)
        self._known[_digest(value)] = secret
        return value

    def find(self, value: str, now: float) -> ClientSecret | None:
        secret = self._known.get(_digest(value))
        return secret if secret is not None and now < secret.expires + KEPT_S else None


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
