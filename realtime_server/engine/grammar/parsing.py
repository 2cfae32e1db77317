"""What a model writes, as it writes it -> text, and calls with their names and arguments. The counterpart of `calls`.

Cut anywhere, a stream gives the same. Of a call nothing becomes text: what may still become one is held back, and the white
space around calls is the template's. Arguments are handed on as they were written.
"""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain

from realtime_server.engine.grammar.templates import Parts, Special, Template
from realtime_server.engine.grammar.tokens import Vocabulary

SPACE = " \n\r\t"
LONGEST_NAME = 256


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class CallStarted:
    name: str


@dataclass(frozen=True)
class ArgumentsDelta:
    text: str


@dataclass(frozen=True)
class CallDone:
    pass


@dataclass(frozen=True)
class CallMalformed:
    """What was written as a call is none, or was not finished; one that has been started and is not done will not be."""

    why: str


Parsed = Text | CallStarted | ArgumentsDelta | CallDone | CallMalformed


class _State(Enum):
    TEXT = auto()
    LITERAL = auto()
    """In what a template writes around names and arguments."""
    NAME = auto()
    ARGUMENTS = auto()
    NEXT = auto()
    """After a call: another one, the end of all calls, or text."""
    CLOSED = auto()
    """After all calls."""
    BROKEN = auto()


class CallParser:
    """One answer's. `template` must be spelled as the tokenizer spells it (`Template.spelled`)."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._state = self._after = _State.TEXT
        self._expected: list[str | Special] = []
        self._held = ""
        self._spoken = False
        self._object = _Object()
        self._parsed: list[Parsed] = []

    def feed(self, piece: str | Special) -> list[Parsed]:
        """More of the answer: text, or one special token."""
        rest = piece
        while rest:
            if self._state is _State.TEXT:
                rest = self._text(rest)
            elif self._state is _State.ARGUMENTS:
                rest = self._arguments(rest)
            elif isinstance(rest, Special):
                rest = "" if self._takes(rest) else rest
            else:
                rest = rest[self._takes(rest[0]) :]
        return self._handed()

    def finish(self) -> list[Parsed]:
        """The answer is over."""
        if self._state is _State.TEXT:
            self._say(self._held)
        elif (self._after if self._state is _State.LITERAL else self._state) in (_State.NAME, _State.ARGUMENTS):
            self._break("It was not finished.")
        self._state, self._held = _State.BROKEN, ""
        return self._handed()

    def _handed(self) -> list[Parsed]:
        parsed, self._parsed = self._parsed, []
        return parsed

    def _break(self, why: str) -> None:
        self._state = _State.BROKEN
        self._parsed.append(CallMalformed(why))

    # --- text -------------------------------------------------------------------------------------------------------

    def _text(self, piece: str | Special) -> str:
        """Says what surely belongs to no call, and returns what follows the trigger of one."""
        trigger = self._template.trigger
        if isinstance(piece, Special):
            if piece == trigger and self._may_begin(self._held):
                self._begin(self._held)
            return ""
        written = self._held + piece
        if isinstance(trigger, str) and (at := written.find(trigger)) >= 0 and self._may_begin(written[:at]):
            self._begin(written[:at])
            return written[at + len(trigger) :]
        kept = written[_surely(written, trigger if isinstance(trigger, str) else "") :]
        said = written[: len(written) - len(kept)]
        if not self._may_begin(said):
            said, kept = written, ""
        self._say(said)
        self._held = kept
        return ""

    def _may_begin(self, before: str) -> bool:
        return self._template.speaks_first or not (self._spoken or before.strip(SPACE))

    def _say(self, text: str) -> None:
        if text:
            self._spoken = True
            self._parsed.append(Text(text))

    def _begin(self, before: str) -> None:
        self._say(before.rstrip(SPACE))
        self._held = ""
        _, *rest = self._template.opening + self._template.before_name
        self._expect(_State.NAME, _units(tuple(rest)))

    # --- calls ------------------------------------------------------------------------------------------------------

    def _expect(self, after: _State, units: list[str | Special]) -> None:
        self._state, self._after, self._expected = _State.LITERAL, after, units
        self._advance()

    def _advance(self) -> None:
        if not self._expected:
            self._state = self._after

    def _takes(self, unit: str | Special) -> bool:
        """Whether `unit`, a character or a special token, belongs to the calls; if not, text goes on with it."""
        if self._state is _State.LITERAL:
            self._literal(unit)
        elif self._state is _State.NAME:
            self._name(unit)
        elif self._state is _State.NEXT:
            return self._next(unit)
        elif self._state is _State.CLOSED:
            return self._rest(unit)
        elif unit == self._last:
            self._state = _State.NEXT
        return True

    @property
    def _last(self) -> str | Special | None:
        """The token with which a broken call is over; where there is none, nothing that follows can be trusted."""
        parts = self._template.after_arguments + self._template.closing
        return parts[-1] if parts and isinstance(parts[-1], Special) else None

    def _literal(self, unit: str | Special) -> None:
        """White space is not compared: models without a mask write JSON as they please."""
        if unit == self._expected[0]:
            self._expected.pop(0)
            self._advance()
        elif not _is_space(unit):
            self._break("It is not written as calls are.")

    def _name(self, unit: str | Special) -> None:
        first, *rest = _units(self._template.after_name)
        if unit == first and self._held:
            self._parsed.append(CallStarted(self._held))
            self._held, self._object = "", _Object()
            self._expect(_State.ARGUMENTS, rest)
        elif isinstance(unit, Special) or len(self._held) >= LONGEST_NAME or unit == first:
            self._held = ""
            self._break("It has no name.")
        else:
            self._held += unit

    def _arguments(self, piece: str | Special) -> str:
        if isinstance(piece, Special):
            self._break("Its arguments are no JSON object.")
            return ""
        if not self._object.begun:
            piece = piece.lstrip(SPACE)
            if piece and piece[0] != "{":
                self._break("Its arguments are no JSON object.")
                return piece
        end = self._object.end(piece)
        if piece[:end]:
            self._parsed.append(ArgumentsDelta(piece[:end]))
        if self._object.complete:
            self._parsed.append(CallDone())
            self._expect(_State.NEXT, _units(self._template.after_arguments))
        return piece[end:]

    def _next(self, unit: str | Special) -> bool:
        template = self._template
        again = _units(template.between + template.before_name)
        closing = _units(template.closing)
        if _is_space(unit) or not template.speaks_first:
            return True
        if unit == again[0] and (closing or isinstance(unit, Special)):
            self._expect(_State.NAME, again[1:])
        elif closing and unit == closing[0]:
            self._expect(_State.CLOSED, closing[1:])
        else:
            return self._rest(unit)
        return True

    def _rest(self, unit: str | Special) -> bool:
        if not _is_space(unit):
            self._state = _State.TEXT
        return _is_space(unit)


class _Object:
    """Where a JSON object ends."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False
        self.begun = self.complete = False

    def end(self, piece: str) -> int:
        """How much of `piece` belongs to it."""
        for n, character in enumerate(piece):
            self.begun = True
            if self._in_string:
                self._in_string = self._escaped or character != '"'
                self._escaped = character == "\\" and not self._escaped
            elif character == '"':
                self._in_string = True
            else:
                self._depth += (character in "{[") - (character in "}]")
                if not self._depth:
                    self.complete = True
                    return n + 1
        return len(piece)


def _units(parts: Parts) -> list[str | Special]:
    """Characters, but white space, and special tokens."""
    return [unit for part in parts for unit in ([part] if isinstance(part, Special) else part) if not _is_space(unit)]


def _is_space(unit: str | Special) -> bool:
    return isinstance(unit, str) and unit in SPACE


def _surely(written: str, trigger: str) -> int:
    """How much of it is text: not the white space at its end, nor what may become `trigger`."""
    begun = next((n for n in range(min(len(trigger) - 1, len(written)), 0, -1) if written.endswith(trigger[:n])), 0)
    return len(written[: len(written) - begun].rstrip(SPACE))


class TokenParser:
    """One answer's, token by token."""

    def __init__(self, template: Template, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._parser = CallParser(template.spelled(vocabulary.special))
        self._names = {token: name for name, token in vocabulary.special.items()}
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, tokens: Iterable[int]) -> list[Parsed]:
        pieces = chain.from_iterable(self._pieces(token) for token in tokens if token not in self._vocabulary.ends)
        return [parsed for piece in pieces for parsed in self._parser.feed(piece)]

    def finish(self) -> list[Parsed]:
        return [*self._parser.feed(self._decoder.decode(b"", final=True)), *self._parser.finish()]

    def _pieces(self, token: int) -> Iterator[str | Special]:
        """What is left of a character that a special token cut in two is said to be so."""
        if token not in self._names:
            yield self._decoder.decode(self._vocabulary.bytes_of(token))
            return
        yield self._decoder.decode(b"", final=True)
        self._decoder.reset()
        yield Special(self._names[token])
