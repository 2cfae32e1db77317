"""Whose fault it was. `ClientError`: theirs, told in an `error` event, and the session lives on."""

from typing import Any

from pydantic import ValidationError

# ClientError
#  raised by `codec.decode` (malformed events), `session` (events that do not fit its state), `audio` (bad base64)
#  met in one place, `Session.receive`, and turned into an `error` event there


class ClientError(Exception):
    """The client asked for something that cannot be done. `code` and `param` are those of the `error` event."""

    def __init__(self, message: str, code: str | None, param: str | None = None, event_id: str | None = None) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.event_id = message, code, param, event_id


def error_object(kind: str, code: str | None, message: str, param: str | None = None) -> dict[str, str | None]:
    """What stands behind `error`, in an HTTP answer as in an event."""
    return {"type": kind, "code": code, "message": message, "param": param}


def from_validation(error: ValidationError, data: Any, prefix: str = "", event_id: str | None = None) -> ClientError:
    """The first thing pydantic found, in the hosted service's words, with the dotted path of the field."""
    first = error.errors(include_url=False)[0]
    param = dotted(first["loc"], data, prefix)
    kind, context = first["type"], first.get("ctx", {})
    if kind in ("missing", "union_tag_not_found"):
        if kind == "union_tag_not_found":
            param = f"{param}.type" if param else "type"
        return ClientError(f"Missing required parameter: '{param}'.", "missing_required_parameter", param, event_id)
    if kind == "extra_forbidden":
        return ClientError(f"Unknown parameter: '{param}'.", "unknown_parameter", param, event_id)
    if kind == "string_too_long":
        limit, length = context["max_length"], len(first["input"])
        text = (
            f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
            f"but got a string with length {length} instead."
        )
        return ClientError(text, "string_above_max_length", param, event_id)
    if kind in ("literal_error", "union_tag_invalid"):
        if kind == "union_tag_invalid":
            param = f"{param}.type" if param else "type"
        expected = context.get("expected") or context.get("expected_tags")
        given = context.get("tag", first["input"])
        return ClientError(f"Invalid value: '{given}'. Supported values are: {expected}.", "invalid_value", param, event_id)
    return ClientError(f"Invalid '{param}': {first['msg']}.", "invalid_value", param, event_id)


def dotted(location: tuple[int | str, ...], data: Any, prefix: str = "") -> str:
    """pydantic's location as a path into the data: the names of union members, which are no fields, are left out."""
    parts: list[str] = [prefix] if prefix else []
    for n, step in enumerate(location):
        last = n == len(location) - 1
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
            parts[-1:] = [f"{parts[-1]}[{step}]"] if parts else [f"[{step}]"]
            continue
        elif not last or not isinstance(data, dict):
            continue
        parts.append(str(step))
    return ".".join(parts)
