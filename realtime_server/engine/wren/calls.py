"""A function call, written token by token so that its JSON fits the function's schema by construction."""

import re
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import torch
from torch import Tensor

from realtime_server.engine.sampling import Choice
from realtime_server.engine.wren import schemas
from realtime_server.engine.wren.drafted import Drafted
from realtime_server.engine.wren.schemas import FreeText, Leaf
from realtime_server.engine.wren.script import ARGUMENT, CALL, END, VALUE, Script
from realtime_server.engine.wren.steps import Think
from realtime_server.engine.wren.words import identifier_words, plain
from realtime_server.messages import CallArgumentsDelta, CallDone, CallStarted, Function, Output

Steps = Generator[Think, Tensor, Tensor]
Written = Generator[Think, Tensor, tuple[Any, int, Tensor]]
Evidence = Callable[[list[str], str, str], list[float]]
"""Values, and in words the function and the parameter that they are for -> nats that speak for each."""
EVIDENCE_WEIGHT = 1.0
"""Of a nat of the letters against one of the words."""
FREE_TEXT_TOKENS = 24
"""Where the schema wants longer texts, they go on until it is satisfied."""
MISHEARD = 4.0
"""Nats by which a turn may be less likely with a value in it than as it was written, where it may have been said."""


@dataclass(frozen=True)
class Said:
    """What a call may be made of. `text`: all that the conversation and the instructions say, in plain words; `likeness`: of
    values, to what was heard last (`HeardTurn.likeness`), None where it was written."""

    text: str
    likeness: Callable[[list[str]], list[float]] | None = None
    baseless: bool = False
    """What was said refers to something before it (`refers_back`), and there is nothing."""

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.text.split())

    def __call__(self, name: str, ways: list[str]) -> bool:
        """Was a value said, in one of these ways, or at least that the parameter of that name has one?"""
        spoken = [way for way in map(plain, ways) if way]
        if not ways or any(self.words.issuperset(way.split()) for way in (plain(name), *spoken)):
            return True
        # Signs alone can't have been said.
        return bool(spoken) and self.likeness is not None and max(self.likeness(spoken)) > -MISHEARD


_OPENING = re.compile(r"(please|(can|could|would|will) you( please)?|i want to|i would like to|i'd like to) ")
_ARTICLES = frozenset({"a", "an", "the", "my"})


def spoken_name(words: str, tools: Iterable[Function]) -> str | None:
    """The function that these plain words name as it is called ("please water the cactus with ..."): the longest name of two
    words or more that they begin with. What has no parameters has nothing behind its name either."""
    opening = _OPENING.match(words)
    said = [word for word in words[opening.end() if opening else 0 :].split() if word not in _ARTICLES]
    found: dict[int, str] = {}
    for tool in tools:
        name = [word for word in identifier_words(tool.name).split() if word not in _ARTICLES]
        rest = [word for word in said[len(name) :] if word != "please"]
        if len(name) > 1 and said[: len(name)] == name and (not rest or schemas.arguments(tool.parameters).leaves):
            found.setdefault(len(name), tool.name)
    return found[max(found)] if found else None


_REFERENCE = re.compile(r"(please )?(make|change|turn|switch) (it|that|them)\b")


def refers_back(words: str) -> bool:
    """Do these plain words change what was said before them ("make it large")?"""
    return _REFERENCE.match(words) is not None


class CallWriter:
    """`write` is a sequence's sub-generator: it yields steps, appends outputs, and returns the logits after <end>."""

    def __init__(
        self, script: Script, tools: tuple[Function, ...], response_id: str, outputs: list[Output], line: Drafted,
        evidence: Evidence | None = None, said: Said | None = None,
    ) -> None:  # fmt: skip
        """`line` ends with <reply>. `evidence`: what the sound says for each of some values. `said`: an argument that need not
        be there and that nobody said is left out."""
        self._script, self._tools = script, {tool.name: tool for tool in tools}
        self._response_id, self._outputs, self._line = response_id, outputs, line
        self._evidence, self._said = evidence, said
        self.tokens = self._told = 0
        self.invented = False
        """It has arguments, and nobody said any of them, or one that it needs; or what was said is baseless."""

    def write(self, only: str | None) -> Steps:
        """One call, of the function `only` or of whichever the model chooses."""
        logits = yield from self._take(CALL)
        names = [only] if only else list(self._tools)
        name, token, logits = yield from self._choose(
            [(self._script.encode(identifier_words(n) or n), n) for n in names], (ARGUMENT, END), logits
        )
        self._outputs.append(CallStarted(self._response_id, name))
        shape = schemas.arguments(self._tools[name].parameters)
        text = _Json()
        written: set[tuple[str, ...]] = set()
        heard: list[bool] = []
        lacking = False
        while True:
            missing, left = shape.missing(written), [leaf for leaf in shape.leaves if leaf.path not in written]
            token = ARGUMENT if missing else token if left else END
            logits = yield from self._take(token)
            if token == END:
                break
            # With nothing but required arguments left to be told apart, the model still chooses their order.
            leaf, _, logits = yield from self._choose(self._keys(left), (VALUE,), logits)
            value, token, logits = yield from self._argument(leaf, name, logits)
            written.add(leaf.path)
            known = self._said is None or all(self._said(leaf.spoken, ways) for ways in leaf.ways(value))
            heard.append(known)
            lacking = lacking or (not known and leaf in missing)
            if known or leaf in missing:
                self._tell(text.add(leaf.path, value))
        # A function may be called turn_it_off.
        baseless = self._said is not None and self._said.baseless and not refers_back(identifier_words(name))
        self.invented = lacking or baseless or (bool(heard) and not any(heard))
        self._tell(text.end(shape.objects(written)))
        self._outputs.append(CallDone(self._response_id))
        return logits

    def _keys(self, leaves: list[Leaf]) -> list[tuple[list[int], Any]]:
        """Two parameters that sound alike are taken in their order in the schema."""
        said: dict[str, Leaf] = {}
        for leaf in leaves:
            said.setdefault(leaf.spoken, leaf)
        return [(self._script.encode(words), leaf) for words, leaf in said.items()]

    def _tell(self, piece: str) -> None:
        if piece:
            self._outputs.append(CallArgumentsDelta(self._response_id, piece, self.tokens - self._told))
            self._told = self.tokens

    def _take(self, token: int) -> Steps:
        self.tokens += 1
        return self._line.take(token)

    def _choose(
        self, options: list[tuple[list[int], Any]], stops: tuple[int, ...], logits: Tensor, favours: Iterable[float] = ()
    ) -> Written:
        """(the option, the stop that ended it - not yet taken, the logits before that stop)."""
        choice = Choice(options, stops, favours)
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
        # A name of a list may be written as a name (Paris) or as a word (paris): both are the same value.
        ways = [
            (way, value)
            for said, value in kind.options
            for way in (dict.fromkeys((said, said.title())) if isinstance(value, str) else (said,))
        ]
        options = [(self._script.encode(way), value) for way, value in ways]
        heard = self._evidence([w for w, _ in ways], identifier_words(function), leaf.spoken) if self._evidence else ()
        return (yield from self._choose(options, stops, logits, [EVIDENCE_WEIGHT * nats for nats in heard]))

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


class _Json:
    """The arguments as text, told as early as it is certain: nested objects come at the end, when they are whole."""

    def __init__(self) -> None:
        self._nested: dict[str, Any] = {}
        self._begun = False

    def add(self, path: tuple[str, ...], value: Any) -> str:
        """What can be told now."""
        if len(path) == 1:
            return self._member(path[0], value)
        inner = self._nested
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
        return ""

    def end(self, objects: list[tuple[str, ...]]) -> str:
        """The rest; `objects` must be there even if nothing was said for them."""
        for path in objects:
            inner = self._nested
            for key in path:
                inner = inner.setdefault(key, {})
        members = "".join(self._member(key, value) for key, value in self._nested.items())
        return members + ("}" if self._begun else "{}")

    def _member(self, key: str, value: Any) -> str:
        before, self._begun = ", " if self._begun else "{", True
        return f"{before}{orjson.dumps(key).decode()}: {orjson.dumps(value).decode()}"
