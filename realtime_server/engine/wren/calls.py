"""A function call, written token by token so that its JSON fits the function's schema by construction."""

import json
from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor

from realtime_server.engine.sampling import Choice
from realtime_server.engine.wren.script import ARGUMENT, CALL, END, MARKS, VALUE, Script
from realtime_server.engine.wren.steps import Think
from realtime_server.engine.wren.words import number_in_words
from realtime_server.messages import CallArgumentsDelta, CallDone, CallStarted, Function, Output

Steps = Generator[Think | None, Tensor, Tensor]
FREE_TEXT_TOKENS = 24
LARGEST_NUMBER = 200


class CallWriter:
    """`write` is a sequence's sub-generator: it yields steps, appends outputs, and returns the logits after <end>."""

    def __init__(
        self, script: Script, tools: tuple[Function, ...], response_id: str, outputs: list[Output], think: Any
    ) -> None:
        self._script, self._tools = script, {tool.name: tool for tool in tools}
        self._response_id, self._outputs, self._think = response_id, outputs, think
        self.tokens = 0

    def write(self, only: str | None) -> Steps:
        """One call, of the function `only` or of whichever the model chooses."""
        logits = yield self._take(CALL)
        names = [only] if only else list(self._tools)
        name, token, logits = yield from self._choose([(self._script.encode(n), n) for n in names], (ARGUMENT, END), logits)
        self._outputs.append(CallStarted(self._response_id, name))
        schema = self._tools[name].parameters
        properties: dict[str, Any] = {k: v for k, v in schema.get("properties", {}).items() if writable(v)}
        required = [k for k in schema.get("required", []) if k in properties]
        written: dict[str, Any] = {}
        while True:
            token = self._next_mark(token, properties, required, written)
            logits = yield self._take(token)
            if token == END:
                break
            left = [k for k in properties if k not in written]
            # With nothing but required arguments left to be told apart, the model still chooses their order.
            key, _, logits = yield from self._choose([(self._script.encode(k), k) for k in left], (VALUE,), logits)
            logits = yield self._take(VALUE)
            written[key], token, logits = yield from self._value(properties[key], logits)
            piece = ("{" if len(written) == 1 else ", ") + f"{json.dumps(key)}: {json.dumps(written[key])}"
            self._outputs.append(CallArgumentsDelta(self._response_id, piece))
        self._outputs.append(CallArgumentsDelta(self._response_id, "}" if written else "{}"))
        self._outputs.append(CallDone(self._response_id))
        return logits

    @staticmethod
    def _next_mark(wanted: int, properties: dict[str, Any], required: list[str], written: dict[str, Any]) -> int:
        """The model's wish, unless an argument is missing or none is left."""
        if any(key not in written for key in required):
            return ARGUMENT
        return wanted if len(written) < len(properties) else END

    def _take(self, token: int) -> Think:
        self.tokens += 1
        return self._think([token])  # type: ignore[no-any-return]

    def _choose(
        self, options: list[tuple[list[int], Any]], stops: tuple[int, ...], logits: Tensor
    ) -> Generator[Think | None, Tensor, tuple[Any, int, Tensor]]:
        """(the option, the stop that ended it - not yet taken, the logits before that stop)."""
        choice = Choice(options, stops)
        while True:
            allowed = choice.allowed()
            token = allowed[int(logits[allowed].argmax())]
            done = choice.take(token)
            if done is not None:
                return done[0], token, logits
            logits = yield self._take(token)

    def _value(self, schema: dict[str, Any], logits: Tensor) -> Generator[Think | None, Tensor, tuple[Any, int, Tensor]]:
        stops = (ARGUMENT, END)
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            return (yield from self._choose([(self._script.encode(str(v)), v) for v in values], stops, logits))
        kind = schema.get("type", "string")
        if kind == "boolean":
            words = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
            return (yield from self._choose([(self._script.encode(w), v) for w, v in words.items()], stops, logits))
        if kind in ("integer", "number"):
            low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", LARGEST_NUMBER))
            numbers = range(max(low, 0), min(high, LARGEST_NUMBER) + 1)
            options = [(self._script.encode(number_in_words(n)), n) for n in numbers]
            return (yield from self._choose(options, stops, logits))
        return (yield from self._free_text(int(schema.get("maxLength", 200)), stops, logits))

    def _free_text(
        self, longest: int, stops: tuple[int, ...], logits: Tensor
    ) -> Generator[Think | None, Tensor, tuple[str, int, Tensor]]:
        ids: list[int] = []
        masked = torch.full((len(MARKS),), float("-inf"))
        for stop in stops:
            masked[stop] = 0.0
        while True:
            scores = logits.clone()
            scores[: len(MARKS)] += masked
            if not ids:
                scores[list(stops)] = float("-inf")
            token = int(scores.argmax())
            longer = self._script.decode([*ids, token])
            if token in stops or len(ids) >= FREE_TEXT_TOKENS or len(longer) > longest:
                stop = token if token in stops else END
                text = self._script.decode(ids)
                return text, stop, logits
            ids.append(token)
            logits = yield self._take(token)


def writable(schema: Any) -> bool:
    """Can this value be written? Objects and lists cannot yet; such arguments are left out."""
    return isinstance(schema, dict) and ("enum" in schema or "const" in schema or schema.get("type", "string") in _WRITABLE)


_WRITABLE = ("string", "integer", "number", "boolean")
