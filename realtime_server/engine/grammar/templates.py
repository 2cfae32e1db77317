"""How each family's chat template writes calls: what stands before a name, after it, and around the arguments (JSON)."""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Special:
    """A token that stands for itself: its name written by other tokens is text."""

    name: str


Parts = tuple[str | Special, ...]


@dataclass(frozen=True)
class Template:
    """An answer: text, then `opening`, calls with `between` between them, and `closing`."""

    opening: Parts = ()
    before_name: Parts = ()
    after_name: Parts = ()
    after_arguments: Parts = ()
    between: Parts = ()
    closing: Parts = ()
    speaks_first: bool = True
    """Whether calls may follow text; if not, an answer is text or calls."""
    several: bool = True
    """Whether one answer may make more than one call."""

    @property
    def trigger(self) -> str | Special:
        """What no text has: with it, calls begin."""
        return (*self.opening, *self.before_name)[0]

    def spelled(self, special: Collection[str]) -> "Template":
        """For a tokenizer with these special tokens: the markers that it has no token for are written as text."""

        def spell(parts: Parts) -> Parts:
            return tuple(one.name if isinstance(one, Special) and one.name not in special else one for one in parts)

        return replace(
            self,
            opening=spell(self.opening),
            before_name=spell(self.before_name),
            after_name=spell(self.after_name),
            after_arguments=spell(self.after_arguments),
            between=spell(self.between),
            closing=spell(self.closing),
        )


TEMPLATES = {
    # Qwen 2.5, Qwen 3, Qwen-Omni, Hermes: chat_template.json, "<tool_call>\n{"name": <function-name>, ...}\n</tool_call>".
    "hermes": Template(
        before_name=(Special("<tool_call>"), '\n{"name": "'),
        after_name=('", "arguments": ',),
        after_arguments=("}\n", Special("</tool_call>")),
        between=("\n",),
    ),
    # Llama 3.1 to 3.3: 'Respond in the format {"name": function name, "parameters": ...}'.
    "llama3": Template(
        before_name=('{"name": "',),
        after_name=('", "parameters": ',),
        after_arguments=("}",),
        speaks_first=False,
        several=False,
    ),
    # Mistral, tokenizers v3 to v7.
    "mistral": Template(
        opening=(Special("[TOOL_CALLS]"), "["),
        before_name=('{"name": "',),
        after_name=('", "arguments": ',),
        after_arguments=("}",),
        between=(", ",),
        closing=("]",),
    ),
    # Mistral, tokenizers v11 and later.
    "mistral-args": Template(before_name=(Special("[TOOL_CALLS]"),), after_name=(Special("[ARGS]"),)),
    # Phi 4 mini.
    "phi4": Template(
        opening=(Special("<|tool_call|>"), "["),
        before_name=('{"name": "',),
        after_name=('", "arguments": ',),
        after_arguments=("}",),
        between=(", ",),
        closing=("]", Special("<|/tool_call|>")),
    ),
    # Functionary 3.1, and Llama 3.1 as it is told to write custom tools.
    "functionary": Template(before_name=("<function=",), after_name=(">",), after_arguments=("</function>",)),
}


def detected(chat_template: str) -> Template:
    """By what a chat template itself writes calls with; Hermes' where it knows none."""
    signs = {
        "[ARGS]": "mistral-args", "[TOOL_CALLS]": "mistral", "<|tool_call|>": "phi4", "<function=": "functionary",
        "<tool_call>": "hermes", '"parameters": ': "llama3",
    }  # fmt: skip
    return TEMPLATES[next((name for sign, name in signs.items() if sign in chat_template), "hermes")]
