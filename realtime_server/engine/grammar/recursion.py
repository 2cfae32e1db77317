"""Definitions that refer to themselves so that no finite value fits, or that nobody can tell what does."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

MOST_PASSES = 64
"""What is not known to end after them is taken for endless."""


def ended(schema: dict[str, Any]) -> dict[str, Any]:
    """A lowered schema whose endless definitions are `false`, which is what they accept."""
    definitions, finite = schema["$defs"], set[str]()
    for _ in range(MOST_PASSES):
        known = len(finite)
        # What is referred to was defined after what refers to it: most is known after one pass.
        for name in reversed(definitions):
            if _ends(definitions[name], finite):
                finite.add(name)
        if len(finite) == known:
            break
    return {**schema, "$defs": {name: kept if name in finite else False for name, kept in definitions.items()}}


def circular(definitions: dict[str, Any]) -> str | None:
    """The name of one that is explained by itself, and not by a part of itself: nobody can tell what fits it."""
    try:
        TopologicalSorter({name: set(_in_place(schema)) for name, schema in definitions.items()}).prepare()
    except CycleError as error:
        return str(error.args[1][0])
    return None


def _in_place(schema: Any) -> Iterator[str]:
    """The definitions that a value has to fit if it fits this schema."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name(schema)
        for part in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
            yield from _in_place(part)


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _ends(schema: Any, finite: set[str]) -> bool:
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and _name(schema) not in finite:
        return False
    if not all(_ends(part, finite) for part in schema.get("allOf", ())):
        return False
    if "anyOf" in schema and not any(_ends(part, finite) for part in schema["anyOf"]):
        return False
    only = schema.get("type")
    if only == "object":
        inner = schema.get("properties", {})
        return all(_ends(inner.get(name, True), finite) for name in schema.get("required", ()))
    if only == "array":
        first, least = schema.get("prefixItems", ()), schema.get("minItems", 0)
        return all(_ends(part, finite) for part in first[:least]) and (
            least <= len(first) or _ends(schema.get("items", True), finite)
        )
    return True
