"""A function call, written token by token so that its JSON fits the function's schema by construction."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import torch
from torch import Tensor

from realtime_server.engine.families.wren import schemas
from realtime_server.engine.families.wren.choosing import Choice
from realtime_server.engine.families.wren.leaves import FreeText, Leaf, Numbers, Path, Words
from realtime_server.engine.families.wren.numbers import NumberChoice
from realtime_server.engine.families.wren.script import ARGUMENT, CALL, END, VALUE, Script
from realtime_server.engine.families.wren.words import identifier_words
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Think
from realtime_server.messages import CallArgumentsDelta, CallDone, CallStarted, Function, Output

Steps = Generator[Think, Tensor, Tensor]
Written = Generator[Think, Tensor, tuple[Any, int, Tensor]]


class Choosing(Protocol):
    """`choosing.Choice`, and what is like it."""

    def allowed(self) -> list[int]: ...

    def favours(self) -> list[float]: ...

    def take(self, token: int) -> tuple[object] | None: ...


class _RanOut(Exception):
    """The call would have more tokens than it may."""


Evidence = Callable[[list[str], str, str], list[float]]
"""Values, and in words the function and the parameter that they are for -> nats that speak for each."""
FREE_TEXT_TOKENS = 24
"""Where the schema wants longer texts, they go on until it is satisfied."""


class CallWriter:
    """`write` is a sequence's sub-generator: it yields steps, appends outputs, and returns the logits after <end>."""

    def __init__(
        self, script: Script, tools: tuple[Function, ...], response_id: str, outputs: list[Output], line: Drafted,
        evidence: Evidence | None = None, limit: int | None = None,
    ) -> None:  # fmt: skip
        """`line` ends with <reply>. `evidence`: what the sound says for each of some values. `limit`: of its tokens, <end>
        included."""
        self._script, self._tools = script, {tool.name: tool for tool in tools}
        self._response_id, self._outputs, self._line = response_id, outputs, line
        self._evidence, self._limit = evidence, limit
        self._name: str | None = None
        self._values: dict[Path, Any] = {}
        self.tokens = 0
        self.ran_out = False
        """It was broken off at its limit."""

    def write(self, only: str | None) -> Generator[Think, Tensor, None]:
        """One call, of the function `only` or of whichever the model chooses."""
        try:
            yield from self._write(only)
        except _RanOut:
            self.ran_out = True
            if self._name is not None:
                # As far as it came: what is told of a broken call is no JSON yet.
                self._tell(schemas.arguments(self._tools[self._name].parameters).as_json(self._values).removesuffix("}"))

    def _write(self, only: str | None) -> Generator[Think, Tensor, None]:
        logits = yield from self._take(CALL)
        names = [only] if only else list(self._tools)
        options = [(self._script.encode(identifier_words(n) or n), n) for n in names]
        name, token, logits = yield from self._choose(Choice(options, (ARGUMENT, END)), logits)
        shape, values = schemas.arguments(self._tools[name].parameters), self._values
        self._name = name
        while True:
            left = [leaf for leaf in shape.leaves if leaf.path not in values]
            token = ARGUMENT if shape.missing(set(values)) else token if left else END
            logits = yield from self._take(token)
            if token == END:
                break
            # With nothing but required arguments left to be told apart, the model still chooses their order.
            leaf, _, logits = yield from self._choose(Choice(self._keys(left), (VALUE,)), logits)
            values[leaf.path], token, logits = yield from self._argument(leaf, name, logits)
        self._tell(shape.as_json(values))
        self._outputs.append(CallDone(self._response_id))

    def _tell(self, arguments: str) -> None:
        self._outputs.append(CallStarted(self._response_id, self._name or ""))
        self._outputs.append(CallArgumentsDelta(self._response_id, arguments, self.tokens))

    def _keys(self, leaves: list[Leaf]) -> list[tuple[list[int], Any]]:
        """Two parameters that sound alike are taken in their order in the schema."""
        said: dict[str, Leaf] = {}
        for leaf in leaves:
            said.setdefault(leaf.spoken, leaf)
        return [(self._script.encode(words), leaf) for words, leaf in said.items()]

    def _take(self, token: int) -> Steps:
        if self._limit is not None and self.tokens >= self._limit:
            raise _RanOut
        self.tokens += 1
        return self._line.take(token)

    def _choose(self, choice: Choosing, logits: Tensor) -> Written:
        """(the option, the stop that ended it - not yet taken, the logits before that stop)."""
        while True:
            allowed = choice.allowed()
            token = allowed[int((logits[allowed] + torch.tensor(choice.favours())).argmax())]
            done = choice.take(token)
            if done is not None:
                return done[0], token, logits
            logits = yield from self._take(token)

    def _argument(self, leaf: Leaf, function: str, logits: Tensor) -> Written:
        """What stands behind its <value>; a list has one <value> for each element."""
        logits = yield from self._take(VALUE)
        if leaf.most is None:
            return (yield from self._value(leaf, function, (ARGUMENT, END), logits))
        values: list[Any] = []
        while True:
            more, enough = len(values) + 1 < leaf.most, len(values) + 1 >= leaf.least
            stops = (*((VALUE,) if more else ()), *((ARGUMENT, END) if enough else ()))
            value, token, logits = yield from self._value(leaf, function, stops, logits)
            values.append(value)
            if token != VALUE:
                return values, token, logits
            logits = yield from self._take(VALUE)

    def _value(self, leaf: Leaf, function: str, stops: tuple[int, ...], logits: Tensor) -> Written:
        kind = leaf.value
        if isinstance(kind, FreeText):
            return (yield from self._free_text(kind, stops, logits))
        return (yield from self._choose(self._choice(kind, leaf, function, stops), logits))

    def _choice(self, kind: Words | Numbers, leaf: Leaf, function: str, stops: tuple[int, ...]) -> Choosing:
        """Among its values, with what the sound says for each."""
        # A name of a list may be written as a name (Paris) or as a word (paris): both are the same value.
        ways = [
            (way, value)
            for said, value in kind.options
            for way in (dict.fromkeys((said, said.title())) if isinstance(value, str) else (said,))
        ]
        favours = self._evidence([way for way, _ in ways], identifier_words(function), leaf.spoken) if self._evidence else []
        if isinstance(kind, Numbers):
            return NumberChoice(self._script.numbers, kind.values, stops, dict(zip(kind.values, favours, strict=False)))
        return Choice([(self._script.encode(way), value) for way, value in ways], stops, favours)

    def _free_text(self, kind: FreeText, stops: tuple[int, ...], logits: Tensor) -> Written:
        """Pieces that would make it too long are closed, stops as long as it is too short: one of the two is always open."""
        ids: list[int] = []
        lengths = self._script.piece_lengths
        while True:
            text = self._script.decode(ids)
            room = kind.longest - len(text)
            closed = (lengths - (0 if ids else self._script.begins_word) > room) | self._script.blank
            if len(text) >= max(kind.shortest, 1):
                closed[list(stops)] = False
            token = int(logits.masked_fill(closed, float("-inf")).argmax())
            full = len(ids) >= FREE_TEXT_TOKENS and len(text) >= kind.shortest
            if token in stops or full:
                return text, token if token in stops else stops[-1], logits
            ids.append(token)
            logits = yield from self._take(token)
