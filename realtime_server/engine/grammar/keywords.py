"""JSON Schema's keywords, as a grammar sees them: kept, refused, or said otherwise. What is named nowhere is an annotation.

A `format` that is not among `FORMATS` is one too, as draft 2020-12 has it.
"""

from decimal import Decimal
from typing import Any

Path = tuple[str, ...]


class CannotHonour(Exception):
    """What stands at `path` of a schema cannot be promised."""

    def __init__(self, path: Path, why: str, malformed: bool = False) -> None:
        """`malformed`: with it the whole is no JSON schema."""
        super().__init__(why)
        self.path, self.why, self.malformed = path, why, malformed

    def under(self, *steps: str) -> "CannotHonour":
        """The same, told from outside of what stands at these steps."""
        return CannotHonour((*steps, *self.path), self.why, self.malformed)


KEPT = frozenset(
    "type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format minItems"
    " maxItems maxProperties".split()
)
"""They mean the same to llguidance."""
COUNTS = frozenset("minLength maxLength minItems maxItems minProperties maxProperties".split())
COMBINING = frozenset({"$ref", "anyOf", "oneOf", "allOf"})
REFUSED = frozenset(
    "not if then else contains minContains maxContains dependentRequired dependentSchemas dependencies unevaluatedProperties"
    " unevaluatedItems $dynamicRef $recursiveRef".split()
)
"""Whether they are kept shows only when a value is whole."""
LOOKED_INTO = COMBINING | frozenset(
    "properties required additionalProperties propertyNames patternProperties minProperties items prefixItems"
    " uniqueItems".split()
)
ASKING = KEPT | LOOKED_INTO | REFUSED
"""All that ask anything of a value."""
FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid uri".split())

PATTERNS = {
    # zod's e-mail address.
    r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$": (
        r"^([A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+\-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
    ),
    # pydantic's decimal.
    r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$",
    # zod's duration.
    r"^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$": (
        r"^P([0-9]+W|([0-9]+Y([0-9]+M)?([0-9]+D)?|[0-9]+M([0-9]+D)?|[0-9]+D)|"
        r"([0-9]+Y)?([0-9]+M)?([0-9]+D)?T([0-9]+H([0-9]+M)?([0-9]+S)?|[0-9]+M([0-9]+S)?|[0-9]+S))$"
    ),
}
"""Patterns that look ahead, as libraries write them, and what accepts the same, or less, without."""

MOST_OPTIONAL = 256
"""Each of them may come next: llguidance gives up beyond 2,000 of such choices, and each takes about four."""
LARGEST_DIVISOR = 1000
"""In units of its last digit: the states of its automaton."""


def whole(count: Any) -> int:
    """Of a count, which may be written `3.0`."""
    return int(count)


def counted(own: dict[str, Any], path: Path) -> dict[str, Any]:
    """With its numbers as llguidance takes them. CannotHonour says which would take it too long."""
    step = own.get("multipleOf")
    if step is not None and _digits(step) > LARGEST_DIVISOR:
        raise CannotHonour((*path, "multipleOf"), f"Multiples of more than {LARGEST_DIVISOR} take too long to hold.")
    return {keyword: whole(value) if keyword in COUNTS else value for keyword, value in own.items()}


def _digits(step: float) -> int:
    """7 of 0.07, and of 700 all of it."""
    _, digits, exponent = Decimal(repr(step)).normalize().as_tuple()
    number = int("".join(map(str, digits)))
    return number * 10 ** min(int(exponent), 9) if int(exponent) > 0 else number
