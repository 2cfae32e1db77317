"""What a session, a response or a client secret may not ask of its model; judged before anything is changed."""

import logging
from collections.abc import Iterable
from typing import Any

import orjson

from realtime_server import messages as m
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import CustomVoice, FunctionTool, NamedFunction, Tool, ToolChoice
from realtime_server.session.limits import Limits

log = logging.getLogger(__name__)
LOGGED = 4
"""Functions that one line of the log tells of."""


def check_tools(tools: Iterable[Tool], choice: ToolChoice, judge: m.SchemaJudge, limits: Limits, prefix: str) -> None:
    """ClientError with the path of a schema that is none, or of a choice that names no function that can be called.

    A parameter that the model cannot honour costs itself alone, or its function where it must be there, unless `limits` are
    strict: they are not shown to the model.
    """
    functions = [(n, tool) for n, tool in enumerate(tools) if isinstance(tool, FunctionTool)]
    if sum(_size(tool.parameters) for _, tool in functions) > limits.tools_bytes:
        text = f"The parameters of all functions have more than {limits.tools_bytes} bytes."
        raise ClientError(text, "invalid_function_parameters", f"{prefix}.tools")
    chosen, unusable = choice.name if isinstance(choice, NamedFunction) else None, list[str]()
    for n, tool in functions:
        fault = judge(tool.parameters)
        if fault is None:
            continue
        path = f"{prefix}.tools[{n}].parameters" + (f".{fault.path}" if fault.path else "")
        if limits.strict_tools or fault.malformed or (tool.name == chosen and not usable(fault)):
            raise ClientError(f"Invalid schema for function '{tool.name}': {fault.why}", "invalid_function_parameters", path)
        unusable.append(f"{path} ({fault.why})")
    if unusable:
        log.info("! not shown to the model, which cannot honour it: %s", "; ".join(unusable[:LOGGED]))
    if chosen is not None and chosen not in {tool.name for _, tool in functions}:
        raise ClientError(f"Tool choice '{chosen}' not found in 'tools'.", "invalid_value", f"{prefix}.tool_choice")


def usable(fault: m.SchemaFault | None) -> bool:
    """Can a function be shown to the model, if only without some of its parameters?"""
    return fault is None or fault.partial


def _size(parameters: dict[str, Any]) -> int:
    """Bytes of JSON; 0 for what is too deep to be written, and refused unseen."""
    try:
        return len(orjson.dumps(parameters))
    except TypeError:
        return 0


def check_voice(voice: str | CustomVoice | None, abilities: m.Abilities, param: str) -> None:
    """Names of other models' voices are taken, and spoken by the default one; an id must exist."""
    if isinstance(voice, CustomVoice) and voice.id not in abilities.voice_ids:
        known = ", ".join(sorted(f"'{v}'" for v in abilities.voice_ids)) or "none"
        raise ClientError(f"Invalid value: '{voice.id}'. Voices with an id: {known}.", "invalid_value", f"{param}.id")
