"""Requests and tokens per minute of one key: buckets that refill steadily. Time is an argument, in seconds of any one clock."""

from dataclasses import dataclass
from typing import Literal

Resource = Literal["requests", "tokens"]


@dataclass(frozen=True)
class Allowance:
    """What a key has left of one resource, and when it would have all of it again."""

    name: Resource
    limit: int
    remaining: int
    reset_s: float


class Exhausted(Exception):
    """Nothing is left of this resource; `wait_s` says when something will be."""

    def __init__(self, name: Resource, limit: int, wait_s: float) -> None:
        super().__init__(f"Rate limit reached on {name} per min: limit {limit}. Please try again in {wait_s:.1f}s.")


class _Bucket:
    def __init__(self, name: Resource, limit: int) -> None:
        self.name, self.limit = name, limit
        self._level, self._at = float(limit), 0.0

    def level(self, now: float) -> float:
        self._level = min(float(self.limit), self._level + max(0.0, now - self._at) * self.limit / 60)
        self._at = max(self._at, now)
        return self._level

    def check(self, now: float) -> None:
        """Exhausted, unless at least one is left."""
        if (level := self.level(now)) < 1:
            raise Exhausted(self.name, self.limit, (1 - level) * 60 / self.limit)

    def take(self, amount: float, now: float) -> None:
        """May leave less than nothing: what was used beyond the reservation is owed."""
        self._level = min(float(self.limit), self.level(now) - amount)

    def allowance(self, now: float) -> Allowance:
        level = self.level(now)
        return Allowance(self.name, self.limit, max(0, int(level)), round((self.limit - level) * 60 / self.limit, 3))


class Quota:
    """Shared by all sessions of a key, on one loop. Each response reserves its tokens and later settles what it used."""

    def __init__(self, requests_per_minute: int, tokens_per_minute: int) -> None:
        self._requests = _Bucket("requests", requests_per_minute)
        self._tokens = _Bucket("tokens", tokens_per_minute)

    def reserve(self, tokens: int, now: float, requests: int = 1) -> int:
        """So many requests, and up to so many tokens; what was reserved. Exhausted when nothing is left."""
        if requests:
            self._requests.check(now)
        self._tokens.check(now)
        reserved = min(tokens, int(self._tokens.level(now)))
        self._requests.take(requests, now)
        self._tokens.take(reserved, now)
        return reserved

    def settle(self, reserved: int, used: int, now: float) -> None:
        self._tokens.take(used - reserved, now)

    def allowances(self, now: float) -> tuple[Allowance, Allowance]:
        return self._requests.allowance(now), self._tokens.allowance(now)
