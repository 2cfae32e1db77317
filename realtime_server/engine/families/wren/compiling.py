"""A JSON schema -> what may be written for it, place by place, each place once however often it is referred to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import jsonschema_rs

from realtime_server.engine.families.wren.leaves import Arguments, FreeText, Leaf, Numbers, Path, Words
from realtime_server.engine.grammar.keywords import ASKING, COMBINING, REFUSED, CannotHonour
from realtime_server.engine.grammar.references import is_place, steps, target

SMALLEST_NUMBER, LARGEST_NUMBER, USUAL_NUMBER = -99, 9999, 999
LONGEST_TEXT = 200
MOST_ELEMENTS, MOST_OPTIONS, MOST_LEAVES = 16, 1000, 256
DEEPEST, FURTHEST, MOST_TAGGED, MOST_WEIGHTY = 48, 16, 64, 16
"""Objects within objects, references behind one another, alternatives told apart by a tag, and fixed values that need more of
the schema to be judged."""
FEW_LEAVES, BYTES_OF_LEAF = 32, 16
"""More arguments than so many are allowed by the schema's bytes: references may name the same ones again and again."""
_REFUSED = REFUSED | {"pattern", "prefixItems"}
"""Keywords whose fulfilment cannot be promised. `format` and the like are annotations: validators do not assert them."""
_OF_NAMES = frozenset({"propertyNames", "patternProperties"})
"""What they ask of properties is fulfilled where none are written."""
_SPECIAL = _REFUSED | COMBINING
_NUMBER_KEYWORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_OF_VALUES = frozenset({*_NUMBER_KEYWORDS, "enum", "const", "type", "minLength", "maxLength", "required"})
"""What these ask of a fixed value is judged without the rest of the schema."""


_ANYTHING: dict[str, Any] = {}
_NULL = frozenset({"null"})


@dataclass(frozen=True)
class _Place:
    """What may be written in one place, and of which JSON types it may be at all, whole numbers as numbers; None where that is
    not said."""

    shape: Arguments
    kinds: frozenset[str] | None


class Compiler:
    def __init__(self, root: dict[str, Any], size: int) -> None:
        """`size`: of the schema's text, in bytes."""
        self._root = root
        self._most = min(MOST_LEAVES, FEW_LEAVES + size // BYTES_OF_LEAF)
        self._made: dict[int, _Place | CannotHonour] = {}
        self._open: set[int] = set()
        self._weighty = 0

    def arguments(self) -> Arguments:
        """The function's. CannotHonour names the path at fault."""
        top = self._plain(self._root)
        if top.get("type", "object") != "object":
            raise CannotHonour(("type",), "A function's arguments are an object.")
        if not COMBINING.isdisjoint(top):
            raise CannotHonour((min(COMBINING.intersection(top)),), "A function's arguments are one object.")
        self._open.add(id(self._root))
        return self._object(top, frozenset())

    def _place(self, schema: Any, *steps: str) -> _Place:
        """A schema, wherever it stands; `steps` lead to it from who asks."""
        try:
            plain = self._plain(schema)
            made = self._made.get(id(plain)) or self._make(plain, ("$ref",) if plain is not schema else ())
            if isinstance(made, CannotHonour):
                raise made.under()
        except CannotHonour as error:
            raise error.under(*steps) from None
        return made

    def _make(self, schema: dict[str, Any], here: tuple[str, ...]) -> _Place | CannotHonour:
        if id(schema) in self._open:
            raise CannotHonour(here, "It refers to itself without end.")
        if len(self._open) > DEEPEST:
            raise CannotHonour(here, f"It is nested more than {DEEPEST} levels deep.")
        self._open.add(id(schema))
        try:
            made: _Place | CannotHonour = self._made_of(schema)
        except CannotHonour as error:
            made = error
        self._open.remove(id(schema))
        self._made[id(schema)] = made
        return made

    def _plain(self, schema: Any) -> dict[str, Any]:
        """Follows references and schemas that are all of one."""
        for _ in range(FURTHEST):
            if schema is True:
                return _ANYTHING
            if not isinstance(schema, dict):
                raise CannotHonour((), "Nothing satisfies it." if schema is False else "It is no schema.")
            if _SPECIAL.isdisjoint(schema):
                return schema
            self._check_keywords(schema)
            if "$ref" in schema:
                schema = self._target(schema["$ref"])
            elif "allOf" in schema:
                schema = schema["allOf"][0]
            else:
                return schema
        raise CannotHonour(("$ref",), "It refers to itself without end.")

    @staticmethod
    def _check_keywords(schema: dict[str, Any]) -> None:
        if refused := _REFUSED.intersection(schema):
            raise CannotHonour((min(refused),), f"'{min(refused)}' cannot be guaranteed.")
        for keyword in sorted(COMBINING.intersection(schema)):
            if beside := (ASKING - {keyword}) & schema.keys():
                raise CannotHonour((keyword,), f"'{keyword}' together with '{min(beside)[:40]}' cannot be guaranteed.")
        if len(schema.get("allOf", ())) > 1:
            raise CannotHonour(("allOf",), "Several schemas at once cannot be guaranteed.")

    def _target(self, reference: str) -> Any:
        """Other than in the places of schemas nothing is looked for: what stands there would have to be judged each time."""
        if not is_place(steps(reference)):
            raise CannotHonour(("$ref",), f"There is no schema '{reference[:80]}'.")
        try:
            return target(self._root, reference, ("$ref",))
        except CannotHonour as error:
            # One more thing that Wren cannot write, which the rest of the session need not suffer for.
            raise CannotHonour(error.path, error.why) from None

    def _made_of(self, schema: dict[str, Any]) -> _Place:
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._alternatives(schema[keyword], keyword)
        kinds = _kinds(schema)
        # Whatever satisfies one of the types satisfies the schema; null says least.
        kind = next((kind for kind in kinds if kind != "null"), "null") if kinds else None
        if "enum" in schema or "const" in schema:
            shape = _only(self._fixed(schema))
        elif kind == "object":
            shape = self._object(schema, frozenset())
            # Nothing can be said for it, and it is valid as it is.
            shape = shape if shape.leaves else replace(_only(Words(({},))), left_out=shape.left_out)
        elif kind == "array":
            shape = self._array(schema)
        else:
            shape = _only(_value(schema, kind or "string"))
        return _Place(shape, frozenset("number" if kind == "integer" else kind for kind in kinds) or None)

    def _alternatives(self, schemas: list[Any], keyword: str) -> _Place:
        """The first that can be honoured and is not merely null; of `oneOf` only where it is told apart from the others."""
        found, refusal = list[tuple[int, _Place]](), None
        for n, schema in enumerate(schemas):
            try:
                found.append((n, self._place(schema, keyword, str(n))))
            except CannotHonour as error:
                refusal = refusal or error
        spoken = [(n, place.shape) for n, place in found if place.kinds != _NULL] or [(n, place.shape) for n, place in found]
        if keyword == "oneOf" and (refusal or not _apart([place.kinds for _, place in found])):
            tagged = self._tagged(schemas)
            if tagged is None:
                raise refusal or CannotHonour(
                    (keyword,), "'oneOf' needs alternatives of different types, or with different tags."
                )
            return tagged
        if not spoken:
            raise refusal or CannotHonour((), "It has no alternative.")
        kinds = [place.kinds for _, place in found]
        every = None if refusal or None in kinds else frozenset(kind for some in kinds if some for kind in some)
        n, shape = spoken[0]
        left_out = shape.left_out and shape.left_out.under(keyword, str(n))
        return _Place(replace(shape, left_out=left_out), every)

    def _tagged(self, schemas: list[Any]) -> _Place | None:
        """The first of some objects that are told apart by the fixed value of one property, which it then always has."""
        try:
            plain = [self._plain(schema) for schema in schemas]
        except CannotHonour:
            return None
        if len(plain) > MOST_TAGGED or any(_kinds(schema) != ("object",) for schema in plain):
            return None
        for key in plain[0].get("properties", {}):
            first = self._tags(plain[0], key)
            others = (self._tags(schema, key) for schema in plain[1:])
            if first and all(tags and first.isdisjoint(tags) for tags in others):
                try:
                    return _Place(self._object(plain[0], frozenset({key})), frozenset({"object"}))
                except CannotHonour as error:
                    raise error.under("oneOf", "0") from None
        return None

    def _tags(self, schema: dict[str, Any], key: str) -> frozenset[str]:
        """The texts of which one must stand there; none where it may be something else."""
        try:
            tag = self._plain(schema.get("properties", {}).get(key, True))
        except CannotHonour:
            return frozenset()
        values = tag.get("enum", [tag["const"]] if "const" in tag else [])
        return frozenset(values) if all(isinstance(value, str) for value in values) else frozenset()

    def _object(self, schema: dict[str, Any], also: frozenset[str]) -> Arguments:
        """`also`: keys that it must have besides those that it says itself."""
        properties, required = schema.get("properties", {}), frozenset(schema.get("required", ())) | also
        if properties and (asked := _OF_NAMES.intersection(schema)):
            raise CannotHonour((min(asked),), f"'{min(asked)}' cannot be guaranteed.")
        if gone := required - properties.keys():
            raise CannotHonour(("required",), f"'{min(gone)[:40]}' is required and not described.")
        if len(required) < schema.get("minProperties", 0):
            raise CannotHonour(("minProperties",), "'minProperties' beyond the required ones cannot be guaranteed.")
        if schema.get("maxProperties", len(properties)) < len(properties):
            raise CannotHonour(("maxProperties",), "'maxProperties' cannot be guaranteed.")
        leaves, needed, lists = list[Leaf](), dict[Path, frozenset[str | int]]({(): required}), set[Path]()
        left_out: CannotHonour | None = None
        for key, inner in properties.items():
            try:
                shape = self._property(inner, key, len(leaves))
            except CannotHonour as error:
                if key in required:
                    raise
                # Who need not give it never does.
                left_out = left_out or error
                continue
            leaves += shape.leaves
            needed |= shape.required
            lists |= shape.lists
            left_out = left_out or shape.left_out
        return Arguments(tuple(leaves), needed, frozenset(lists), left_out)

    def _property(self, schema: Any, key: str, before: int) -> Arguments:
        """`before`: how many leaves the object has already."""
        shape = self._place(schema, "properties", key).shape
        if before + len(shape.leaves) > self._most:
            raise CannotHonour(("properties", key), f"A function like this may have {self._most} arguments at most.")
        shape = shape.under(key)
        return replace(shape, left_out=shape.left_out.under("properties", key)) if shape.left_out else shape

    def _array(self, schema: dict[str, Any]) -> Arguments:
        """Of plain values, as many as it may have; of objects or of lists, one."""
        least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_ELEMENTS)
        if most == least == 0:
            return _only(Words(([],)))
        items = self._place(schema.get("items", True), "items").shape
        single = items.leaves[0] if [leaf.path for leaf in items.leaves] == [()] else None
        of_values = single is not None and single.most is None
        most = min(most, MOST_ELEMENTS if of_values and not schema.get("uniqueItems") else 1)
        if least > most:
            keyword = "uniqueItems" if schema.get("uniqueItems") else "minItems"
            raise CannotHonour((keyword,), f"Lists of at least {least} such values cannot be guaranteed.")
        if single is not None and of_values:
            return Arguments((Leaf((), single.value, int(max(least, 1)), int(most)),))
        shape, left_out = items.under(0), items.left_out and items.left_out.under("items")
        needed = {(): frozenset({0} if least else ()), **shape.required}
        return Arguments(shape.leaves, needed, shape.lists | {()}, left_out)

    def _fixed(self, schema: dict[str, Any]) -> Words:
        keyword = "enum" if "enum" in schema else "const"
        values = schema.get("enum", [schema.get("const")])
        if len(values) > MOST_OPTIONS:
            raise CannotHonour((keyword,), f"A value is one of {MOST_OPTIONS} at most.")
        judged = {key: value for key, value in schema.items() if key in ASKING}
        if not _OF_VALUES.issuperset(judged):
            self._weighty += 1
            judged |= {key: self._root[key] for key in ("$defs", "definitions") if key in self._root}
        if self._weighty > MOST_WEIGHTY:
            raise CannotHonour((keyword,), "Too many fixed values are restricted otherwise.")
        try:
            validator = jsonschema_rs.Draft202012Validator(judged)
            fitting = tuple(value for value in values if validator.is_valid(value))
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise CannotHonour((), f"It cannot be judged: {str(error)[:200]}") from None
        if not fitting:
            raise CannotHonour((keyword,), "None of the values satisfies the schema.")
        return Words(fitting)


def _kinds(schema: dict[str, Any]) -> tuple[str, ...]:
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _apart(kinds: Sequence[frozenset[str] | None]) -> bool:
    """Is no value of two of these types?"""
    known = [some for some in kinds if some]
    return len(known) == len(kinds) and sum(map(len, known)) == len(frozenset().union(*known))


def _only(value: Words | Numbers | FreeText) -> Arguments:
    return Arguments((Leaf((), value),))


def _value(schema: dict[str, Any], kind: str) -> Words | Numbers | FreeText:
    if kind == "boolean":
        return Words((True, False))
    if kind == "null":
        return Words((None,))
    if kind in ("integer", "number"):
        return _numbers(schema)
    shortest, longest = schema.get("minLength", 0), min(schema.get("maxLength", LONGEST_TEXT), LONGEST_TEXT)
    if shortest > longest or longest == 0:
        raise CannotHonour(("minLength",), f"Texts of {shortest} characters and more cannot be guaranteed.")
    return FreeText(int(shortest), int(longest))


def _numbers(schema: dict[str, Any]) -> Numbers:
    lows = [schema["minimum"]] if "minimum" in schema else []
    lows += [math.floor(schema["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in schema else []
    highs = [schema["maximum"]] if "maximum" in schema else []
    highs += [math.ceil(schema["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in schema else []
    low = max(lows, default=SMALLEST_NUMBER if highs and min(highs) < 0 else 0)
    high = min(highs, default=USUAL_NUMBER if low <= USUAL_NUMBER else LARGEST_NUMBER)
    # What is a multiple of a fraction in lowest terms, and whole, is one of its numerator.
    step = Fraction(str(schema.get("multipleOf", 1))).numerator
    first = -(-max(math.ceil(low), SMALLEST_NUMBER) // step) * step
    values = range(first, min(math.floor(high), LARGEST_NUMBER) + 1, step)
    if not values:
        keyword = next((k for k in _NUMBER_KEYWORDS if k in schema), "type")
        raise CannotHonour((keyword,), f"No whole number from {SMALLEST_NUMBER} to {LARGEST_NUMBER} satisfies it.")
    return Numbers(values)
