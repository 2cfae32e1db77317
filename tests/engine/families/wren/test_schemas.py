"""Whatever a schema asks, either it is refused with the path at fault or every call that is written fits it."""

import json
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.engine.families.wren import schemas
from realtime_server.engine.families.wren.compiling import Compiler
from realtime_server.engine.grammar import judging
from realtime_server.engine.grammar.keywords import CannotHonour
from tests.engine.families.wren.test_calls import write

KEYS = st.sampled_from(["size", "numberOfShots", "milk_amount", "x", "ä", "note"])
KEYWORDS = st.sampled_from([
    "type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "required", "minimum", "maxLength",
    "minItems", "multipleOf", "default", "$schema", "$id", "propertyNames", "not", "format", "maxProperties",
])  # fmt: skip
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


def tagged(tag: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"kind": {"const": tag}, **properties}}


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
    tags = st.lists(st.builds(tagged, st.sampled_from("abc"), x=inner), min_size=1, max_size=3)
    records = st.builds(lambda s: {"type": "object", "propertyNames": {"minLength": 1}, "additionalProperties": s}, inner)
    return st.one_of(objects(inner), lists, records, st.builds(lambda s: {"oneOf": s}, tags),
                     st.builds(lambda s: {"anyOf": s}, alternatives),
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
    if fault is not None and not fault.partial:
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
        "required": [],
    }


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "string", "pattern": "^a"}, "properties.x.pattern"),
        ({"type": "array", "items": tagged("a"), "minItems": 2}, "properties.x.minItems"),
        ({"type": "array", "items": {"pattern": "a"}}, "properties.x.items.pattern"),
        ({"type": "object", "properties": {"y": {}}, "propertyNames": {"maxLength": 1}}, "properties.x.propertyNames"),
        ({"$ref": "#/required"}, "properties.x.$ref"),
        ({"oneOf": [tagged("a"), tagged("a")]}, "properties.x.oneOf"),
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
        ({"$dynamicRef": "#/$defs/one"}, "properties.x.$dynamicRef"),
        ({"$ref": "#/x"}, "properties.x.$ref"),
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
    deep(50), deep(300), deep(900), {"type": "object", "properties": {}, "description": "x" * 70_000},
    doubling(7, "properties"), doubling(40, "properties"), {"type": "object", "properties": {"x": {"$ref": "#"}}},
    {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(300)}},
])  # fmt: skip
def test_no_schema_keeps_the_server_busy(schema: dict[str, Any]) -> None:
    """They would take for ever, or all of the stack."""
    assert schemas.fault(schema) is not None


def places(schema: Any) -> int:
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return isinstance(schema, dict) + sum(map(places, inner))


NUMBER = {"type": "integer", "minimum": -99, "maximum": 9999}


@pytest.mark.parametrize("schema", [
    doubling(40, "anyOf"), doubling(40, "oneOf"), doubling(5, "properties"),
    {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/n"} for n in range(255)}, "$defs": {"n": NUMBER}},
])  # fmt: skip
def test_each_place_is_judged_once(schema: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is referred to, and however many numbers may stand there."""
    made, once = list[int](), Compiler._made_of

    def counted(self: Compiler, schema: dict[str, Any]) -> Any:
        made.append(1)
        return once(self, schema)

    monkeypatch.setattr(Compiler, "_made_of", counted)
    with suppress(CannotHonour):
        Compiler(schema, len(json.dumps(schema))).arguments()
    assert len(made) <= places(schema)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**70), st.floats(), st.text(max_size=5), st.just("9" * 5000)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYWORDS | KEYS, inner, max_size=5), max_leaves=30,
)  # fmt: skip


@given(st.dictionaries(KEYWORDS, JSON, max_size=6))
@example({"properties": {"p": {"enum": ["9" * 5000, "a"]}}})
@example({"required": ["p"], "properties": {"p": {"$ref": "#/required"}}})
@example({"x": {"type": "integer", "minimum": "a"}, "properties": {"p": {"$ref": "#/x"}}})
@example({"default": {"minItems": "x", "type": "array"}, "properties": {"p": {"$ref": "#/default"}}})
@example({"properties": {"p": {"$ref": "#/properties/p/anyOf/0", "anyOf": [{"minimum": 5}]}}})
@settings(max_examples=300)
def test_whatever_stands_for_a_schema_is_judged(parameters: dict[str, Any]) -> None:
    fault = schemas.fault(parameters)
    if fault is None or fault.partial:
        schemas.arguments(parameters)
        schemas.shown(parameters)
    else:
        assert fault.why
        assert len(fault.why) <= judging.LONGEST_WHY
        assert len(fault.path) <= 50 * judging.LONGEST_PATH


def test_what_need_not_be_there_and_cannot_be_honoured_is_left_out() -> None:
    properties = {"email": {"type": "string", "pattern": "@"}, "size": {"enum": ["small", "large"]}}
    optional, needed = ({"type": "object", "properties": properties, "required": required} for required in ([], ["email"]))
    found, refused = schemas.fault(optional), schemas.fault(needed)
    assert found is not None
    assert refused is not None
    assert (found.path, found.partial) == (refused.path, True) == ("properties.email.pattern", not refused.partial)
    assert [leaf.spoken for leaf in schemas.arguments(optional).leaves] == ["size"]
    inside = schemas.fault(one({"anyOf": [{"type": "null"}, {"type": "array", "items": optional}]}))
    assert inside is not None
    assert (inside.path, inside.partial) == ("properties.x.anyOf.1.items.properties.email.pattern", True)


def test_a_recursive_schema_has_a_short_path() -> None:
    node = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
    fault = schemas.fault({"type": "object", "properties": {"tree": {"$ref": "#/$defs/node"}}, "$defs": {"node": node}})
    assert fault is not None
    assert fault.path == "properties.tree.properties.children.items.$ref"
    assert fault.partial
    assert not fault.malformed
    long = schemas.fault(deep(50))
    assert long is not None
    assert len(long.path.split(".")) <= judging.LONGEST_PATH


@pytest.mark.parametrize(("schema", "arguments"), [
    ({"type": "array", "items": {"type": "object", "properties": {"size": {"const": "big"}}, "required": ["size"]}, "minItems": 1},
     [{"size": "big"}]),
    ({"type": "array", "items": {"type": "array", "items": {"const": 3}, "minItems": 1}, "minItems": 1}, [[3]]),
    ({"oneOf": [tagged("a"), tagged("b")], "discriminator": {"propertyName": "kind"}}, {"kind": "a"}),
    ({"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "string"}}, {}),
    ({"type": "array", "items": {"type": "object", "properties": {"size": {"const": "big"}}}}, []),
])  # fmt: skip
def test_lists_of_objects_matrices_tagged_unions_and_records(schema: Any, arguments: Any) -> None:
    """As few values as they may have: one element, the first of the alternatives."""
    parameters = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    assert schemas.fault(parameters) is None
    written = {
        json.dumps(json.loads(text_of(write(seed, (m.Function("f", "", parameters),), None)))["x"]) for seed in range(20)
    }
    assert json.dumps(arguments) in written


def text_of(outputs: list[m.Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, m.CallArgumentsDelta))


def test_what_asks_for_nothing_may_stand_beside_a_reference() -> None:
    assert schemas.fault(one({"$ref": "#/$defs/one", "title": "X", "x-order": 1})) is None


def test_a_reference_to_nothing_is_a_parameter_less_and_no_broken_schema() -> None:
    fault = schemas.fault(one({"$ref": "#/$defs/none"}) | {"required": ["x"]})
    assert fault is not None
    assert not fault.malformed
