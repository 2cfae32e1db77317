"""A function's JSON schema -> the arguments that Wren can write for it, or the place in it that cannot be honoured.

Wren writes arguments as words ('two', 'whole milk'), not as JSON, so a grammar of JSON text would have nothing to hold
on to: what may be written is a list of leaves (`leaves`, made by `compiling`), and JSON is made of them. `jsonschema_rs` judges
the schema itself. What a schema costs goes by its bytes, whatever it says.
"""

from hashlib import blake2b
from typing import Any

import jsonschema_rs
import orjson

from realtime_server.engine.families.wren.caching import Cache
from realtime_server.engine.families.wren.compiling import Compiler
from realtime_server.engine.families.wren.leaves import Arguments, CannotHonour, FreeText, Numbers, Words
from realtime_server.messages import SchemaFault

MOST_BYTES = 64 * 1024
"""The larger ones are refused before they are looked at."""
LONGEST_PATH, LONGEST_WHY = 12, 200
"""Steps of a path, and characters of an explanation, that a client is told."""
_faults: Cache[bytes, SchemaFault | None] = Cache(8192)
_arguments: Cache[bytes, Arguments] = Cache(512 * 1024)
"""By digests of the schemas. Shapes take some twenty times the bytes of their schemas, which are what is counted."""


def fault(parameters: dict[str, Any]) -> SchemaFault | None:
    """Why calls with all of these parameters cannot be promised to be valid; None when they can."""
    try:
        text = orjson.dumps(parameters)
    except TypeError as error:
        return SchemaFault("", f"It is too deep or no JSON: {error}."[:LONGEST_WHY])
    if len(text) > MOST_BYTES:
        return SchemaFault("", f"It has more than {MOST_BYTES} bytes.")
    return _faults.get(_digest(text), 1, lambda: _fault(text))


def _fault(text: bytes) -> SchemaFault | None:
    parameters = orjson.loads(text)
    try:
        # Whatever draft it names, it is read as 2020-12: the newest, and the one that clients write.
        jsonschema_rs.meta.validate({key: value for key, value in parameters.items() if key != "$schema"})
    except jsonschema_rs.ValidationError as error:
        why = f"It is not a JSON schema: {error.message}"[:LONGEST_WHY]
        return SchemaFault(_dotted(tuple(map(str, error.instance_path))), why, malformed=True)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return SchemaFault("", f"It cannot be judged: {error}"[:LONGEST_WHY])
    try:
        left_out = _compiled(text).left_out
    except CannotHonour as error:
        return SchemaFault(_dotted(error.path), error.why[:LONGEST_WHY])
    return SchemaFault(_dotted(left_out.path), left_out.why[:LONGEST_WHY], partial=True) if left_out else None


def arguments(parameters: dict[str, Any]) -> Arguments:
    """What may be written for a schema. CannotHonour names the path of what must be there and cannot."""
    return _compiled(orjson.dumps(parameters))


def _compiled(text: bytes) -> Arguments:
    return _arguments.get(_digest(text), len(text), lambda: Compiler(orjson.loads(text), len(text)).arguments())


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _dotted(path: tuple[str, ...]) -> str:
    steps = path if len(path) <= LONGEST_PATH else (*path[: LONGEST_PATH - 1], "\u2026")
    return ".".join(step if len(step) <= 40 else f"{step[:40]}\u2026" for step in steps)


MOST_SHOWN, MOST_SHOWN_WORDS = 8, 16
"""Of a parameter with more values than this, or with longer ones, the model is shown none: its context is short."""


def shown(parameters: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Each parameter as it is spoken, with the names to choose from; nothing where the schema could not be honoured."""
    try:
        return [(leaf.spoken, _choices(leaf.value)) for leaf in arguments(parameters).leaves]
    except (CannotHonour, TypeError):
        return []


def _choices(value: Words | Numbers | FreeText) -> tuple[str, ...]:
    if not isinstance(value, Words) or len(value.options) > MOST_SHOWN:
        return ()
    said = tuple(said for said, option in value.options if isinstance(option, str))
    short = sum(len(words.split()) for words in said) <= MOST_SHOWN_WORDS
    return said if short and len(said) == len(value.options) else ()
