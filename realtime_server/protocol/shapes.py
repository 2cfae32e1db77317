"""How JSON values are told apart and checked, so that an error's path is the client's own.

pydantic writes the branch of a union into an error's location. Every union of the wire is therefore told apart by one of the
three functions below, whose labels stand in angle brackets and are never taken for a field. Numbers and flags are not made of
text.
"""

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, Strict
from pydantic_core import PydanticKnownError

_JSON_TYPES: tuple[tuple[type, str], ...] = (
    (str, "a string"), (bool, "a boolean"), (int, "an integer"), (float, "a decimal number"), (dict, "an object"),
    (BaseModel, "an object"), (list, "an array"), (tuple, "an array"),
)  # fmt: skip


class Wire(BaseModel):
    """Every wire type: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tempered(Wire):
    """May have a temperature, which only the beta's wire has: no JSON sets it, and none shows it."""

    _temperature: float | None = PrivateAttr(default=None)

    @property
    def temperature(self) -> float | None:
        """None: nobody asked for one."""
        return self._temperature

    def at(self, temperature: float | None) -> Self:
        """The same, but for its temperature."""
        copy = self.model_copy()
        copy._temperature = temperature  # noqa: SLF001
        return copy


def _absent(value: object) -> bool:
    return value is None


OmitNone: Any = Field(default=None, exclude_if=_absent)
"""A field that is left out rather than written as null: clients take a null `audio` or `text` amiss."""


def json_type(value: object) -> str:
    """As it is called in messages: 'a string', 'an object', 'null'."""
    return next((name for kind, name in _JSON_TYPES if isinstance(value, kind)), "null")


def is_label(step: int | str) -> bool:
    """Is this step of a location the branch of a union, not a field?"""
    return isinstance(step, str) and step.startswith("<") and step.endswith(">")


def _field(value: object, name: str) -> str | None:
    found = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return f"<{found}>" if isinstance(found, str) else None


def by_type(value: object) -> str | None:
    return _field(value, "type")


def by_role(value: object) -> str | None:
    return _field(value, "role")


def by_json_type(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return f"<{'an integer' if whole else json_type(value)}>"


TOLD_APART_BY = {"by_type()": "type", "by_role()": "role"}
"""Which field a union looks at, by the name that pydantic's errors give for it."""


def _no_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticKnownError("int_type")
    return value


_Element = TypeVar("_Element")
Integer = Annotated[int, BeforeValidator(_no_text)]
"""300.0 is one too: some clients divide."""
Decimal = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
Many = Annotated[tuple[_Element, ...], Field(fail_fast=True)]
"""An array that is read up to its first fault: all the faults of a long one would cost more than the array."""
