"""Typed questions to a thinker, and whether its answers are right: by kind, before and after tuning.

python -m realtime_server.training.starling.measures.typed MODEL --out answers.json

Whoever has another way to the model gives `measured` a function of his own: conversations in, what is written out.
"""

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from realtime_server.training.starling.dialogue import Call, Calls, Dialogue, Exchange, Results, Say, Tool, Turn, User
from realtime_server.training.starling.rendering import text

QUESTIONS = Path(__file__).with_name("typed.json")
MOST_WORDS, MOST_TOKENS, BATCH = 45, 96, 16
Answerer = Callable[[Sequence[Dialogue]], Sequence[str]]
"""To each conversation, which ends with a user's turn or with results, what the model writes: calls as in its template."""

_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|$)|^(?:```json)?\s*(\{\s*\"name\".*\})\s*(?:```)?$", re.DOTALL)
_UNSPEAKABLE = re.compile(r"[*#`]|^\s*(?:-|\d+\.)\s|Alibaba|OpenAI|Qwen|[\U0001f300-\U0001faff]", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """One question: `says` must be found in the spoken answer and `never` not; `calls` must be made, and no others."""

    kind: str
    instructions: str | None
    tools: tuple[Tool, ...]
    said: tuple[Any, ...]
    says: str = ""
    never: str = ""
    calls: tuple[dict[str, Any], ...] = ()

    def starts(self) -> list[tuple[Turn, ...]]:
        """What comes in, up to each answer: the user's words, or a call that was made and what it returned."""
        return [_turns(entry) for entry in self.said if isinstance(entry, str)] if self._told is None else [self._with_result()]

    @property
    def _told(self) -> dict[str, Any] | None:
        last = self.said[-1]
        return last if isinstance(last, dict) else None

    def _with_result(self) -> tuple[Turn, ...]:
        question, told = self.said
        return User(question), Calls((Call(told["call"]["name"], told["call"]["arguments"]),)), Results((told["output"],))


def _turns(entry: str) -> tuple[Turn, ...]:
    return (User(entry),)


def asked(path: Path = QUESTIONS) -> list[Asked]:
    stored = json.loads(path.read_text())
    tools = {name: Tool(tool["name"], tool["description"], tool["parameters"]) for name, tool in stored["tools"].items()}
    return [
        Asked(
            row["kind"], row["instructions"], tuple(tools[name] for name in row["tools"]), tuple(row["said"]),
            row.get("says", ""), row.get("never", ""), tuple(row.get("calls", ())),
        )
        for row in stored["asked"]
    ]  # fmt: skip


def calls(written: str) -> list[dict[str, Any]]:
    """The calls in what was written, also where the tags were forgotten; what is no JSON counts as a call without a name."""
    found = []
    for tagged, bare in _CALL.findall(written):
        try:
            found.append(json.loads(tagged or bare))
        except json.JSONDecodeError:
            found.append({"name": "", "arguments": {}})
    return found


def spoken(written: str) -> str:
    return _CALL.sub("", written).strip()


def _same(wanted: Any, got: Any) -> bool:
    """One of the accepted values; words whatever their case."""
    accepted = wanted if isinstance(wanted, list) else [wanted]
    plain = [value.casefold() if isinstance(value, str) else value for value in accepted]
    value = got.casefold().strip() if isinstance(got, str) else got
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in plain)


def _fits(wanted: dict[str, Any], got: dict[str, Any]) -> bool:
    arguments, given = wanted["arguments"], got.get("arguments")
    if got.get("name") != wanted["name"] or not isinstance(given, dict) or arguments.keys() != given.keys():
        return False
    return all(_same(value, given[key]) for key, value in arguments.items())


def right(question: Asked, written: str) -> bool:
    """The calls that were wanted, in any order; or a short answer that can be spoken and says what it must."""
    made = calls(written)
    if question.calls or made:
        pairs = [any(_fits(wanted, got) for got in made) for wanted in question.calls]
        return len(made) == len(question.calls) and all(pairs)
    said = spoken(written)
    if not said or len(said.split()) > MOST_WORDS or _UNSPEAKABLE.search(said):
        return False
    return bool(re.search(question.says, said, re.IGNORECASE | re.DOTALL)) and not (
        question.never and re.search(question.never, said, re.IGNORECASE)
    )


def written_by(answer: Answerer, questions: Sequence[Asked]) -> list[str]:
    """The last answer to each question: what comes before it is answered first."""
    waiting = [question.starts() for question in questions]
    talks = [Dialogue(question.instructions, question.tools, ()) for question in questions]
    last = [""] * len(questions)
    while open_ := [n for n, turns in enumerate(waiting) if turns]:
        for n in open_:
            before = Exchange("", (*talks[n].turns, *((Say(last[n]),) if last[n] else ()), *waiting[n].pop(0)))
            talks[n] = replace(talks[n], exchanges=(before,))
        for n, written in zip(open_, answer([talks[n] for n in open_]), strict=True):
            last[n] = written
    return last


def measured(answer: Answerer, questions: Sequence[Asked]) -> dict[str, Any]:
    """The share of right answers by kind, and all answers to be read."""
    written = written_by(answer, questions)
    by_kind = defaultdict(list)
    rows = []
    for question, reply in zip(questions, written, strict=True):
        by_kind[question.kind].append(right(question, reply))
        rows.append({"kind": question.kind, "said": question.said, "written": reply, "right": by_kind[question.kind][-1]})
    return {"right": {kind: f"{sum(found)} of {len(found)}" for kind, found in by_kind.items()}, "answers": rows}


class Written:
    """The answers of a model folder, greedy, by `transformers` alone: the reference for what serves it."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)

    @torch.inference_mode()
    def __call__(self, talks: Sequence[Dialogue]) -> list[str]:
        """Alike long ones stand in a batch."""
        texts = [text(self.tokenizer, talk, asking=True) for talk in talks]
        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))
        result = [""] * len(texts)
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            inputs = self.tokenizer([texts[n] for n in some], return_tensors="pt", padding=True, add_special_tokens=False)
            ids = self.net.generate(**inputs, max_new_tokens=MOST_TOKENS, do_sample=False, repetition_penalty=1.0)
            replies = self.tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=False)
            for n, reply in zip(some, replies, strict=True):
                result[n] = re.split(r"<\|im_end\|>|<\|endoftext\|>", reply)[0].strip()
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = measured(Written(options.model), asked())
    if options.out:
        options.out.write_text(json.dumps(result, ensure_ascii=False, indent=1))
    print(json.dumps(result["right"], indent=1))


if __name__ == "__main__":
    main()
