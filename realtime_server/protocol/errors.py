"""Whose fault it was. `ClientError`: theirs, told in an `error` event, and the session lives on."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from realtime_server.protocol.shapes import TOLD_APART_BY, is_label, json_type

# ClientError
#  raised by `codec.decode` (malformed events), `session` (events that do not fit its state), `audio` (bad base64)
#  met in one place, `Session.receive`, and turned into an `error` event there

OUR_FAULT = "The server had an error while processing your request."
_LONGEST_SHOWN = 64
_LONGEST_PARAM = 256


class ClientError(Exception):
    """The client asked for something that cannot be done. `code` and `param` are those of the `error` event."""

    def __init__(self, message: str, code: str | None, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.event_id = message, code, param, event_id


def error_object(kind: str, code: str | None, message: str, param: str | None = None) -> dict[str, str | None]:
    """What stands behind `error`, in an HTTP answer as in an event."""
    return {"type": kind, "code": code, "message": message, "param": param}


def from_validation(error: ValidationError, prefix: str = "", event_id: str | None = None) -> ClientError:
    """The first thing pydantic found, in the hosted service's words, with the dotted path of the field."""
    first = error.errors(include_url=False)[0]
    kind = first["type"]
    param = dotted(first["loc"], prefix, unknown=kind == "extra_forbidden")
    if kind == "too_long" or kind == "too_short":
        kind = f"{json_type(first['input']).split()[-1]}_{kind}"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        result = _of_union(first, param)
    elif kind == "literal_error":
        result = _of_choice(first["input"], param, first["ctx"]["expected"])
    elif kind in _LIMITS:
        result = _of_limit(first, param, kind)
    elif kind in _EXPECTED:
        result = wrong_type(first["input"], param, _EXPECTED[kind])
    elif kind == "missing":
        result = missing(param)
    elif kind == "extra_forbidden":
        result = ClientError(f"Unknown parameter: '{param}'.", "unknown_parameter", param)
    else:
        result = ClientError(f"Invalid '{param}': {first['msg']}.", "invalid_value", param)
    result.event_id = event_id
    return result


def missing(param: str) -> ClientError:
    return ClientError(f"Missing required parameter: '{param}'.", "missing_required_parameter", param)


def wrong_type(value: object, param: str, expected: str) -> ClientError:
    text = f"Invalid type for '{param}': expected {expected}, but got {json_type(value)} instead."
    return ClientError(text, "invalid_type", param)


def not_supported(value: object, param: str, supported: str) -> ClientError:
    """`supported` is the list of values as it is written: 'a', 'b' and 'c'."""
    return ClientError(f"Invalid value: '{shown(value)}'. Supported values are: {supported}.", "invalid_value", param)


def listed(values: list[str], last: str = "and") -> str:
    """'a', 'b' and 'c'."""
    quoted = [f"'{value}'" for value in values]
    return f" {last} ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def shown(value: object) -> str:
    """As much of a value as a message needs."""
    text = str(value) if isinstance(value, str | float | bool) else json_type(value)
    if isinstance(value, int) and abs(value) < 10**_LONGEST_SHOWN:
        text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def dotted(location: tuple[int | str, ...], prefix: str = "", unknown: bool = False) -> str:
    """pydantic's location as a path into the client's JSON: the branches of unions, which are no fields, are left out.

    `unknown`: the last step is a name that the client chose, whatever it looks like.
    """
    path = prefix
    for n, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
        elif step != "[key]" and (not is_label(step) or (unknown and n == len(location) - 1)):
            path += f".{shown(step)}" if path else shown(step)
    return path if len(path) <= _LONGEST_PARAM else path[:_LONGEST_PARAM] + "…"


# --- one kind of fault each -------------------------------------------------------------------------------------------

_EXPECTED = {
    "string_type": "a string", "int_type": "an integer", "int_from_float": "an integer", "int_parsing": "an integer",
    "float_type": "a decimal number", "bool_type": "a boolean", "model_type": "an object", "model_attributes_type": "an object",
    "dict_type": "an object", "tuple_type": "an array", "list_type": "an array",
}  # fmt: skip
_STRING, _ARRAY = "a string with length {length}", "an array with length {length}"
_LIMITS = {
    # pydantic's fault: (the limit's name, code, what it is, what is expected, what came instead)
    "greater_than_equal": (
        "ge", "{number}_below_min_value", "{number} below minimum value", "a value >= {limit:g}", "{given}",
    ),
    "less_than_equal": (
        "le", "{number}_above_max_value", "{number} above maximum value", "a value <= {limit:g}", "{given}",
    ),
    "string_too_short": (
        "min_length", "string_below_min_length", "string too short", "a string with minimum length {limit}", _STRING,
    ),
    "string_too_long": (
        "max_length", "string_above_max_length", "string too long", "a string with maximum length {limit}", _STRING,
    ),
    "array_too_long": (
        "max_length", "array_above_max_length", "array too long", "an array with maximum length {limit}", _ARRAY,
    ),
    "object_too_long": (
        "max_length", "object_above_max_properties", "too many properties", "an object with at most {limit} properties",
        "an object with {length} properties",
    ),
}  # fmt: skip


def _of_limit(first: ErrorDetails, param: str, kind: str) -> ClientError:
    given = first["input"]
    name, code, what, wanted, instead = _LIMITS[kind]
    limit = first["ctx"][name]
    number = "integer" if isinstance(given, int) and isinstance(limit, int) else "decimal"
    length = len(given) if isinstance(given, str | list | dict) else 0
    text = f"{what}. Expected {wanted}, but got {instead} instead."
    text = text.format(number=number, limit=limit, given=shown(given), length=length)
    return ClientError(f"Invalid '{param}': {text}", code.format(number=number), param)


def _of_choice(given: object, param: str, expected: str) -> ClientError:
    """`expected` is pydantic's list: 'a', 'b' or 'c'."""
    if isinstance(given, str) or (isinstance(given, int) and "'" not in expected):
        return not_supported(given, param, expected.replace(" or ", " and "))
    return wrong_type(given, param, expected if " or " not in expected else f"one of {expected}")


def _of_union(first: ErrorDetails, param: str) -> ClientError:
    """No branch of the union fits: the field that chooses is missing or wrong, or the value is of no type that is taken."""
    given, field = first["input"], TOLD_APART_BY.get(first["ctx"]["discriminator"])
    tags = [tag.strip("'<>") for tag in first["ctx"].get("expected_tags", "").split(", ")]
    if field is None:
        return wrong_type(given, param, tags[0] if len(tags) == 1 else "one of " + " or ".join(tags))
    if not isinstance(given, dict):
        return wrong_type(given, param, "an object")
    param = f"{param}.{field}" if param else field
    if field not in given:
        return missing(param)
    if not isinstance(given[field], str):
        return wrong_type(given[field], param, "a string")
    return not_supported(given[field], param, listed(tags))
