"""A schema is promised, or refused with the path of what cannot be; none is too strange or too large to be judged."""

from typing import Annotated, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from realtime_server.engine.grammar import schema
from realtime_server.engine.grammar.lowering import DEEPEST
from tests.engine.grammar.schemas import DRAFT_7, PROMISED
from tests.engine.grammar.strategies import ANYTHING


def needs(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize("name", PROMISED)
def test_what_pydantic_and_zod_write_is_promised(name: str) -> None:
    assert schema.fault(PROMISED[name]) is None


class Tags(BaseModel):
    tags: set[str]


class Contact(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    phone: Annotated[str, Field(pattern=r"^(?!0)\d+$")]


REFUSED: dict[str, dict[str, Any]] = {
    "type": {"type": "string"},
    "not": {"not": {}},
    "properties.tags.uniqueItems": Tags.model_json_schema(),
    "properties.a.not": needs(a={"not": {"const": 1}}),
    "properties.a.items.properties.b.pattern": needs(a={"type": "array", "minItems": 1, "items": needs(b={"type": "string", "pattern": "^(?=a)"})}),
    "$defs.x.contains": needs(a={"$ref": "#/$defs/x"}) | {"$defs": {"x": {"type": "array", "contains": {}}}},
    "properties.a.oneOf": needs(a={"oneOf": [{"type": "integer"}, {"type": "number"}]}),
    "properties.a.$ref": needs(a={"$ref": "https://example.com/schema"}),
    "dependentRequired": {"dependentRequired": {"a": ["b"]}},
    "minProperties": {"minProperties": 2},
    "properties.a.propertyNames": needs(a={"propertyNames": {"format": "date"}}),
    "properties.a.multipleOf": needs(a={"type": "integer", "multipleOf": 9_999_991}),
    "properties.a": needs(a={"type": "integer", "minimum": 5, "maximum": 3}),
    "properties.a.properties.b": needs(a=needs(b={"enum": []})),
    "properties.phone.pattern": Contact.model_json_schema(),
    "properties.a.patternProperties": needs(a={"patternProperties": {f"^{n}$": {} for n in range(17)}}),
    "properties": {"properties": {f"p{n}": {} for n in range(257)}},
}  # fmt: skip


@pytest.mark.parametrize("path", REFUSED)
def test_what_cannot_be_promised_is_refused_with_its_path(path: str) -> None:
    fault = schema.fault(REFUSED[path])
    assert fault
    assert fault.path == path
    assert fault.why
    assert not fault.partial
    assert not fault.malformed


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("properties.a.not", {"properties": {"a": {"not": {"const": 1}}, "b": {"type": "integer"}}}),
        ("properties.a.pattern", {"properties": {"a": {"type": "string", "pattern": "(?=a)"}}}),
        ("properties.a.anyOf.1.contains", needs(a={"anyOf": [{"type": "null"}, {"contains": {}}]})),
        ("properties.a.anyOf.0.pattern", needs(a={"anyOf": [{"type": "string", "pattern": "(?=a)"}, {"type": "null"}]})),
    ],
)
def test_what_need_not_be_there_is_left_out(path: str, parameters: dict[str, Any]) -> None:
    fault = schema.fault(parameters)
    assert fault
    assert fault.path == path
    assert fault.partial
    assert schema.arguments(parameters)


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("properties.a.type", needs(a={"type": "text"})),
        ("properties.a.$ref", needs(a={"$ref": "#/$defs/gone"})),
        ("properties.a.$ref", {"properties": {"a": {"$ref": "#/$defs/gone"}}}),
        ("required", {"required": "a"}),
        ("properties.a.$ref", needs(a={"$ref": "#/examples/0"}) | {"examples": [{"type": 5}]}),
        ("properties.a", needs(a={"anyOf": [{"$ref": "#/properties/a"}, {"type": "null"}]})),
        ("properties.a.items", needs(a={"items": [{}]})),
    ],
)
def test_what_is_no_schema_is_said_to_be_none(path: str, parameters: dict[str, Any]) -> None:
    fault = schema.fault(parameters)
    assert fault
    assert fault.malformed
    assert fault.path == path


def test_tuples_are_read_as_their_draft_writes_them() -> None:
    assert schema.fault({"$schema": DRAFT_7, **needs(a={"type": "array", "items": [{"type": "null"}]})}) is None


@given(ANYTHING)
@example({"x-guidance": {"allOf": None}})
@example({"$schema": [["http://json-schema.org/draft-07/schema#"]], "items": [{}], "prefixItems": None})
@example({"x-guidance": {"required": None}, "allOf": [{"$ref": "#/x-guidance"}]})
def test_any_json_is_judged(parameters: dict[str, Any]) -> None:
    fault = schema.fault(parameters)
    assert fault is None or fault.why
    if fault is None or fault.partial:
        assert schema.arguments(parameters)


def nested(depth: int, leaf: Any) -> dict[str, Any]:
    for _ in range(depth):
        leaf = {"type": "array", "items": leaf, "prefixItems": [{}]}
    return needs(a=leaf)


def chained(count: int, part: Any) -> dict[str, Any]:
    links = {f"l{n}": part({"$ref": f"#/$defs/l{n + 1}"}) for n in range(count)}
    return needs(a={"$ref": "#/$defs/l0"}) | {"$defs": {**links, f"l{count}": {"type": "string"}}}


def records(depth: int) -> dict[str, Any]:
    leaf: dict[str, Any] = {"type": "null"}
    for _ in range(depth):
        leaf = {"type": "object", "propertyNames": {"enum": [f"k{n}" for n in range(200)]}, "additionalProperties": leaf}
    return needs(a=leaf)


RANGE = {"type": "integer", "minimum": 0, "maximum": 10_000}
BOMBS: dict[str, tuple[dict[str, Any], bool]] = {
    "references to a range": (needs(**{f"p{n}": {"$ref": "#/$defs/n"} for n in range(255)}) | {"$defs": {"n": RANGE}}, True),
    "deep": (nested(2000, {}), False),
    "deep and wide": (nested(50, {}), True),
    "doubling": (chained(24, lambda s: {"allOf": [s, s]}), True),
    "doubling tuples": (chained(24, lambda s: {"type": "array", "prefixItems": [s, s]}), True),
    "a long chain": (chained(500, lambda s: {"type": "array", "items": s, "minItems": 1}), False),
    "many values": (needs(a={"enum": [f"v{n}" for n in range(9000)]}), False),
    "values": (needs(a={"enum": [f"v{n}" for n in range(5000)]}), True),
    "records of records": (records(20), True),
    "products": (needs(a={"allOf": [{"anyOf": [needs(**{f"a{n}": {}}), needs(**{f"b{n}": {}})]} for n in range(20)]}), False),
    "patterns": (needs(a={"allOf": [{"type": "string", "pattern": f"a{n}.*b{n}"} for n in range(12)]}), False),
    "a repeated repetition": (needs(a={"type": "string", "pattern": "^(a{0,1000}){0,1000}$"}), True),
    "letters of all scripts": (needs(a={"type": "string", "pattern": r"^((\p{L}{500}){500}){500}$"}), True),
    "endless": (needs(a={"$ref": "#/$defs/n"}) | {"$defs": {"n": needs(n={"$ref": "#/$defs/n"})}}, False),
    "long": (needs(a={"type": "array", "minItems": 10**9, "items": {"type": "string", "minLength": 10**9}}), True),
    "huge numbers": (needs(a={"type": "number", "minimum": -1e308, "maximum": 1e308}), False),
    "lists of lists": (needs(a={"type": "array", "maxItems": 10**6, "items": {"type": "array", "maxItems": 10**6}}), True),
    "many alternatives": (needs(a={"anyOf": [needs(**{f"p{n}": {"type": "string"}, "q": {"pattern": "^" + "a" * n}}) for n in range(60)]}), True),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_large_is_judged_as_well(name: str) -> None:
    parameters, promised = BOMBS[name]
    assert (schema.fault(parameters) is None) is promised


@given(st.integers(0, 300))
def test_a_schema_may_be_as_deep_as_is_said(depth: int) -> None:
    fault = schema.fault(nested(depth, {}))
    assert (fault is None) is (depth < DEEPEST)
