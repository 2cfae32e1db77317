"""Whatever a schema asks, either it is refused with the path at fault or every call that is written fits it."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.engine.wren import schemas
from tests.engine.test_calls import write

KEYS = st.sampled_from(["size", "numberOfShots", "milk_amount", "x", "ä", "note"])
NUMBERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["integer", "number"])},
    optional={
        "minimum": st.integers(-150, 2000), "maximum": st.integers(-150, 12_000), "exclusiveMinimum": st.integers(-5, 50),
        "exclusiveMaximum": st.integers(0, 60), "multipleOf": st.sampled_from([1, 2, 5, 0.5]),
    },
)  # fmt: skip
TEXTS = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={"minLength": st.integers(0, 40), "maxLength": st.integers(0, 60), "format": st.just("date")},
)
FIXED = st.one_of(
    st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["small", "Small", "dark_roast", 2, None, True, "日", [1], ""]),
                                            min_size=1, max_size=4)}, optional={"type": st.sampled_from(["string", "integer"])}),
    st.fixed_dictionaries({"const": st.sampled_from(["a", 5, False])}),
)  # fmt: skip
PLAIN = st.one_of(NUMBERS, TEXTS, FIXED, st.just({"type": "boolean"}), st.just({}), st.just({"type": ["string", "null"]}),
                  st.just({"$ref": "#/$defs/shot"}), st.just(True))  # fmt: skip


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def with_required(properties: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
        required = st.lists(st.sampled_from(sorted(properties) or ["gone"]), max_size=3, unique=True)
        return st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.just(properties), "required": required},
            optional={"additionalProperties": st.just(False), "minProperties": st.integers(0, 2)},
        )

    return st.dictionaries(KEYS, values, max_size=4).flatmap(with_required)


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 4), "maxItems": st.integers(0, 5), "uniqueItems": st.booleans()},
    )
    alternatives = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(objects(inner), lists, st.builds(lambda s: {"anyOf": s}, alternatives),
                     st.builds(lambda s: {"oneOf": s}, alternatives), st.builds(lambda s: {"allOf": [s]}, inner))  # fmt: skip


def beside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A schema with another's keywords in it: together they may ask for more than each does alone."""
    return st.builds(lambda a, b: {**a, **b} if isinstance(a, dict) and isinstance(b, dict) else a, inner, inner)


PARAMETERS = objects(beside(st.recursive(PLAIN, grown, max_leaves=6)))


@given(PARAMETERS, st.integers(0, 1000))
@settings(max_examples=200)
def test_calls_fit_or_the_schema_is_refused(parameters: dict[str, Any], seed: int) -> None:
    parameters = parameters | {"$defs": {"shot": {"type": "integer", "minimum": 1, "maximum": 3}}}
    fault = schemas.fault(parameters)
    if fault is not None:
        assert fault.why
        return
    outputs = write(seed, (m.Function("f", "", parameters),), None)
    text = "".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta))
    Draft202012Validator(parameters).validate(json.loads(text))


def one(schema: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"x": schema},
        "$defs": {"loop": {"anyOf": [{"$ref": "#/$defs/loop"}]}, "one": {"const": 1}},
    }


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "string", "pattern": "^a"}, "properties.x.pattern"),
        ({"type": "array", "items": {"type": "object"}}, "properties.x.items.type"),
        ({"type": "object", "properties": {"y": {"not": {}}}}, "properties.x.properties.y.not"),
        ({"type": "integer", "minimum": 10_000}, "properties.x.minimum"),
        ({"type": "string", "minLength": 500}, "properties.x.minLength"),
        ({"enum": ["a"], "type": "integer"}, "properties.x.enum"),
        ({"type": "nonsense"}, "properties.x.type"),
        ({"$ref": "#/$defs/loop"}, "properties.x.anyOf.0.$ref"),
        ({"$ref": "#/$defs/none"}, "properties.x.$ref"),
        ({"type": "object", "properties": {}, "required": ["y"]}, "properties.x.required"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "properties.x.oneOf"),
        (False, "properties.x"),
        ({"$ref": "#/$defs/one", "enum": [2]}, "properties.x.$ref"),
        ({"anyOf": [{"type": "string"}], "minLength": 3}, "properties.x.anyOf"),
    ],
)
def test_the_fault_has_its_path(schema: Any, path: str) -> None:
    fault = schemas.fault(one(schema))
    assert fault is not None
    assert fault.path.startswith(path)


def test_few_names_to_choose_from_are_shown() -> None:
    properties = {
        "roast": {"enum": ["light_roast", "dark roast"]}, "size": {"type": "integer", "enum": [1, 2]}, "to": {"type": "string"},
        "many": {"enum": [chr(97 + n) for n in range(schemas.MOST_SHOWN + 1)]}, "long": {"const": "word " * 20},
        "tops": {"type": "array", "items": {"enum": ["ham", "egg"]}},
    }  # fmt: skip
    assert schemas.shown({"type": "object", "properties": properties}) == [
        ("roast", ("light roast", "dark roast")), ("size", ()), ("to", ()), ("many", ()), ("long", ()), ("tops", ("ham", "egg")),
    ]  # fmt: skip
    assert schemas.shown({"type": "object", "properties": {"x": {"pattern": "a+"}}}) == []


def test_nested_and_listed_arguments() -> None:
    address = {
        "type": "object",
        "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
        "required": ["street"],
    }
    parameters = {
        "type": "object",
        "properties": {"address": address, "toppings": {"type": "array", "items": {"enum": ["cheese", "ham"]}, "maxItems": 2}},
        "required": ["address", "toppings"],
    }
    assert [name for name, _ in schemas.shown(parameters)] == ["address street", "address number", "toppings"]
    for seed in range(5):
        outputs = write(seed, (m.Function("f", "", parameters),), None)
        arguments = json.loads("".join(o.text for o in outputs if isinstance(o, m.CallArgumentsDelta)))
        Draft202012Validator(parameters).validate(arguments)
        assert set(arguments) == {"address", "toppings"}
        assert 1 <= len(arguments["toppings"]) <= 2
    assert sum(o.tokens for o in outputs if isinstance(o, m.CallArgumentsDelta)) > 0


def test_randomness_is_the_logits_alone() -> None:
    torch.manual_seed(1)
    parameters = one({"type": "string", "minLength": 3, "maxLength": 12})
    assert write(3, (m.Function("f", "", parameters),), None) == write(3, (m.Function("f", "", parameters),), None)


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}}
    return schema


def doubling(generations: int, keyword: str) -> dict[str, Any]:
    """Each definition names the next one twice."""
    defs: dict[str, Any] = {f"d{generations}": {"type": "object", "properties": {"x": {"type": "string"}}}}
    for n in range(generations):
        twice = [{"$ref": f"#/$defs/d{n + 1}"}] * 2
        defs[f"d{n}"] = (
            {"type": "object", "properties": dict(zip("ab", twice, strict=True))}
            if keyword == "properties"
            else {keyword: twice}
        )
    return {"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": defs}


@pytest.mark.parametrize("schema", [
    deep(300), deep(900), {"type": "object", "properties": {}, "description": "x" * 70_000}, doubling(40, "properties"),
    doubling(40, "anyOf"), {"type": "object", "properties": {"x": {"$ref": "#"}}},
    {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(300)}},
])  # fmt: skip
def test_no_schema_keeps_the_server_busy(schema: dict[str, Any]) -> None:
    """They would take for ever, or all of the stack."""
    assert schemas.fault(schema) is not None
