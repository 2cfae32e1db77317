"""What a `$ref` of a schema stands for."""

from typing import Any
from urllib.parse import quote, unquote

import jsonschema_rs

from realtime_server.engine.grammar.keywords import CannotHonour, Path


def steps(where: str) -> Path:
    """`#/$defs/a~1b` -> `$defs`, `a/b`."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in unquote(where[1:]).split("/")[1:])


def pointer(path: Path) -> str:
    """The inverse of `steps`."""
    return "#" + "".join("/" + quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in path)


def resolved(root: dict[str, Any], schema: Any, path: Path = ()) -> Any:
    """What stands at the end of a chain of references; what stands beside the first of them is not looked at."""
    seen: set[str] = set()
    while isinstance(schema, dict) and "$ref" in schema:
        where = schema["$ref"]
        if where in seen:
            raise CannotHonour((*path, "$ref"), "It refers to itself, and to nothing else.")
        seen.add(where)
        found = target(root, where, (*path, "$ref"))
        if not isinstance(found, dict) or found.keys() - {"$ref"}:
            return found
        schema = found
    return schema


def target(root: dict[str, Any], where: str, path: Path) -> dict[str, Any] | bool:
    """The schema that `where` names; `path` is that of the reference. Raises CannotHonour."""
    if not where.startswith("#"):
        raise CannotHonour(path, "Only what stands in this schema can be referred to.")
    found: Any = root
    for step in steps(where):
        if isinstance(found, list) and step.isdecimal() and len(step) < 8 and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise CannotHonour(path, "It refers to nothing.", malformed=True)
    # Draft 7 knows no `$defs`: what stands there has not been looked at with the whole.
    known = is_place(steps(where)) and not ("$defs" in steps(where) and "draft-07" in str(root.get("$schema")))
    if not isinstance(found, dict | bool) or not (known or _is_schema(found, root)):
        raise CannotHonour(path, "It refers to what is no schema.", malformed=True)
    return found


_NAMED = {"$defs", "definitions", "properties", "anyOf", "oneOf", "allOf"}
"""What stands in these, by name or by number, is a schema wherever the whole is one."""
_SINGLE = {"items", "additionalProperties"}
"""What stands here is one too."""


def is_place(path: Path) -> bool:
    """Is what stands there, if anything does, surely a schema? Elsewhere anything may stand."""
    rest = list(path)
    while rest:
        keyword = rest.pop(0)
        if keyword in _NAMED and rest:
            rest.pop(0)
        elif keyword not in _SINGLE:
            return False
    return True


def _is_schema(found: dict[str, Any] | bool, root: dict[str, Any]) -> bool:
    try:
        jsonschema_rs.meta.validate(dated(found, str(root.get("$schema"))) if isinstance(found, dict) else found)
    except (jsonschema_rs.ValidationError, ValueError, jsonschema_rs.ReferencingError):
        return False
    return True


def dated(schema: dict[str, Any], draft: str) -> dict[str, Any]:
    """Read as 2020-12, unless it says that it is of draft 7, whose tuples are others."""
    undated = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **undated} if "draft-07" in draft else undated
