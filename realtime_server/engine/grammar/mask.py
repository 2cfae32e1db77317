"""Which tokens may come next: a matcher for each sequence, and their masks as one tensor for the sampler.

A matcher is a few microseconds a token, on the CPU; what it allows crosses to the device as bits and is unpacked there.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from realtime_server.engine.grammar.tokens import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLExecutor, LLMatcher


class GrammarFault(Exception):
    """What was written is not allowed, or the grammar became too large for what was written: it concerns one sequence."""


class Matcher:
    """One sequence under a grammar. It is where the tokens that it was given have led."""

    def __init__(self, vocabulary: Vocabulary, grammar: str) -> None:
        """`grammar`: as `calls.grammar` makes it. GrammarFault: it is none."""
        self.vocabulary = vocabulary
        self.matcher = _compiled(vocabulary, grammar).deep_copy()

    def accept(self, tokens: Sequence[int]) -> None:
        """They were written. GrammarFault: one of them was not allowed; what came before it was taken."""
        if self.matcher.try_consume_tokens(list(tokens)) < len(tokens):
            raise GrammarFault(self.fault or "A token was written that is not allowed.")

    def rollback(self, count: int) -> None:
        """As before the last `count` tokens."""
        if not self.matcher.rollback(count):
            raise GrammarFault(self.fault)

    def allowed(self, draft: Sequence[int]) -> int:
        """How many of `draft`, from its start, may come next; nothing is taken."""
        return self.matcher.validate_tokens(list(draft))

    def forced(self) -> list[int]:
        """Tokens that must come next, without asking a model: its tokenizer would write the text in no other way."""
        return self.matcher.compute_ff_tokens()

    @property
    def may_end(self) -> bool:
        return self.matcher.is_accepting()

    @property
    def is_over(self) -> bool:
        """An end was written, or nothing but an end may be."""
        return self.matcher.is_stopped()

    @property
    def fault(self) -> str:
        """Why nothing more can be said of this sequence, which may then only end; "" if all is well."""
        return self.matcher.get_error()


@lru_cache(maxsize=64)
def _compiled(vocabulary: Vocabulary, grammar: str) -> "LLMatcher":
    from llguidance import LLMatcher, LLParserLimits

    limits = LLParserLimits(verbose_errors=False)
    matcher = LLMatcher(vocabulary.tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0, limits=limits)
    if matcher.is_error():
        raise GrammarFault(matcher.get_error())
    return matcher


class Masks:
    """Masks of a batch, in memory that is made once: what was sampled under one must be known before the next `fill`."""

    def __init__(self, vocabulary: Vocabulary, rows: int, device: torch.device) -> None:
        words = -(-vocabulary.size // 32)
        self._bits = torch.full((rows, words), -1, dtype=torch.int32, pin_memory=device.type == "cuda")
        self._size, self._device = vocabulary.size, device
        ends = torch.zeros(words * 32, dtype=torch.bool)
        ends[list(vocabulary.ends)] = True
        self._ends = _packed(ends)

    def fill(self, matchers: Sequence[Matcher | None]) -> Tensor | None:
        """Bool [len(matchers), vocabulary], True where a token may come next; None if no row has a grammar.

        A row of None allows everything, and one whose matcher has a `fault` only the ends: no row is ever empty.
        """
        held = [(matcher, row) for row, matcher in enumerate(matchers) if matcher]
        if not held:
            return None
        bits = self._bits[: len(matchers)]
        bits.fill_(-1)
        _write([(matcher.matcher, row) for matcher, row in held], bits)
        for matcher, row in held:
            if matcher.fault:
                bits[row] = self._ends
        return _unpacked(bits.to(self._device, non_blocking=True), self._size)


def _write(matchers: list[tuple["LLMatcher", int]], bits: Tensor) -> None:
    """Into `bits`, int32 [rows, words]. Some masks take a hundred times as long as most: several are made at once."""
    row_bytes = bits.shape[1] * bits.element_size()
    if len(matchers) == 1:
        matcher, row = matchers[0]
        matcher.unsafe_compute_mask_ptr(bits[row].data_ptr(), row_bytes)
    else:
        _executor().unsafe_compute_mask_ptr(matchers, bits.data_ptr(), row_bytes, len(bits))


def _unpacked(bits: Tensor, size: int) -> Tensor:
    """Int32 [rows, words] -> bool [rows, size], the lowest bit first."""
    packed = bits.view(torch.uint8)
    if not packed.is_cuda:
        return torch.from_numpy(np.unpackbits(packed.numpy(), axis=1, count=size, bitorder="little")).view(torch.bool)
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return ((packed[:, :, None] >> places) & 1).bool().flatten(1)[:, :size]


def _packed(allowed: Tensor) -> Tensor:
    """Bool [32 n] -> int32 [n], the lowest bit first."""
    return torch.from_numpy(np.packbits(allowed.numpy(), bitorder="little")).view(torch.int32)


@lru_cache(maxsize=1)
def _executor() -> "LLExecutor":
    from llguidance import LLExecutor

    return LLExecutor()
