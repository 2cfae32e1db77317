"""What an answer may be, as one grammar: text, and calls in a family's template whose arguments fit the functions' schemas."""

from dataclasses import dataclass

import orjson

from realtime_server.engine.grammar.schema import arguments
from realtime_server.engine.grammar.templates import Parts, Special, Template
from realtime_server.engine.grammar.tokens import Vocabulary
from realtime_server.messages import Function, NamedFunction, ToolChoice

MOST_CALLS = 16
"""In one answer."""


@dataclass(frozen=True)
class Allowed:
    """What an answer may have: `auto` is text and calls, `none` text, `required` calls, a named function calls of it."""

    functions: tuple[Function, ...]
    text: bool = True
    several: bool = True
    """More than one call (`parallel_tool_calls`)."""

    @classmethod
    def by(cls, choice: ToolChoice, functions: tuple[Function, ...]) -> "Allowed":
        """As `Respond.tool_choice` wants it."""
        if choice == "none":
            return cls(())
        if isinstance(choice, NamedFunction):
            return cls(tuple(one for one in functions if one.name == choice.name), text=False)
        return cls(functions, text=choice == "auto")


def grammar(template: Template, allowed: Allowed, vocabulary: Vocabulary) -> str:
    """For a `mask.Matcher`.

    ValueError: nothing is allowed. CannotHonour: a function must be called in a way that cannot be held (`schema.fault`).
    """
    if not allowed.functions:
        if not allowed.text:
            raise ValueError("Neither text nor a function is allowed.")
        return f"%llguidance {{}}\nstart: TEXT\n{_ANYTHING}"
    return "\n".join(_rules(template.spelled(vocabulary.special), allowed, vocabulary.special))


_ANYTHING = "TEXT: /(?s:.*)/"


def _rules(template: Template, allowed: Allowed, special: dict[str, int]) -> list[str]:
    write = _Writer(special)
    more = f"(between call){{0,{MOST_CALLS - 1}}}" if allowed.several and template.several else ""
    calls = f"{more} {write(template.closing)}"
    names = " | ".join(f"f{n}" for n in range(len(allowed.functions)))
    # What begins with the trigger, without it: where text may stand before it, it belongs to the text's rule.
    opening, before = (template.opening[1:], template.before_name) if template.opening else ((), template.before_name[1:])
    trigger = write((template.trigger,))
    begun = "begun" if allowed.text and template.speaks_first else trigger
    return [
        "%llguidance {}",
        f"start: {'text | ' if allowed.text else ''}{begun} {write(opening)} {write(before)} chosen {calls}",
        f"call: {write(template.before_name)} chosen",
        f"between: {write(template.between)}",
        f"chosen: ({names}) {write(template.after_arguments)}",
        *(_texts(template, trigger) if allowed.text else ()),
        *_functions(template, allowed, write),
    ]


class _Writer:
    """Parts as llguidance's Lark writes them; special tokens by their numbers."""

    def __init__(self, special: dict[str, int]) -> None:
        self._special = special

    def __call__(self, parts: Parts) -> str:
        return " ".join(f"<[{self._special[one.name]}]>" if isinstance(one, Special) else _quoted(one) for one in parts)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _texts(template: Template, trigger: str) -> list[str]:
    """Text, and text up to the trigger. A trigger that is no token of its own ends the text as soon as it has been written."""
    if not template.speaks_first:
        assert isinstance(template.trigger, str)
        return ["text: TEXT?", f"TEXT: /[ \\t\\r\\n]*[^{_escaped(template.trigger[0])} \\t\\r\\n](?s:.*)/"]
    lazy = "[lazy]" if isinstance(template.trigger, str) else ""
    return ["text: TEXT", f"begun{lazy}: TEXT {trigger}", _ANYTHING]


def _escaped(character: str) -> str:
    return character if character.isalnum() else f"\\{character}"


def _functions(template: Template, allowed: Allowed, write: _Writer) -> list[str]:
    after = write(template.after_name)
    return [f"f{n}: {_quoted(one.name)} {after} %json {arguments(one.parameters)}" for n, one in enumerate(allowed.functions)]
