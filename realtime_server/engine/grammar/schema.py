"""A function's JSON schema -> what llguidance makes a grammar of, or the place in it that cannot be promised.

`judging` looks at the schema itself, `lowering` says what of it can be held, and llguidance has the last word. What a
schema costs goes by its bytes, whatever it says.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from realtime_server.engine.grammar.judging import Dialect
from realtime_server.engine.grammar.keywords import CannotHonour, Path
from realtime_server.engine.grammar.lowering import Lowering
from realtime_server.engine.grammar.references import dated
from realtime_server.engine.grammar.tokens import byte_vocabulary

MOST_TRIED_BYTES = 1024 * 1024
"""Of parts of a schema that are compiled alone to find the one at fault: about a second's work."""
STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""As chat templates render the calls of a conversation (Python's `json.dumps`), so that a model writes as it reads."""


def arguments(parameters: dict[str, Any]) -> str:
    """The schema, as text, that `%json` of a grammar takes. CannotHonour names the path of what must be there and cannot."""
    return _lowered(orjson.dumps(parameters))[0]


@lru_cache(maxsize=256)
def _lowered(text: bytes) -> tuple[str, CannotHonour | None]:
    """The lowered schema and what had to be left out of it. Parts are judged alone only where the whole is refused."""
    parameters = orjson.loads(text)
    for judge in (None, _judge):
        lowering = Lowering(parameters, judge)
        lowered = lowering.lowered()
        if why := _refusal(lowered):
            continue
        return _text(lowered), lowering.left_out
    raise CannotHonour(_place(lowered, lowering.paths()), why)


def _text(schema: dict[str, Any]) -> str:
    return orjson.dumps({"x-guidance": STYLE, **schema}).decode()


def _judge(own: dict[str, Any], path: Path) -> None:
    if why := _refusal(own):
        raise CannotHonour((*path, "pattern") if "pattern" in own else path, why)


def _refusal(schema: dict[str, Any]) -> str:
    """What llguidance says against it, in a line; "" for nothing. The first mask is made, for what shows only then."""
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(verbose_errors=False)
    matcher = LLMatcher(byte_vocabulary(), LLMatcher.grammar_from_json_schema(_text(schema)), log_level=0, limits=limits)
    if not matcher.is_error():
        matcher.compute_bitmask()
    return " ".join(matcher.get_error().split())


def _place(schema: dict[str, Any], origins: dict[str, Path]) -> Path:
    """The innermost part that is refused alone, as far as it can be told."""
    definitions, tried = schema["$defs"], 0
    path: Path = ()
    parts = [*((origins[name], part) for name, part in definitions.items()), *_parts(schema, ())]
    while parts:
        where, part = parts.pop(0)
        if not isinstance(part, dict):
            continue
        alone = {**part, "$defs": definitions}
        tried += len(_text(alone))
        if tried > MOST_TRIED_BYTES:
            break
        if _refusal(alone):
            path, parts = where, list(_parts(part, where))
    return path


def _parts(schema: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for keyword in ("properties", "patternProperties"):
        yield from (((*path, keyword, name), part) for name, part in schema.get(keyword, {}).items())
    for keyword in ("anyOf", "allOf", "prefixItems"):
        yield from (((*path, keyword, str(n)), part) for n, part in enumerate(schema.get(keyword, ())))
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield (*path, keyword), schema[keyword]


def _read(schema: dict[str, Any]) -> dict[str, Any]:
    return dated(schema, str(schema.get("$schema")))


fault = Dialect(_read, lambda text: _lowered(text)[1]).fault
"""Why calls with all of these parameters cannot be promised to be valid."""
