"""The text side of Wren's sequences: who said what, as token ids. Training and serving both write it here.

<system> name <argument> fact <value> words ... <tool> tool <argument> parameter <value> choice <value> choice ...
                                         the context that instructions and tools leave
[user frames] <user> words <reply>       a user turn; the frames only while it is the newest
text <end>  |  <call> tool <argument> key <value> words ... <end>
<result> words <reply> ...               what a function returned
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from realtime_server.engine.families.wren.caching import Cache
from realtime_server.engine.families.wren.numbers import Node, trie
from realtime_server.engine.families.wren.words import identifier_words, plain

MARKS = ("<pad>", "<system>", "<tool>", "<user>", "<reply>", "<call>", "<argument>", "<value>", "<end>", "<result>")
NOT_UNDERSTOOD = "Sorry, I did not catch that."
NOT_KNOWN = "Sorry, I do not know that."
Parameter = tuple[str, Iterable[str]]
"""A function's parameter as the model is shown it: its name, and the values to choose from where they are few."""
ROOM, LONGEST_KEPT = 500_000, 2000
"""Characters whose tokens are kept, of all texts together and of one."""
PAD, SYSTEM, TOOL, USER, REPLY, CALL, ARGUMENT, VALUE, END, RESULT = range(len(MARKS))


class Script:
    """Renders a conversation's parts to ids with one tokenizer; `piece` turns an id back into the text it adds."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        # '<call>' written by a client is text like any other, not the mark.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._encoded = Cache[str, tuple[int, ...]](ROOM)
        self.size: int = tokenizer.get_vocab_size()

    @classmethod
    def load(cls, path: Path) -> "Script":
        script = cls(Tokenizer.from_file(str(path)))
        # Made now, since whoever first asked for a number would keep everybody waiting.
        _ = script.numbers
        return script

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The text each id stands for, with the space before a word's first piece; '' for marks."""
        names = (self._tokenizer.id_to_token(n) or "" for n in range(self.size))
        return tuple("" if n < len(MARKS) else name.replace("\u2581", " ") for n, name in enumerate(names))

    @cached_property
    def blank(self) -> Tensor:
        """[size] True for marks and for what adds nothing but a space."""
        return torch.tensor([not piece.strip() for piece in self.pieces])

    @cached_property
    def piece_lengths(self) -> Tensor:
        """[size] characters that each id adds."""
        return torch.tensor([len(piece) for piece in self.pieces])

    @cached_property
    def begins_word(self) -> Tensor:
        """[size] 1 where a piece brings the space before a word, which a text's first word does not have."""
        return torch.tensor([int(piece.startswith(" ")) for piece in self.pieces])

    @cached_property
    def numbers(self) -> Node:
        """All whole numbers that a function may take."""
        return trie(self.encode)

    def encode(self, text: str) -> list[int]:
        if len(text) > LONGEST_KEPT:
            return list(self._encode(text))
        return list(self._encoded.get(text, len(text) + 1, lambda: self._encode(text)))

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces[n] for n in ids).strip()

    def system(
        self, name: str, facts: Iterable[tuple[str, str]] = (), tools: Iterable[tuple[str, Iterable[Parameter]]] = ()
    ) -> list[int]:
        """`tools`: names, each with its parameters."""
        ids = [SYSTEM, *self.encode(name)]
        for key, value in facts:
            ids += [ARGUMENT, *self.encode(plain(key)), VALUE, *self.encode(plain(value))]
        for tool, parameters in tools:
            ids += self.tool(tool)
            for parameter, choices in parameters:
                ids += self.parameter(parameter, choices)
        return ids

    def tool(self, name: str) -> list[int]:
        """A function of the context; its parameters follow."""
        return [TOOL, *self.encode(identifier_words(name))]

    def parameter(self, name: str, choices: Iterable[str] = ()) -> list[int]:
        ids = [ARGUMENT, *self.encode(identifier_words(name))]
        for choice in choices:
            ids += [VALUE, *self.encode(plain(choice))]
        return ids

    def user(self, text: str) -> list[int]:
        return [USER, *self.encode(plain(text))]

    def result(self, text: str) -> list[int]:
        return [RESULT, *self.encode(plain(text))]

    def say(self, text: str) -> list[int]:
        return [REPLY, *self.encode(text), END]

    def call(self, name: str, arguments: Iterable[tuple[str, str]]) -> list[int]:
        ids = [REPLY, CALL, *self.encode(identifier_words(name))]
        for key, value in arguments:
            ids += [ARGUMENT, *self.encode(identifier_words(key)), VALUE, *self.encode(value)]
        return [*ids, END]


def whole_words(pieces: list[str], logprobs: list[float]) -> list[tuple[str, float]]:
    """The words that pieces make, each with its log-probability."""
    words: list[tuple[str, float]] = []
    for piece, logprob in zip(pieces, logprobs, strict=True):
        if piece.startswith(" ") or not words:
            words.append((piece.strip(), logprob))
        else:
            words[-1] = (words[-1][0] + piece, words[-1][1] + logprob)
    return words
