"""A tokenizer of `tokenizers` or `transformers` -> llguidance's, made once: byte-level BPE and sentencepiece's pieces alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from llguidance import LLTokenizer


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What a model writes, as a grammar sees it."""

    size: int
    """Of the model's logits, which may be more than the tokenizer has."""
    ends: tuple[int, ...]
    """Tokens that end an answer."""
    special: dict[str, int]
    """Tokens that stand for themselves and that no text makes: `<tool_call>`."""
    tokenizer: "LLTokenizer" = field(repr=False)

    def bytes_of(self, token: int) -> bytes:
        """What is written; a special token's name."""
        return self.tokenizer.decode_bytes([token])


def vocabulary(tokenizer: Any, size: int, ends: Sequence[int]) -> Vocabulary:
    """`tokenizer`: a `tokenizers.Tokenizer`, or a fast one of `transformers`. About 1 s for 150,000 tokens, the first time.

    ValueError: it is none that llguidance can read.
    """
    fast = getattr(tokenizer, "backend_tokenizer", tokenizer)
    return _made(_without_limits(fast.to_str()), size, tuple(ends))


def _without_limits(text: str) -> str:
    """Padding and truncation are no business of a grammar's."""
    return orjson.dumps({**orjson.loads(text), "padding": None, "truncation": None}).decode()


@lru_cache(maxsize=4)
def _made(text: str, size: int, ends: tuple[int, ...]) -> Vocabulary:
    from llguidance import LLTokenizer

    tokenizer = LLTokenizer(text, n_vocab=size, eos_token=list(ends))
    added = ((token["content"], token["id"]) for token in orjson.loads(text)["added_tokens"])
    return Vocabulary(size, ends, {name: n for name, n in added if tokenizer.is_special_token(n)}, tokenizer)


class _Bytes:
    """256 tokens of a byte each, and the end."""

    eos_token_id, bos_token_id = 256, None
    tokens = [*(bytes([n]) for n in range(256)), b"<end>"]
    special_token_ids = [256]

    def __call__(self, text: bytes) -> list[int]:
        return list(text)


@lru_cache(maxsize=1)
def byte_vocabulary() -> "LLTokenizer":
    """For judging a grammar before any model's tokenizer is known."""
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(TokenizerWrapper(_Bytes()))
