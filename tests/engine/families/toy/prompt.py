"""Toy's chat template: a line for each thing."""

import json
from typing import assert_never

from realtime_server.messages import Audio, Context, ContextItem, FunctionCall, FunctionResult, Image, Message, Part, Text
from tests.engine.families.toy.hearing import transcribed

END = "<|end|>"


class ContextTooLong(Exception):
    """What is to be answered does not fit."""


def prompt(context: Context) -> str:
    tools = [json.dumps({"name": one.name, "parameters": one.parameters}, ensure_ascii=False) for one in context.tools]
    return "\n".join([context.instructions, *tools, *map(_line, context.items), "assistant: "])


def _line(item: ContextItem) -> str:
    match item:
        case Message():
            return f"{item.role}: {' '.join(map(_said, item.parts))}"
        case FunctionCall():
            return f'assistant: <tool_call>\n{{"name": "{item.name}", "arguments": {item.arguments}}}\n</tool_call>'
        case FunctionResult():
            return f"tool: {item.output}"
        case _:
            assert_never(item)


def _said(part: Part) -> str:
    match part:
        case Text():
            return part.text
        case Audio():
            return part.transcript if part.transcript is not None else transcribed(part.samples)
        case Image():
            return "(a picture)"
        case _:
            assert_never(part)
