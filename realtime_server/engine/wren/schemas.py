"""A function's JSON schema -> the arguments that Wren can write for it, or the place in it that cannot be honoured.

Wren writes arguments as words ('two', 'whole milk'), not as JSON, so a grammar of JSON text would have nothing to hold
on to: what may be written is a list of leaves, and JSON is made of them. `jsonschema_rs` judges the schema itself and each
fixed value; here is only the shape.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from realtime_server.engine.wren.words import identifier_words, number_in_words, plain
from realtime_server.messages import SchemaFault

SMALLEST_NUMBER, LARGEST_NUMBER, USUAL_NUMBER = -99, 9999, 999
LONGEST_TEXT = 200
MOST_ELEMENTS = 16
MOST_BYTES, DEEPEST, MOST_LEAVES, MOST_STEPS = 64 * 1024, 48, 256, 5000
"""No schema may keep the server busy for long: the larger ones are refused before they are looked at."""
_BESIDE_ANYTHING = {
    "title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly", "$defs", "definitions",
    "$schema", "$id",
}  # fmt: skip
"""Annotations: they may stand beside a reference or alternatives without asking for anything."""
TRUE_WORDS, FALSE_WORDS = ("true", "on", "yes"), ("false", "off", "no")
_REFUSED = (
    "pattern", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "if", "not",
    "contains", "prefixItems", "unevaluatedProperties", "unevaluatedItems",
)  # fmt: skip
"""Keywords whose fulfilment cannot be promised. `format` and the like are annotations: validators do not assert them."""


class CannotHonour(Exception):
    """`path` is dotted, from the schema's top."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(why)
        self.path, self.why = path, why


@dataclass(frozen=True)
class Words:
    """One of these: (what is said, the JSON value)."""

    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class FreeText:
    shortest: int
    longest: int


@dataclass(frozen=True)
class Leaf:
    """One argument, or one within nested objects: `path` holds the keys that lead to it."""

    path: tuple[str, ...]
    value: Words | FreeText
    least: int = 1
    most: int | None = None
    """A list of `least` to `most` values where `most` is given."""

    @property
    def spoken(self) -> str:
        return " ".join(identifier_words(key) or key.lower() for key in self.path)

    def allows(self, value: Any) -> bool:
        """May it be written?"""
        if self.most is None:
            return self._allows(value)
        return isinstance(value, list) and self.least <= len(value) <= self.most and all(map(self._allows, value))

    def _allows(self, value: Any) -> bool:
        if isinstance(self.value, FreeText):
            return isinstance(value, str) and max(self.value.shortest, 1) <= len(value) <= self.value.longest
        return any(type(value) is type(option) and value == option for _, option in self.value.options)

    def ways(self, value: Any) -> list[list[str]]:
        """In which words each part of its value may have been said; none for what goes without saying: true, false, nothing,
        and what is the only choice."""
        values = value if self.most is not None and isinstance(value, list) else [value]
        if isinstance(self.value, FreeText):
            return [[text] for text in values]
        if len(self.value.options) < 2:
            return []
        options = self.value.options
        return [[said for said, option in options if option == part] for part in values if not isinstance(part, bool | None)]


@dataclass(frozen=True)
class Arguments:
    """All leaves, and for each object in the schema (by its path) the keys that it must have."""

    leaves: tuple[Leaf, ...]
    required: dict[tuple[str, ...], frozenset[str]]

    def missing(self, written: set[tuple[str, ...]]) -> list[Leaf]:
        """The leaves without which what is written would not be valid."""
        return [leaf for leaf in self.leaves if leaf.path not in written and self._needed(leaf.path, written)]

    def objects(self, written: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The nested objects that must be there, if only as `{}`; outer ones first."""
        return [path for path in self.required if path and self._present(path, written)]

    def _needed(self, path: tuple[str, ...], written: set[tuple[str, ...]]) -> bool:
        parent, key = path[:-1], path[-1]
        return key in self.required[parent] and self._present(parent, written)

    def _present(self, path: tuple[str, ...], written: set[tuple[str, ...]]) -> bool:
        return not path or any(leaf[: len(path)] == path for leaf in written) or self._needed(path, written)


def fault(parameters: dict[str, Any]) -> SchemaFault | None:
    """Why calls with these parameters cannot be promised to be valid; None when they can."""
    if _depth(parameters) > DEEPEST:
        return SchemaFault("", f"It is nested more than {DEEPEST} levels deep.")
    text = orjson.dumps(parameters)
    if len(text) > MOST_BYTES:
        return SchemaFault("", f"It has more than {MOST_BYTES} bytes.")
    return _fault(text)


@lru_cache(maxsize=256)
def _fault(text: bytes) -> SchemaFault | None:
    parameters = orjson.loads(text)
    try:
        # Whatever draft it names, it is read as 2020-12: the newest, and the one that clients write.
        jsonschema_rs.meta.validate({key: value for key, value in parameters.items() if key != "$schema"})
    except jsonschema_rs.ValidationError as error:
        return SchemaFault(".".join(str(step) for step in error.instance_path), f"It is not a JSON schema: {error.message}.")
    try:
        _arguments(text)
    except CannotHonour as error:
        return SchemaFault(error.path, error.why)
    return None


def _depth(value: Any) -> int:
    """Level by level: a recursive walk would itself be what it guards against."""
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [i for v in level if isinstance(v, dict | list) for i in (v.values() if isinstance(v, dict) else v)]
    return depth


def arguments(parameters: dict[str, Any]) -> Arguments:
    """CannotHonour names the path at fault."""
    return _arguments(orjson.dumps(parameters))


@lru_cache(maxsize=256)
def _arguments(text: bytes) -> Arguments:
    schema = orjson.loads(text)
    compiler = _Compiler(schema)
    top, path = compiler.resolve(schema, "")
    if top.get("type", "object") != "object":
        raise CannotHonour(_join(path, "type"), "A function's arguments are an object.")
    leaves = tuple(compiler.record(top, path, ()))
    return Arguments(leaves, compiler.required)


MOST_SHOWN, MOST_SHOWN_WORDS = 8, 16
"""Of a parameter with more values than this, or with longer ones, the model is shown none: its context is short."""


def shown(parameters: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Each parameter as it is spoken, with the names to choose from; nothing where the schema could not be honoured."""
    try:
        return [(leaf.spoken, _choices(leaf.value)) for leaf in arguments(parameters).leaves]
    except CannotHonour:
        return []


def _choices(value: Words | FreeText) -> tuple[str, ...]:
    if isinstance(value, FreeText) or len(value.options) > MOST_SHOWN:
        return ()
    said = tuple(said for said, option in value.options if isinstance(option, str))
    short = sum(len(words.split()) for words in said) <= MOST_SHOWN_WORDS
    return said if short and len(said) == len(value.options) else ()


class _Compiler:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._open: list[str] = []
        self._steps = self._leaves = 0
        self.required: dict[tuple[str, ...], frozenset[str]] = {}

    def resolve(self, schema: Any, path: str) -> tuple[dict[str, Any], str]:
        """Follows references and single alternatives down to a plain schema."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise CannotHonour(path, "It refers to itself too often.")
        if schema is True:
            return {}, path
        if schema is False:
            raise CannotHonour(path, "Nothing satisfies it.")
        for keyword in _REFUSED:
            if keyword in schema:
                raise CannotHonour(_join(path, keyword), f"'{keyword}' cannot be guaranteed.")
        for keyword in ("$ref", "allOf", "anyOf", "oneOf"):
            if keyword in schema and (beside := set(schema) - _BESIDE_ANYTHING - {keyword}):
                text = f"'{keyword}' together with '{min(beside)}' cannot be guaranteed."
                raise CannotHonour(_join(path, keyword), text)
        if "$ref" in schema:
            return self._follow(schema["$ref"], path)
        if "allOf" in schema:
            if len(schema["allOf"]) > 1:
                raise CannotHonour(_join(path, "allOf"), "Several schemas at once cannot be guaranteed.")
            return self.resolve(schema["allOf"][0], _join(path, "allOf.0"))
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._alternative(schema[keyword], keyword, path)
        if isinstance(schema.get("type"), list):
            # Whatever satisfies one of the types satisfies the schema; null says least.
            kinds = [kind for kind in schema["type"] if kind != "null"] or ["null"]
            return schema | {"type": kinds[0]}, path
        return schema, path

    def _follow(self, reference: str, path: str) -> tuple[dict[str, Any], str]:
        if not reference.startswith("#/"):
            raise CannotHonour(_join(path, "$ref"), "Only references within the schema are followed.")
        if reference in self._open:
            raise CannotHonour(_join(path, "$ref"), "It refers to itself without end.")
        target: Any = self._root
        for step in reference[2:].split("/"):
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
            if target is None:
                raise CannotHonour(_join(path, "$ref"), f"There is no '{reference}'.")
        self._open.append(reference)
        try:
            return self.resolve(target, path)
        finally:
            self._open.pop()

    def _alternative(self, schemas: list[Any], keyword: str, path: str) -> tuple[dict[str, Any], str]:
        """The first alternative that can be honoured and is not merely null; of `oneOf` only where types tell them apart."""
        found, refusal = [], None
        for n, schema in enumerate(schemas):
            try:
                found.append(self.resolve(schema, _join(path, f"{keyword}.{n}")))
            except CannotHonour as error:
                refusal = refusal or error
        types = [schema.get("type") for schema, _ in found]
        if keyword == "oneOf" and (
            refusal or None in types or len(set(types)) < len(types) or {"integer", "number"} <= set(types)
        ):
            raise CannotHonour(_join(path, keyword), "'oneOf' needs alternatives of different types.")
        spoken = [pair for pair in found if pair[0].get("type") != "null"] or found
        if not spoken:
            raise refusal or CannotHonour(path, "It has no alternative.")
        return spoken[0]

    def record(self, schema: dict[str, Any], path: str, keys: tuple[str, ...]) -> Iterator[Leaf]:
        """The leaves of an object."""
        properties = schema.get("properties", {})
        self.required[keys] = frozenset(schema.get("required", ()))
        for key in schema.get("required", ()):
            if key not in properties:
                raise CannotHonour(_join(path, "required"), f"'{key}' is required and not described.")
        if len(schema.get("required", ())) < schema.get("minProperties", 0):
            raise CannotHonour(_join(path, "minProperties"), "'minProperties' beyond the required ones cannot be guaranteed.")
        if schema.get("maxProperties", len(properties)) < len(properties):
            raise CannotHonour(_join(path, "maxProperties"), "'maxProperties' cannot be guaranteed.")
        for key, inner in properties.items():
            place = _join(path, f"properties.{key}")
            if len(keys) > DEEPEST:
                raise CannotHonour(place, "It is nested without end.")
            resolved, place = self.resolve(inner, place)
            for leaf in self._field(resolved, place, (*keys, key)):
                self._leaves += not keys
                if self._leaves > MOST_LEAVES:
                    raise CannotHonour(place, f"A function may have {MOST_LEAVES} arguments at most.")
                yield leaf

    def _field(self, schema: dict[str, Any], path: str, keys: tuple[str, ...]) -> Iterator[Leaf]:
        kind = schema.get("type")
        if kind == "object" and "enum" not in schema and "const" not in schema:
            inner = list(self.record(schema, path, keys))
            if not inner:
                inner = [Leaf(keys, Words((("nothing", {}),)))]
            yield from inner
        elif kind == "array" and "enum" not in schema and "const" not in schema:
            items, place = self.resolve(schema.get("items", True), _join(path, "items"))
            if items.get("type") in ("object", "array"):
                raise CannotHonour(_join(place, "type"), "Lists of objects or of lists cannot be written.")
            least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_ELEMENTS)
            if schema.get("uniqueItems"):
                most = min(most, 1)
            if least > min(most, MOST_ELEMENTS):
                raise CannotHonour(_join(path, "uniqueItems" if schema.get("uniqueItems") else "minItems"),
                                   f"Lists of at least {least} such values cannot be guaranteed.")  # fmt: skip
            if most > 0:
                yield Leaf(keys, self._value(items, place), max(least, 1), min(most, MOST_ELEMENTS))
            else:
                yield Leaf(keys, Words((("nothing", []),)))
        else:
            yield Leaf(keys, self._value(schema, path))

    def _value(self, schema: dict[str, Any], path: str) -> Words | FreeText:
        if "enum" in schema or "const" in schema:
            return self._fixed(schema.get("enum", [schema.get("const")]), schema, path)
        kind = schema.get("type", "string")
        if kind == "boolean":
            return Words(tuple((word, True) for word in TRUE_WORDS) + tuple((word, False) for word in FALSE_WORDS))
        if kind == "null":
            return Words((("nothing", None),))
        if kind in ("integer", "number"):
            return self._numbers(schema, path)
        shortest, longest = schema.get("minLength", 0), min(schema.get("maxLength", LONGEST_TEXT), LONGEST_TEXT)
        if shortest > longest or longest == 0:
            raise CannotHonour(_join(path, "minLength"), f"Texts of {shortest} characters and more cannot be guaranteed.")
        return FreeText(shortest, longest)

    def _fixed(self, values: list[Any], schema: dict[str, Any], path: str) -> Words:
        definitions: dict[str, Any] = {key: self._root[key] for key in ("$defs", "definitions") if key in self._root}
        try:
            validator = jsonschema_rs.Draft202012Validator({**schema, **definitions})
        except jsonschema_rs.ValidationError as error:
            raise CannotHonour(path, f"It cannot be judged: {error.message}.") from None
        fitting = [value for value in values if validator.is_valid(value)]
        if not fitting:
            raise CannotHonour(_join(path, "enum" if "enum" in schema else "const"), "None of the values satisfies the schema.")
        return Words(tuple((_said(value) or f"option {n + 1}", value) for n, value in enumerate(fitting)))

    def _numbers(self, schema: dict[str, Any], path: str) -> Words:
        low, high = schema.get("minimum", 0), schema.get("maximum")
        if "exclusiveMinimum" in schema:
            low = max(low, schema["exclusiveMinimum"]) if "minimum" in schema else schema["exclusiveMinimum"]
        high = schema.get("exclusiveMaximum") if high is None else min(high, schema.get("exclusiveMaximum", high))
        if high is not None and "minimum" not in schema and "exclusiveMinimum" not in schema and high < 0:
            low = SMALLEST_NUMBER
        if high is None:
            high = USUAL_NUMBER if low <= USUAL_NUMBER else LARGEST_NUMBER
        first, last = max(int(low) - 1, SMALLEST_NUMBER), min(int(high) + 1, LARGEST_NUMBER)
        validator = jsonschema_rs.Draft202012Validator({key: schema[key] for key in _NUMBER_KEYWORDS if key in schema})
        fitting = [n for n in range(first, last + 1) if low <= n <= high and validator.is_valid(n)]
        if not fitting:
            keyword = next((k for k in _NUMBER_KEYWORDS if k in schema), "type")
            raise CannotHonour(
                _join(path, keyword), f"No whole number from {SMALLEST_NUMBER} to {LARGEST_NUMBER} satisfies it."
            )
        return Words(tuple((("minus " if n < 0 else "") + number_in_words(abs(n)), n) for n in fitting))


_NUMBER_KEYWORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


def _said(value: Any) -> str:
    """How a fixed value sounds: 'dark_roast' -> 'dark roast', 2 -> 'two'."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case str():
            return identifier_words(value) if "_" in value else plain(value)
        case int() if abs(value) < 1_000_000:
            return ("minus " if value < 0 else "") + number_in_words(abs(value))
    return plain(orjson.dumps(value).decode())


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
