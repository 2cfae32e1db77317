"""JSON text -> plain values, at a bounded cost: what would cost too much is refused before it is parsed.

The base64 of a long recording is one value; a million empty lists of the same size would be gigabytes.
"""

import re
from collections.abc import Collection
from typing import Any

import orjson

from realtime_server.protocol.errors import ClientError

MOST_VALUES = 100_000
MOST_KEYS = 1_000
"""In one object."""
DEEPEST = 100
"""Objects and arrays inside one another."""
_MOST_ESCAPES = 200_000
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)", re.DOTALL
)
"""One escape; its group is half a surrogate pair without the other half."""


def parse(text: str | bytes, what: str = "event") -> Any:
    """`what` it is, for the messages. ClientError for invalid JSON (`invalid_event`), and for more than an event may hold."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    commas, brackets = raw.count(b","), raw.count(b"[") + raw.count(b"{")
    if commas + brackets > MOST_VALUES and structure_exceeds(raw, MOST_VALUES):
        raise ClientError(f"The {what} holds more than {MOST_VALUES} values.", "event_too_large")
    data = _loads(raw, what)
    if brackets > DEEPEST or commas >= MOST_KEYS:
        _check_extent(data)
    return data


def structure_exceeds(raw: bytes, most: int) -> bool:
    """Counted without parsing: commas and brackets that do not stand in a string."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Each of them allows for one more key and one more string.
    if bare.count(b'"') > 4 * most + 2:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return outside.count(b",") + outside.count(b"[") + outside.count(b"{") > most


def _loads(raw: bytes, what: str) -> Any:
    """Half a surrogate pair is taken as U+FFFD, as JavaScript's strings are when they are written."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        mended = raw
        if raw.count(b"\\") <= _MOST_ESCAPES:
            mended = _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], raw)
        if mended == raw:
            raise ClientError(f"The {what} is not valid JSON: {error}.", "invalid_event") from None
    try:
        return orjson.loads(mended)
    except orjson.JSONDecodeError as error:
        raise ClientError(f"The {what} is not valid JSON: {error}.", "invalid_event") from None


def _check_extent(data: Any) -> None:
    """Level by level, so that no depth is too deep to be looked at."""
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value) if isinstance(inner, dict | list)]
        if not level:
            return
    raise ClientError(f"Invalid value: objects and arrays are nested more than {DEEPEST} deep.", "invalid_value")


def _inside(value: dict[str, Any] | list[Any]) -> Collection[Any]:
    if isinstance(value, list):
        return value
    if len(value) > MOST_KEYS:
        raise ClientError(
            f"Invalid value: too many properties. Expected an object with at most {MOST_KEYS} properties, but got an object "
            f"with {len(value)} properties instead.", "object_above_max_properties",
        )  # fmt: skip
    return value.values()
