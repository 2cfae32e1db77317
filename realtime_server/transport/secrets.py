"""Client secrets (`ek_...`): keys for browsers, good for some minutes, that bring their session along (protocol 6.1)."""

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from realtime_server.protocol.ids import new_id

KEPT_S = 3600.0
"""How long an expired secret is still known as one, so that its holder is told so."""
SESSION_BYTES = 256 * 1024
"""Of one secret's session, as JSON."""
SHARE = 10_000
"""Valid secrets of one key, and their bytes."""
SHARE_BYTES = 16 * 1024 * 1024
_OVERHEAD_BYTES = 512


class ShareUsedUp(Exception):
    """This key holds as many secrets as it may."""


@dataclass(frozen=True)
class ClientSecret:
    """`who` made it; `expires` is a time of the server's own clock. It may be used again and again until then.

    `temperature` is the beta dialect's, which has no place in the session.
    """

    who: int | None
    session: dict[str, Any] | None
    expires: float
    temperature: float | None = None

    def expired(self, now: float) -> bool:
        return now >= self.expires


@dataclass(frozen=True)
class _Kept:
    who: int | None
    session: bytes
    expires: float
    temperature: float | None

    @property
    def cost_bytes(self) -> int:
        return len(self.session) + _OVERHEAD_BYTES


class ClientSecrets:
    """Known by SHA-256 alone, like the keys; bounded for each key on its own, so that no key can push out another's.

    A secret that was handed out is a promise: where a key's share is full its expired ones are forgotten at once, and then
    the new one is refused rather than a valid one broken.
    """

    def __init__(self, share: int = SHARE, share_bytes: int = SHARE_BYTES) -> None:
        self._share, self._share_bytes = share, share_bytes
        self._known: dict[bytes, _Kept] = {}
        self._by_expiry: dict[int | None, list[tuple[float, bytes]]] = {}
        self._bytes: Counter[int | None] = Counter()

    def make(self, secret: ClientSecret, now: float) -> str:
        """The value to hand out, this once. ShareUsedUp when the key has too many that are still valid."""
        kept = _Kept(secret.who, orjson.dumps(secret.session), secret.expires, secret.temperature)
        for who in list(self._by_expiry):
            self._forget(who, now - KEPT_S)
        if self._full(kept):
            self._forget(kept.who, now)
        if self._full(kept):
            raise ShareUsedUp
        value = new_id("ek", length=32)
        digest = _digest(value)
        self._known[digest] = kept
        self._bytes[kept.who] += kept.cost_bytes
        heapq.heappush(self._by_expiry.setdefault(kept.who, []), (kept.expires, digest))
        return value

    def find(self, value: str, now: float) -> ClientSecret | None:
        kept = self._known.get(_digest(value))
        if kept is None or now >= kept.expires + KEPT_S:
            return None
        return ClientSecret(kept.who, orjson.loads(kept.session), kept.expires, kept.temperature)

    def _full(self, more: _Kept) -> bool:
        many = len(self._by_expiry.get(more.who, ())) >= self._share
        return many or self._bytes[more.who] + more.cost_bytes > self._share_bytes

    def _forget(self, who: int | None, until: float) -> None:
        """Those of this key that had expired by then."""
        queue = self._by_expiry.get(who, [])
        while queue and queue[0][0] <= until:
            _, digest = heapq.heappop(queue)
            self._bytes[who] -= self._known.pop(digest).cost_bytes


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()
