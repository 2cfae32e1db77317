"""JSON Schema as clients write it -> the part of it that llguidance holds, accepting the same values or fewer.

What llguidance refuses although it can be said otherwise is said otherwise: alternatives that exclude each other
(`oneOf`), records by their keys (`propertyNames`), short sets (`uniqueItems`), patterns that look ahead. Where a schema leaves
open what its author will hardly have meant, it is closed: objects with named properties take no others, tuples are
whole. References are followed and gathered in `$defs`, so that a schema keeps its meaning wherever it is put.
"""

from collections.abc import Callable
from itertools import permutations
from typing import Any
from urllib.parse import unquote

from realtime_server.engine.grammar.alternatives import exclusive, tagged
from realtime_server.engine.grammar.keywords import (
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
)  # fmt: skipfrom realtime_server.engine.grammar.recursion import ended
from realtime_server.engine.grammar.recursion import ended

DEEPEST = 64
"""Steps from the top of a schema, references counted."""
LONGEST_SET = 4
"""Of the values of a set, every order of each choice is written out: 65 at most."""


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
        assert isinstance(top, dict)
        definitions = {self._names[pointer]: schema for pointer, schema in self._definitions.items()}
        return ended({**top, "type": "object", "$defs": definitions})

    def paths(self) -> dict[str, Path]:
        """Where in the client's schema each of `$defs` comes from."""
        return {name: _steps(pointer) for pointer, name in self._names.items()}

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
            lower = _LOWERED.get(keyword)
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
        pointer = schema["$ref"]
        if pointer in self._faults:
            raise self._faults[pointer]
        if pointer not in self._definitions:
            target = self._resolved(schema, path)
            before = set(self._definitions)
            self._definitions[pointer] = None
            self._names.setdefault(pointer, str(len(self._names)))
            try:
                self._definitions[pointer] = self._schema(target, _steps(pointer), depth)
            except CannotHonour as fault:
                # What was lowered meanwhile may lead here.
                self._definitions = {name: kept for name, kept in self._definitions.items() if name in before}
                self._faults[pointer] = fault
                raise
        return {"$ref": f"#/$defs/{self._names[pointer]}"}

    def _resolved(self, schema: Any, path: Path = ()) -> Any:
        """What stands at the end of a chain of references."""
        seen: set[str] = set()
        while isinstance(schema, dict) and "$ref" in schema:
            pointer = schema["$ref"]
            if pointer in seen:
                raise CannotHonour((*path, "$ref"), "It refers to itself, and to nothing else.")
            seen.add(pointer)
            target: Any = self._root
            if not pointer.startswith("#"):
                raise CannotHonour((*path, "$ref"), "Only what stands in this schema can be referred to.")
            for step in _steps(pointer):
                if isinstance(target, list) and step.isdecimal() and len(step) < 8 and int(step) < len(target):
                    target = target[int(step)]
                elif isinstance(target, dict) and step in target:
                    target = target[step]
                else:
                    raise CannotHonour((*path, "$ref"), "It refers to nothing.", malformed=True)
            if not isinstance(target, dict | bool):
                raise CannotHonour((*path, "$ref"), "It refers to what is no schema.", malformed=True)
            if not isinstance(target, dict) or set(target) - {"$ref"}:
                return target
            schema = target
        return schema

    # --- objects ----------------------------------------------------------------------------------------------------

    def _properties(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        needed = self._required(schema)
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

    def _required(self, schema: dict[str, Any]) -> set[str]:
        """The tags of alternatives with them: pydantic does without where they have a default, and then refuses the call."""
        return {*schema.get("required", ()), *tagged(schema)}

    def _only_required(self, schema: dict[str, Any], _path: Path, _depth: int) -> dict[str, Any]:
        return {} if "properties" in schema else {"required": schema["required"]}

    def _others(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        """`additionalProperties`, and `propertyNames` where it says which."""
        others = self._schema(schema.get("additionalProperties", True), (*path, "additionalProperties"), depth)
        if "propertyNames" not in schema:
            return {"additionalProperties": others}
        where = (*path, "propertyNames")
        names = self._resolved(schema["propertyNames"], where)
        limits = set(names) & {*KEPT, *REFUSED, *_LOWERED} - {"type"} if isinstance(names, dict) else set()
        if names is True or (not limits and names.get("type", "string") == "string"):
            return {"additionalProperties": others}
        if schema.keys() & {"properties", "patternProperties"} or not limits <= {
            "enum",
            "const",
            "pattern",
            "minLength",
            "maxLength",
        }:
            raise CannotHonour(where, "It cannot be held while a model writes.")
        if limits & {"enum", "const"}:
            keys = [key for key in names.get("enum", [names.get("const")]) if isinstance(key, str)]
            if len(keys) > MOST_OPTIONAL or len(limits) > 1:
                raise CannotHonour(where, f"More than {MOST_OPTIONAL} of them may be left out.")
            return {"properties": dict.fromkeys(keys, others), "additionalProperties": False}
        if "pattern" in limits and len(limits) > 1:
            raise CannotHonour(where, "A pattern and a length cannot be held together.")
        pattern = names.get("pattern") or f"^[\\s\\S]{{{names.get('minLength', 0)},{names.get('maxLength', '')}}}$"
        return {"patternProperties": {PATTERNS.get(pattern, pattern): others}, "additionalProperties": False}

    def _patterns(self, schema: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
        if len(schema["patternProperties"]) > 16:
            raise CannotHonour((*path, "patternProperties"), "More than 16 of them take too long to tell apart.")
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
            return self._set(schema, path)
        if first is None:
            return {"items": self._schema(schema["items"], (*path, "items"), depth)} if "items" in schema else {}
        key = "prefixItems" if "prefixItems" in schema else "items"
        rest = schema.get("items", False) if key == "prefixItems" else schema.get("additionalItems", False)
        lowered = [self._schema(inner, (*path, key, str(n)), depth) for n, inner in enumerate(first)]
        least = {} if schema.keys() & {"minItems", "maxItems"} else {"minItems": len(first)}
        return {"prefixItems": lowered, "items": self._schema(rest, (*path, "items"), depth), **least}

    def _set(self, schema: dict[str, Any], path: Path) -> dict[str, Any]:
        inner = self._resolved(schema.get("items", True), path)
        values: list[Any] = []
        if isinstance(inner, dict):
            values = inner.get("enum", [False, True] if inner.get("type") == "boolean" else [])
        known = 0 < len(values) <= LONGEST_SET and len({*map(str, values)}) == len(values)
        if not known or "enum" in schema or set(inner) & {*_LOWERED, *REFUSED}:
            raise CannotHonour((*path, "uniqueItems"), f"Only sets of at most {LONGEST_SET} values can be held.")
        least, most = whole(schema.get("minItems", 0)), min(len(values), whole(schema.get("maxItems", len(values))))
        return {"enum": [list(order) for size in range(least, most + 1) for order in permutations(values, size)]}

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


_LOWERED: dict[str, Callable[[Lowering, dict[str, Any], Path, int], dict[str, Any]]] = {
    "$ref": Lowering._reference,
    "properties": Lowering._named,
    "required": Lowering._only_required,
    "additionalProperties": Lowering._others,
    "propertyNames": Lowering._others,
    "patternProperties": Lowering._patterns,
    "minProperties": Lowering._least,
    "items": Lowering._items,
    "prefixItems": Lowering._items,
    "uniqueItems": Lowering._items,
    "anyOf": Lowering._any_of,
    "oneOf": Lowering._one_of,
    "allOf": Lowering._all_of,
}


def _steps(pointer: str) -> Path:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in unquote(pointer[1:]).split("/")[1:])


def _in_order(schema: dict[str, Any]) -> Callable[[str], tuple[int, str]]:
    places = {name: n for n, name in enumerate(schema["properties"])}
    return lambda name: (places.get(name, len(places)), name)


def _combines(schema: Any) -> bool:
    """Whether an object's properties are named in two places: to close one would forbid the other's."""
    found, todo = False, [schema]
    while todo and not found:
        one = todo.pop()
        if isinstance(one, dict):
            found = len(COMBINING & one.keys()) + ("properties" in one) > 1 or len(one.get("allOf", ())) > 1
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return found
