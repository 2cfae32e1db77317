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
        target = _target(root, where, (*path, "$ref"))
        if not isinstance(target, dict) or target.keys() - {"$ref"}:
            return target
        schema = target
    return schema


def _target(root: dict[str, Any], where: str, path: Path) -> dict[str, Any] | bool:
    if not where.startswith("#"):
        raise CannotHonour(path, "Only what stands in this schema can be referred to.")
    target: Any = root
    for step in steps(where):
        if isinstance(target, list) and step.isdecimal() and len(step) < 8 and int(step) < len(target):
            target = target[int(step)]
        elif isinstance(target, dict) and step in target:
            target = target[step]
        else:
            raise CannotHonour(path, "It refers to nothing.", malformed=True)
    if not isinstance(target, dict | bool) or not (_is_known(steps(where)) or _is_schema(target, root)):
        raise CannotHonour(path, "It refers to what is no schema.", malformed=True)
    return target


def _is_known(path: Path) -> bool:
    """Definitions are schemas wherever the whole is one. Other places may hold anything."""
    return not path or (len(path) == 2 and path[0] in ("$defs", "definitions"))


def _is_schema(target: dict[str, Any] | bool, root: dict[str, Any]) -> bool:
    try:
        jsonschema_rs.meta.validate(dated(target, str(root.get("$schema"))) if isinstance(target, dict) else target)
    except (jsonschema_rs.ValidationError, ValueError, jsonschema_rs.ReferencingError):
        return False
    return True


def dated(schema: dict[str, Any], draft: str) -> dict[str, Any]:
    """Read as 2020-12, unless it says that it is of draft 7, whose tuples are others."""
    undated = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **undated} if "draft-07" in draft else undated
