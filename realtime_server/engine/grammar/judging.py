"""What every dialect of JSON schema asks of a function first: size, depth, meta-schema; and how a client is told of a fault."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from realtime_server.engine.grammar.keywords import CannotHonour, Path
from realtime_server.messages import SchemaFault

MOST_BYTES = 64 * 1024
"""The larger ones are refused before they are looked at."""
LONGEST_PATH, LONGEST_STEP, LONGEST_WHY = 12, 40, 200
"""Steps of a path, and characters of a step and of an explanation, that a client is told."""


@dataclass(frozen=True)
class Dialect:
    """What of JSON schema some calls can be held to. `reading`: a schema as the draft that it is judged by."""

    reading: Callable[[dict[str, Any]], dict[str, Any]]
    left_out: Callable[[bytes], CannotHonour | None]
    """A schema's text -> why something that need not be there never will be. Raises CannotHonour for what must be there."""

    def fault(self, parameters: dict[str, Any]) -> SchemaFault | None:
        """Why calls with all of these parameters cannot be promised to be valid; None when they can. Called on any thread."""
        try:
            text = orjson.dumps(parameters)
        except TypeError as error:
            return _fault((), f"It is too deep or no JSON: {error}.")
        if len(text) > MOST_BYTES:
            return _fault((), f"It has more than {MOST_BYTES} bytes.")
        return _judged(self, text)


@lru_cache(maxsize=256)
def _judged(dialect: Dialect, text: bytes) -> SchemaFault | None:
    parameters = orjson.loads(text)
    if not isinstance(parameters.get("$schema", ""), str):
        # By what names no draft nothing would be checked at all.
        return _fault(("$schema",), "It is not a JSON schema: its draft is no text", malformed=True)
    try:
        jsonschema_rs.meta.validate(dialect.reading(parameters))
    except jsonschema_rs.ValidationError as error:
        return _fault(tuple(map(str, error.instance_path)), f"It is not a JSON schema: {error.message}", malformed=True)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return _fault((), f"It cannot be judged: {error}")
    try:
        left_out = dialect.left_out(text)
    except CannotHonour as error:
        return _fault(error.path, error.why, malformed=error.malformed)
    return _fault(left_out.path, left_out.why, partial=True) if left_out else None


def _fault(path: Path, why: str, malformed: bool = False, partial: bool = False) -> SchemaFault:
    return SchemaFault(_dotted(path), why[:LONGEST_WHY], malformed, partial)


def _dotted(path: Path) -> str:
    steps = path if len(path) <= LONGEST_PATH else (*path[: LONGEST_PATH - 1], "\u2026")
    return ".".join(step if len(step) <= LONGEST_STEP else f"{step[:LONGEST_STEP]}\u2026" for step in steps)
