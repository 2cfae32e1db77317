"""Schemas of all sorts, sensible and not."""

from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from(["size", "kind", "milk_amount", "x", "ä", 'quo"te', "note"])
NUMBERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": st.integers(-150, 2000), "maximum": st.integers(-150, 12_000), "exclusiveMinimum": st.integers(-5, 50),
        "exclusiveMaximum": st.integers(0, 60), "multipleOf": st.sampled_from([1, 2, 5, 0.5]),
    },
)  # fmt: skip
TEXTS = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 10), "maxLength": st.integers(0, 20), "format": st.sampled_from(["date", "color"]),
              "pattern": st.sampled_from(["^a+$", "b", "^(?!a)b", "\\d{2}"])},
)  # fmt: skip
VALUES = st.sampled_from(["small", "Small", "dark_roast", 2, None, True, "日", [1], "", {"a": 1}])
FIXED = st.one_of(
    st.fixed_dictionaries(
        {"enum": st.lists(VALUES, min_size=1, max_size=4)}, optional={"type": st.sampled_from(["string", "integer"])}
    ),
    st.fixed_dictionaries({"const": VALUES}),
)
PLAIN = st.one_of(NUMBERS, TEXTS, FIXED, st.just({"type": "boolean"}), st.just({"type": ["integer", "null"]}), st.just({"not": {}}),
                  st.just({"$ref": "#/properties/x"}), st.just(True), st.just(False), st.just({"not": {"const": 1}}))  # fmt: skip


def tagged(tag: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"kind": {"const": tag}, **properties}, "required": ["kind"]}


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def with_required(properties: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        required = st.lists(st.sampled_from(sorted(properties) or ["gone"]), max_size=3, unique=True)
        return st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.just(properties), "required": required},
            optional={
                "additionalProperties": st.just(False),
                "minProperties": st.integers(0, 2),
                "maxProperties": st.integers(1, 3),
            },
        )

    return st.dictionaries(KEYS, values, max_size=4).flatmap(with_required)


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 3), "maxItems": st.integers(0, 4), "uniqueItems": st.booleans(),
                  "prefixItems": st.lists(inner, min_size=1, max_size=2)},
    )  # fmt: skip
    alternatives = st.lists(inner, min_size=1, max_size=3)
    tags = st.lists(st.builds(tagged, st.sampled_from("abc"), x=inner), min_size=1, max_size=3)
    names = st.sampled_from([{"minLength": 1}, {"enum": ["a", "b"]}, {"pattern": "^x"}, True, {"format": "date"}])
    records = st.builds(lambda s, n: {"type": "object", "propertyNames": n, "additionalProperties": s}, inner, names)
    return st.one_of(objects(inner), lists, records, st.builds(lambda s: {"oneOf": s}, tags),
                     st.builds(lambda s: {"anyOf": s}, alternatives), st.builds(lambda s: {"oneOf": s}, alternatives),
                     st.builds(lambda a, b: {"allOf": [a, b]}, inner, inner))  # fmt: skip


def beside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A schema with another's keywords in it: together they may ask for more than each does alone."""
    return st.builds(lambda a, b: {**a, **b} if isinstance(a, dict) and isinstance(b, dict) else a, inner, inner)


PARAMETERS = objects(beside(st.recursive(PLAIN, grown, max_leaves=6)))

KEYWORDS = st.sampled_from([
    "type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "required", "minimum", "maxLength",
    "minItems", "multipleOf", "default", "$schema", "$id", "propertyNames", "not", "format", "maxProperties", "prefixItems", "pattern",
    "patternProperties", "uniqueItems", "x-guidance", "additionalProperties",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-5, 2**60) | st.floats(allow_nan=False) | st.sampled_from(
    ["string", "object", "array", "#", "#/properties/a", "^(a", "x", "#/$defs/a", "http://json-schema.org/draft-07/schema#"]
)  # fmt: skip
JSON = st.recursive(
    LEAVES, lambda s: st.lists(s, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), s, max_size=4), max_leaves=20
)
ANYTHING = st.dictionaries(KEYWORDS, JSON, max_size=5)
