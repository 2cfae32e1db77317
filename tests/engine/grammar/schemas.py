"""Functions' parameters as pydantic and zod write them: made here by pydantic, and recorded from zod."""

import datetime
import decimal
import enum
import ipaddress
import pathlib
import uuid
from typing import Annotated, Any, Literal

from pydantic import AnyUrl, BaseModel, ConfigDict, Field, NaiveDatetime, SecretStr, StringConstraints


class Color(enum.StrEnum):
    RED = "red"
    BLUE = "dark blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(9, ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    pack: list["Dog"] = []


class Address(BaseModel):
    """Where somebody lives."""

    street: str = Field(min_length=1, max_length=12)
    zip: Annotated[str, StringConstraints(pattern=r"^\d{5}(-\d{4})?$")]
    country: str | None = Field(None, description="ISO code")


class Tree(BaseModel):
    value: int
    left: "Tree | None" = None
    right: "Tree | None" = None


class Nothing(BaseModel):
    pass


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Address] = Field(min_length=1, max_length=3)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    either: int | bool | None
    color: Color
    size: Size = Size.SMALL


class Texts(BaseModel):
    day: datetime.date
    at: datetime.datetime
    local: NaiveDatetime
    time: datetime.time
    span: datetime.timedelta
    key: uuid.UUID
    link: AnyUrl
    host: ipaddress.IPv4Address
    net: ipaddress.IPv4Network
    path: pathlib.Path
    data: bytes
    secret: SecretStr
    word: Annotated[str, StringConstraints(min_length=2, max_length=4, pattern="^[a-zä]+$")]


class Numbers(BaseModel):
    price: decimal.Decimal = Field(ge=0, max_digits=5, decimal_places=2)
    ratio: float = Field(gt=0, lt=1)
    even: int = Field(multiple_of=2, ge=-10, le=1000)
    half: float = Field(multiple_of=0.5, ge=0, le=8)
    big: int = Field(ge=-(2**53), le=2**53)


class Records(BaseModel):
    by_name: dict[str, int]
    by_color: dict[Color, int]
    by_letter: dict[Literal["a", "b"], list[int]]
    by_pattern: dict[Annotated[str, StringConstraints(pattern="^x_[a-z]+$")], bool]
    by_length: dict[Annotated[str, StringConstraints(min_length=2, max_length=5)], bool]
    by_number: dict[int, str]
    anything: Any
    some: set[Color]
    flags: frozenset[bool]
    pair: tuple[int, str]
    many: tuple[int, ...]
    nested: list[list[Annotated[int, Field(ge=0, le=9)]]] = Field(max_length=3)


class Tagged(BaseModel):
    one: Literal[1, "two", None, True]
    fixed: Literal["only"]
    inner: Address | Nothing | None = None


PYDANTIC = {model.__name__: model.model_json_schema() for model in (Order, Texts, Numbers, Records, Tagged, Tree, Nothing, Dog)}

ZOD_EMAIL = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
ZOD_UUID = (
    r"^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
    r"|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$"
)
ZOD_DATE = (
    r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-"
    r"(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))$"
)
SAFE = {"minimum": -9007199254740991, "maximum": 9007199254740991}
DRAFT = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"

ZOD: dict[str, dict[str, Any]] = {
    "zod formats": {
        "$schema": DRAFT,
        "type": "object",
        "properties": {
            "email": {"type": "string", "format": "email", "pattern": ZOD_EMAIL},
            "id": {"type": "string", "format": "uuid", "pattern": ZOD_UUID},
            "day": {"type": "string", "format": "date", "pattern": ZOD_DATE},
            "code": {"type": "string", "pattern": "^[A-Z]{2}\\/\\d+$"},
            "blob": {"type": "string", "format": "base64", "contentEncoding": "base64",
                     "pattern": "^$|^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$"},
            "int": {"type": "integer", **SAFE},
            "positive": {"type": "number", "exclusiveMinimum": 0},
        },
        "required": ["email", "id", "day", "code", "blob", "int", "positive"],
        "additionalProperties": False,
    },
    "zod shapes": {
        "$schema": DRAFT,
        "type": "object",
        "properties": {
            "shape": {
                "oneOf": [
                    {"type": "object", "properties": {"kind": {"type": "string", "const": "circle"}, "r": {"type": "number"}},
                     "required": ["kind", "r"], "additionalProperties": False},
                    {"type": "object", "properties": {"kind": {"type": "string", "const": "dot"}}, "required": ["kind"],
                     "additionalProperties": False},
                ]
            },
            "record": {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "boolean"}},
            "choices": {"type": "object", "propertyNames": {"type": "string", "enum": ["a", "b"]},
                        "additionalProperties": {"type": "integer", **SAFE}, "required": ["a", "b"]},
            "tuple": {"type": "array", "prefixItems": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
            "rest": {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "null"}, "maxItems": 4},
            "nullable": {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "null"}]},
            "never": {"not": {}},
            "any": {},
            "tree": {"$ref": "#/$defs/__schema0"},
            "kept": {"default": 3, "type": "number"},
        },
        "required": ["shape", "record", "choices", "tuple", "rest", "nullable", "any", "tree", "kept"],
        "additionalProperties": False,
        "$defs": {
            "__schema0": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/__schema0"}}},
                "required": ["name", "children"],
                "additionalProperties": False,
            }
        },
    },
    "zod recursive": {
        "$schema": DRAFT,
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["value", "next"],
        "additionalProperties": False,
    },
    "zod 3": {
        "$schema": DRAFT_7,
        "type": "object",
        "properties": {
            "pair": {"type": "array", "minItems": 2, "maxItems": 2, "items": [{"type": "string", "maxLength": 3}, {"type": "integer"}]},
            "again": {"$ref": "#/properties/pair"},
            "type": {"type": ["string", "null"], "enum": ["a", None]},
            "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                               {"type": "object", "properties": {"b": {"type": "null"}}, "required": ["b"]}]},
        },
        "required": ["pair", "again", "type", "both"],
        "additionalProperties": False,
    },
    "anything": {},
    "no properties": {"type": "object", "properties": {}},
}  # fmt: skip
PROMISED = PYDANTIC | ZOD
