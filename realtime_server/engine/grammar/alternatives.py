"""Whether alternatives exclude each other, so that `oneOf` asks no more than `anyOf`: by their types, values or tags."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

MOST = 64
"""Alternatives that are compared, each with each."""
DEEPEST = 3
"""Tags within tags."""
TYPES = {"string", "number", "boolean", "null", "array", "object"}
"""Integers are numbers."""


def tagged(schema: dict[str, Any]) -> list[str]:
    """Properties that can only be their default: pydantic's tags of alternatives."""
    inner = schema.get("properties", {}).items()
    return [name for name, tag in inner if isinstance(tag, dict) and "const" in tag and tag.get("default") == tag["const"]]


def exclusive(schemas: list[Any], resolved: Callable[[Any], Any], depth: int = 0) -> bool:
    """Whether surely no value fits two of `schemas`."""
    if len(schemas) > MOST:
        return False
    ends = [resolved(schema) for schema in schemas]
    return all(_exclude(a, b, resolved, depth) for a, b in combinations(ends, 2))


def _exclude(a: Any, b: Any, resolved: Callable[[Any], Any], depth: int) -> bool:
    if a is False or b is False:
        return True
    if a is True or b is True or depth > DEEPEST:
        return False
    if not types(a) & types(b):
        return True
    values, others = _values(a), _values(b)
    if values is not None and others is not None:
        return not any(value == other for value in values for other in others)
    return types(a) & types(b) == {"object"} and any(
        exclusive([a["properties"][name], b["properties"][name]], resolved, depth + 1) for name in _needed(a) & _needed(b)
    )


def types(schema: dict[str, Any]) -> set[str]:
    """Of the values that fit it, as far as it says."""
    if (values := _values(schema)) is not None and "type" not in schema:
        return {type_of(value) for value in values}
    named = schema.get("type", sorted(TYPES))
    return {"number" if one == "integer" else one for one in ([named] if isinstance(named, str) else named)}


def type_of(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null", list: "array", dict: "object"}
    return names[type(value)]


def _values(schema: dict[str, Any]) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _needed(schema: dict[str, Any]) -> set[str]:
    """Properties that it describes, and that are there."""
    return {*schema.get("required", ()), *tagged(schema)} & set(schema.get("properties", ()))
