"""Keywords that llguidance refuses, said in those that it takes: `propertyNames` and `uniqueItems`."""

from itertools import permutations
from typing import Any

from realtime_server.engine.grammar.alternatives import type_of, types
from realtime_server.engine.grammar.keywords import ASKING, MOST_OPTIONAL, PATTERNS, CannotHonour, Path, whole

LONGEST_SET = 4
"""Of the values of a set, every order of each choice is written out: 65 at most."""


def records(names: Any, others: Any, path: Path) -> dict[str, Any]:
    """Of objects whose names fit `names`, the schema at `path`, and whose values fit `others`."""
    asked = ASKING & names.keys() - {"type"} if isinstance(names, dict) else set()
    if names is True or (not asked and names and names.get("type", "string") == "string"):
        return {"additionalProperties": others}
    if asked in ({"enum"}, {"const"}):
        keys = [key for key in names.get("enum", [names.get("const")]) if isinstance(key, str)]
        if len(keys) > MOST_OPTIONAL:
            raise CannotHonour(path, f"More than {MOST_OPTIONAL} of them may be left out.")
        return {"properties": dict.fromkeys(keys, others), "additionalProperties": False}
    if asked == {"pattern"}:
        pattern = PATTERNS.get(names["pattern"], names["pattern"])
    elif asked and asked <= {"minLength", "maxLength"}:
        most = whole(names["maxLength"]) if "maxLength" in names else ""
        pattern = f"^[\\s\\S]{{{whole(names.get('minLength', 0))},{most}}}$"
    else:
        raise CannotHonour(path, "It cannot be held while a model writes.")
    return {"patternProperties": {pattern: others}, "additionalProperties": False}


def sets(schema: dict[str, Any], inner: Any, path: Path) -> dict[str, Any]:
    """Of arrays of different values, each fitting `inner`: every order of every choice."""
    values = _values(inner)
    if not 0 < len(values) <= LONGEST_SET or schema.keys() & {"enum", "prefixItems"}:
        raise CannotHonour((*path, "uniqueItems"), f"Only sets of at most {LONGEST_SET} values can be held.")
    least, most = whole(schema.get("minItems", 0)), min(len(values), whole(schema.get("maxItems", len(values))))
    return {"enum": [list(order) for size in range(least, most + 1) for order in permutations(values, size)]}


def _values(schema: Any) -> list[str | int]:
    """All different ones that fit it; none where they are not simple."""
    if not isinstance(schema, dict) or not ASKING & schema.keys() <= {"type", "enum"}:
        return []
    values = schema.get("enum", [False, True] if schema.get("type") == "boolean" else [])
    simple = all(isinstance(value, str | int) and type_of(value) in types(schema) for value in values)
    return list({(type_of(value), value): value for value in values}.values()) if simple else []
