"""A function's JSON schema -> the arguments that Wren can write for it, or the place in it that cannot be honoured.

Wren writes arguments as words ('two', 'whole milk'), not as JSON, so a grammar of JSON text would have nothing to hold
on to: what may be written is a list of leaves (`leaves`, made by `compiling`), and JSON is made of them. `judging` looks at
the schema itself. What a schema costs goes by its bytes, whatever it says.
"""

from hashlib import blake2b
from typing import Any

import orjson

from realtime_server.engine.families.wren.caching import Cache
from realtime_server.engine.families.wren.compiling import Compiler
from realtime_server.engine.families.wren.leaves import Arguments, FreeText, Numbers, Words
from realtime_server.engine.grammar.judging import Dialect
from realtime_server.engine.grammar.keywords import CannotHonour

_arguments: Cache[bytes, Arguments] = Cache(512 * 1024)
"""By digests of the schemas. Shapes take some twenty times the bytes of their schemas, which are what is counted."""


def arguments(parameters: dict[str, Any]) -> Arguments:
    """What may be written for a schema. CannotHonour names the path of what must be there and cannot."""
    return _compiled(orjson.dumps(parameters))


def _compiled(text: bytes) -> Arguments:
    digest = blake2b(text, digest_size=16).digest()
    return _arguments.get(digest, len(text), lambda: Compiler(_read(orjson.loads(text)), len(text)).arguments())


def _read(schema: dict[str, Any]) -> dict[str, Any]:
    """Whatever draft it names, it is read as 2020-12: the newest, and the one that clients write."""
    return {key: value for key, value in schema.items() if key != "$schema"}


fault = Dialect(_read, lambda text: _compiled(text).left_out).fault
"""Why calls with all of these parameters cannot be promised to be valid."""
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
