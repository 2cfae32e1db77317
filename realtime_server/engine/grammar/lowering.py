"""JSON Schema as clients write it -> the part of it that llguidance holds, accepting the same values or fewer.

What llguidance refuses although it can be said otherwise is said otherwise: alternatives that exclude each other
(`oneOf`), records by their keys (`propertyNames`), short sets (`uniqueItems`), patterns that look ahead. Where a schema leaves
open what its author will hardly have meant, it is closed: objects with named properties take no others, tuples are
whole. References are followed and gathered in `$defs`, so that a schema keeps its meaning wherever it is put.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from realtime_server.engine.grammar.alternatives import exclusive, tagged
from realtime_server.engine.grammar.keywords import (
    ASKING,
    COMBINING,
    FORMATS,
    KEPT,
    MOST_OPTIONAL,
    PATTERNS,
    REFUSED,
    CannotHonour,
    Path,
    counted,
    whole,
)
from realtime_server.engine.grammar.recursion import circular, ended
from realtime_server.engine.grammar.references import pointer, resolved, steps
from realtime_server.engine.grammar.rewriting import records, sets

DEEPEST = 64
"""Steps from the top of a schema, references counted."""
MOST_PATTERNS = 16
"""Of names: they are compared, each with each."""


class Lowering:
    """One schema's. `left_out` is the first fault that could be avoided: an optional property, one of several alternatives."""

    def __init__(self, root: dict[str, Any], judge: Callable[[dict[str, Any], Path], None] | None = None) -> None:
        """`judge` looks at what a schema says of a string or a number alone, and raises CannotHonour."""
        self.left_out: CannotHonour | None = None
        self._root, self._judge = root, judge
        self._closes = not _combines(root)
        self._definitions: dict[str, dict[str, Any] | bool | None] = {}
        self._names: dict[str, str] = {}
        self._faults: dict[str, CannotHonour] = {}

    def lowered(self) -> dict[str, Any]:
        """Raises CannotHonour, with the path of what must be there and cannot."""
        types = self._root.get("type", "object")
        if "object" not in ([types] if isinstance(types, str) else types):
            raise CannotHonour(("type",), "Arguments are an object.")
        top = self._schema(self._root, (), 0)
        if isinstance(top, bool):
            raise CannotHonour(("not",), "Nothing fits it.")
        definitions = {self._names[where]: schema for where, schema in self._definitions.items()}
        if name := circular(definitions):
            raise CannotHonour(self.paths()[name], "It refers to itself, and to nothing else.", malformed=True)
        return ended({**top, "type": "object", "$defs": definitions})

    def paths(self) -> dict[str, Path]:
        """Where in the client's schema each of `$defs` comes from."""
        return {name: steps(where) for where, name in self._names.items()}

    def _schema(self, schema: Any, path: Path, depth: int) -> dict[str, Any] | bool:
        if isinstance(schema, bool):
            return schema
        if depth > DEEPEST:
            raise CannotHonour(path, f"It is more than {DEEPEST} steps deep.")
        if schema.get("not") == {}:
            return False
        for keyword in schema:
            if keyword in REFUSED or (keyword == "$id" and path):
                raise CannotHonour((*path, keyword), "It cannot be held while a model writes.")
        own = self._own(schema, path)
        parts: dict[str, Any] = {}
        done = set()
        # In the order of the schema's own keywords: properties are written in the order in which they are named.
        for keyword in schema:
            lower = self._lowers.get(keyword)
            if keyword in own:
                parts[keyword] = own[keyword]
            elif lower and lower not in done:
                done.add(lower)
                parts |= lower(self, schema, path, depth + 1)
        return parts

    def _own(self, schema: dict[str, Any], path: Path) -> dict[str, Any]:
        """What it says of a value without looking into it."""
        own = counted({keyword: schema[keyword] for keyword in KEPT if keyword in schema}, path)
        if "pattern" in own:
            own["pattern"] = PATTERNS.get(own["pattern"], own["pattern"])
        if own.get("format") not in FORMATS:
            own.pop("format", None)
        if self._judge and own:
            self._judge(own, path)
        return own

    # --- references -------------------------------------------------------------------------------------------------

    def _reference(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        where = schema["$ref"]
        if where in self._faults:
            raise self._faults[where]
        if where not in self._definitions:
            target = self._resolved(schema, path)
            before = set(self._definitions)
            self._definitions[where] = None
            self._names.setdefault(where, str(len(self._names)))
            try:
                self._definitions[where] = self._schema(target, steps(where), depth)
            except CannotHonour as fault:
                # What was lowered meanwhile may lead here.
                self._definitions = {name: kept for name, kept in self._definitions.items() if name in before}
                self._faults[where] = fault
                raise
        return {"$ref": f"#/$defs/{self._names[where]}"}

    def _resolved(self, schema: Any, path: Path = ()) -> Any:
        return resolved(self._root, schema, path)

    def _alone(self, schema: Any, path: Path) -> Any:
        """What a schema that may be no more than a reference refers to."""
        beside = isinstance(schema, dict) and "$ref" in schema and ASKING & schema.keys() - {"$ref"}
        return schema if beside else self._resolved(schema, path)

    # --- objects ----------------------------------------------------------------------------------------------------

    def _properties(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        # Tags with a default too: pydantic says that they may be missing, and then refuses the call.
        needed = {*schema.get("required", ()), *tagged(schema)}
        lowered: dict[str, Any] = {}
        for name, inner in schema["properties"].items():
            try:
                lowered[name] = self._schema(inner, (*path, "properties", name), depth)
            except CannotHonour as fault:
                if name in needed or fault.malformed:
                    raise
                self.left_out = self.left_out or fault
                lowered[name] = False
        if len(lowered) - len(needed & lowered.keys()) > MOST_OPTIONAL:
            raise CannotHonour((*path, "properties"), f"More than {MOST_OPTIONAL} of them may be left out.")
        return {"properties": lowered, **({"required": sorted(needed, key=_in_order(schema))} if needed else {})}

    def _only_required(self, schema: dict[str, Any], _path: Path, _depth: int) -> dict[str, Any]:
        return {} if "properties" in schema else {"required": schema["required"]}

    def _others(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        """`additionalProperties`, and `propertyNames` where it says which."""
        others, there = schema.get("additionalProperties", True), (*path, "additionalProperties")
        if "propertyNames" not in schema:
            return {"additionalProperties": self._schema(others, there, depth)}
        where = (*path, "propertyNames")
        if isinstance(others, dict):
            # It will be written for each name: records in records would grow beyond all measure.
            others = self._reference({"$ref": pointer(there)}, there, depth)
        held = records(self._alone(schema["propertyNames"], where), others, where)
        if len(held) > 1 and schema.keys() & {"properties", "patternProperties"}:
            raise CannotHonour(where, "It cannot be held beside names that are known.")
        return held

    def _patterns(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        if len(schema["patternProperties"]) > MOST_PATTERNS:
            raise CannotHonour((*path, "patternProperties"), f"More than {MOST_PATTERNS} of them take too long to tell apart.")
        inner = schema["patternProperties"].items()
        lowered = {
            PATTERNS.get(key, key): self._schema(value, (*path, "patternProperties", key), depth) for key, value in inner
        }
        return {"patternProperties": lowered, **self._closed(schema)}

    def _closed(self, schema: dict[str, Any]) -> dict[str, Any]:
        closes = self._closes and not schema.keys() & {"additionalProperties", "propertyNames"}
        closes = closes and set(schema.get("required", ())) <= set(schema.get("properties", ()))
        return {"additionalProperties": False} if closes else {}

    def _least(self, schema: dict[str, Any], path: Path, _depth: int) -> dict[str, Any]:
        """A key may be written twice, so that of keys which are not known only one is sure to be another."""
        least, known = whole(schema["minProperties"]), len(schema.get("required", ()))
        if least <= known:
            return {}
        if least > 1:
            raise CannotHonour((*path, "minProperties"), "More than one, and not by name, cannot be held while a model writes.")
        return {"minProperties": least}

    # --- lists ------------------------------------------------------------------------------------------------------

    def _items(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        """Tuples too, as each draft writes them."""
        first = schema.get("prefixItems", schema["items"] if isinstance(schema.get("items"), list) else None)
        if schema.get("uniqueItems") is True and whole(schema.get("maxItems", 2)) > 1:
            return sets(schema, self._alone(schema.get("items", True), path), path)
        if first is None:
            return {"items": self._schema(schema["items"], (*path, "items"), depth)} if "items" in schema else {}
        key = "prefixItems" if "prefixItems" in schema else "items"
        rest = schema.get("items", False) if key == "prefixItems" else schema.get("additionalItems", False)
        lowered = [self._schema(inner, (*path, key, str(n)), depth) for n, inner in enumerate(first)]
        least = {} if schema.keys() & {"minItems", "maxItems"} else {"minItems": len(first)}
        return {"prefixItems": lowered, "items": self._schema(rest, (*path, "items"), depth), **least}

    # --- alternatives -----------------------------------------------------------------------------------------------

    def _any_of(self, schema: dict[str, Any], path: Path, depth: int, keyword: str = "anyOf") -> dict[str, Any]:
        lowered, fault = [], None
        for n, inner in enumerate(schema[keyword]):
            try:
                lowered.append(self._schema(inner, (*path, keyword, str(n)), depth))
            except CannotHonour as error:
                fault = error if error.malformed else fault or error
        if fault and (fault.malformed or not lowered):
            raise fault
        self.left_out = self.left_out or fault
        return {"anyOf": lowered}

    def _one_of(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        branches = schema["oneOf"]
        if "anyOf" in schema or not exclusive(branches, self._resolved):
            raise CannotHonour((*path, "oneOf"), "A value may fit two of its alternatives.")
        return self._any_of(schema, path, depth, "oneOf")

    def _all_of(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        return {"allOf": [self._schema(inner, (*path, "allOf", str(n)), depth) for n, inner in enumerate(schema["allOf"])]}

    def _named(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        return {**self._properties(schema, path, depth), **self._closed(schema)}

    _lowers: ClassVar[dict[str, Callable[["Lowering", dict[str, Any], Path, int], dict[str, Any]]]] = {
        "$ref": _reference,
        "properties": _named,
        "required": _only_required,
        "additionalProperties": _others,
        "propertyNames": _others,
        "patternProperties": _patterns,
        "minProperties": _least,
        "items": _items,
        "prefixItems": _items,
        "uniqueItems": _items,
        "anyOf": _any_of,
        "oneOf": _one_of,
        "allOf": _all_of,
    }
    """Each keyword that holds schemas, and what says it otherwise."""


def _in_order(schema: dict[str, Any]) -> Callable[[str], tuple[int, str]]:
    places = {name: n for n, name in enumerate(schema["properties"])}
    return lambda name: (places.get(name, len(places)), name)


def _combines(schema: Any) -> bool:
    """Whether an object's properties are named in two places: to close one would forbid the other's."""
    found, todo = False, [schema]
    while todo and not found:
        one = todo.pop()
        if isinstance(one, dict):
            found = len(COMBINING & one.keys()) + ("properties" in one) > 1 or _several(one.get("allOf"))
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return found


def _several(parts: Any) -> bool:
    return isinstance(parts, list) and len(parts) > 1
