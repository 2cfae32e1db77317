"""Dialogues as tokens: the model's own chat template, and which tokens are the assistant's, the only ones that are learned."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from transformers import PreTrainedTokenizerBase

from realtime_server.training.starling.dialogue import Calls, Dialogue, Results, Say, Turn, User


@dataclass(frozen=True)
class Rendered:
    """Token ids, for each whether it is one that the assistant writes, and how many stand before the user's first turn."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]
    opening: int


def messages(instructions: str | None, turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """The conversation as a chat template takes it."""
    result: list[dict[str, Any]] = [] if instructions is None else [{"role": "system", "content": instructions}]
    for turn in turns:
        match turn:
            case User(text):
                result.append({"role": "user", "content": text})
            case Say(text):
                result.append({"role": "assistant", "content": text})
            case Calls(calls):
                made = [{"type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls]
                result.append({"role": "assistant", "content": "", "tool_calls": made})
            case Results(outputs):
                result.extend({"role": "tool", "content": output} for output in outputs)
            case _:
                assert_never(turn)
    return result


def text(tokenizer: PreTrainedTokenizerBase, dialogue: Dialogue, asking: bool = False) -> str:
    """As the template writes it; `asking`: up to where the assistant is to go on."""
    tools = [tool.declared() for tool in dialogue.tools] or None
    shown = messages(dialogue.instructions, dialogue.turns)
    return str(tokenizer.apply_chat_template(shown, tools=tools, tokenize=False, add_generation_prompt=asking))  # type: ignore[arg-type]


def rendered(tokenizer: PreTrainedTokenizerBase, dialogue: Dialogue) -> Rendered:
    ids: list[int] = tokenizer(text(tokenizer, dialogue), add_special_tokens=False)["input_ids"]
    start = tokenizer("<|im_start|>assistant\n", add_special_tokens=False)["input_ids"]
    (end,) = tokenizer("<|im_end|>", add_special_tokens=False)["input_ids"]
    learned, speaking = [False] * len(ids), False
    for n, token in enumerate(ids):
        learned[n] = speaking
        if token == end:
            speaking = False
        elif ids[max(0, n + 1 - len(start)) : n + 1] == start:
            speaking = True
    return Rendered(tuple(ids), tuple(learned), ids.index(end) + 1)


def plain_json(value: Any) -> str:
    """As a client's function returns it."""
    return json.dumps(value, ensure_ascii=False)
