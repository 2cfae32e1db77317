"""Dialogues as what a model is asked, contexts with functions; and whether its answers are right."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.engine import loader
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.words import plain
from realtime_server.training.wren import tools
from realtime_server.training.wren.asker import Answer
from realtime_server.training.wren.dialogue import Call, Dialogue, Result, Say, Tool

COFFEE = m.Function(
    tools.ORDER.name, "Order a drink.",
    {"type": "object", "required": ["coffeeDrink"], "properties": {
        "coffeeDrink": {"enum": list(tools.DRINKS)}, "size": {"enum": list(tools.SIZES)},
        "roast": {"enum": list(tools.ROASTS)}, "numberOfShots": {"enum": list(tools.SHOTS)},
        "milkAmount": {"enum": [f"{a} {k}".strip() for k in tools.MILKS for a in ("", *tools.AMOUNTS)]},
        "sugarAmount": {"enum": [f"{a} {k}".strip() for k in tools.SUGARS for a in ("", *tools.AMOUNTS)]},
    }},
)  # fmt: skip


def load(folder: Path) -> WrenModel:
    model = loader.load(str(folder), "cpu")
    assert isinstance(model, WrenModel)
    return model


def function(tool: Tool) -> m.Function:
    """With schemas as a client would write them; made-up functions take strings, or one of a few."""
    if tool.name == tools.ORDER.name:
        return COFFEE
    properties = {key: {"type": "string"} | ({"enum": list(values)} if values else {}) for key, values in tool.shown()}
    required = list(tool.parameters) if tool in tools.KNOWN_TOOLS else []
    return m.Function(tool.name, "", {"type": "object", "properties": properties, "required": required})


def context_of(dialogue: Dialogue) -> m.Context:
    facts = "".join(f"\n{key}: {value}" for key, value in dialogue.facts)
    items: list[m.ContextItem] = []
    for n, turn in enumerate(dialogue.history):
        if isinstance(turn.user, Result):
            items.append(m.FunctionResult(f"u{n}", "c", turn.user.text))
        else:
            items.append(m.Message(f"u{n}", "user", (m.Text(turn.user),)))
        if isinstance(turn.reply, Say):
            items.append(m.Message(f"r{n}", "assistant", (m.Text(turn.reply.text),)))
        else:
            items.append(m.FunctionCall(f"r{n}", "c", turn.reply.name, json.dumps(dict(turn.reply.arguments))))
    return m.Context(f"Your name is {dialogue.name}.{facts}", tuple(function(t) for t in dialogue.tools), tuple(items))


def right(answer: Answer, dialogue: Dialogue) -> bool:
    if isinstance(dialogue.reply, Say):
        return answer.call is None and answer.text == dialogue.reply.text
    return answer.call == dialogue.reply.name and same_arguments(answer.arguments, dict(dialogue.reply.arguments))


def same_arguments(got: dict[str, Any], wanted: dict[str, str]) -> bool:
    return {k: plain(str(v)) for k, v in got.items()} == {k: plain(v) for k, v in wanted.items()}


def kind_of(reply: Say | Call) -> str:
    """The reply without its slots: what was understood as wanted."""
    if isinstance(reply, Call):
        return f"call {reply.name}"
    words = plain(reply.text).split()
    if reply.text.startswith("The capital of"):
        return "capital"
    if any(word in words[1:-1] for word in ("plus", "minus", "times")):
        return "arithmetic"
    fixed = " ".join(words[:2])
    return fixed if fixed in _FRAMES else "fact" if words[:1] == ["the"] and "is" in words else "echo"


_FRAMES = {"hello i", "good morning", "good evening", "good afternoon", "i am", "my name", "i know", "you are", "goodbye have",
           "sorry i"}  # fmt: skip


def answered(answer: Answer) -> Say | Call:
    return Say(answer.text) if answer.call is None else Call(answer.call, ())


def fits(answer: Answer, context: m.Context) -> bool:
    """Do the arguments satisfy the schema that was shown?"""
    (schema,) = (tool.parameters for tool in context.tools if tool.name == answer.call)
    return bool(Draft202012Validator(schema).is_valid(answer.arguments))


def share(results: list[bool]) -> float:
    return round(sum(results) / max(len(results), 1), 3)
