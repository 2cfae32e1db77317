"""The thinker: an instruct model of `transformers`, whatever its name, that answers in words or calls functions."""

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

import torch

from realtime_server.engine.families.starling.chat import Chat, Prompt
from realtime_server.engine.families.starling.expected import Frames
from realtime_server.engine.grammar.calls import Allowed, grammar
from realtime_server.engine.grammar.mask import Masks, Matcher
from realtime_server.engine.grammar.parsing import ArgumentsDelta, CallDone, CallMalformed, CallStarted, Parsed, TokenParser
from realtime_server.engine.grammar.templates import Template, detected
from realtime_server.engine.grammar.tokens import Vocabulary, vocabulary
from realtime_server.engine.runtime.causal_lm import CausalLM
from realtime_server.engine.runtime.prefix import Prefixes
from realtime_server.engine.runtime.sampling import Sampler
from realtime_server.engine.runtime.steps import FRAME, Decode, Stream
from realtime_server.messages import GREEDY, Sampling

LONGEST_CONTEXT = 8192
"""Tokens of a prompt and its answer; a model that can tell fewer positions apart has fewer."""
LONGEST_ANSWER = 1024
SHARED = 8192
"""Positions of heads that sessions have in common."""


class Thinker:
    def __init__(self, model: Any, tokenizer: Any, sampling: Sampling = GREEDY, slots: int = 0) -> None:
        """`model`: a causal one, `tokenizer`: its fast one, with a chat template. `sampling`: where the client asks for none.
        `slots`: of a cache of a fixed shape; 0: they grow."""
        self.lm = CausalLM(model, slots, LONGEST_CONTEXT)
        self.vocabulary: Vocabulary = vocabulary(tokenizer, model.config.vocab_size, _ends(model, tokenizer))
        self.template: Template = detected(tokenizer.chat_template or "")
        self.sampling = sampling
        self.prefixes = Prefixes(self.lm.slots, SHARED)
        self.chat = Chat(tokenizer, self.lm.longest - min(LONGEST_ANSWER, self.lm.longest // 4))


@dataclass(frozen=True)
class Request:
    """What an answer may be. `limit`: of its tokens."""

    allowed: Allowed
    sampling: Sampling | None = None
    limit: int | None = None


class Answer:
    """One answer while it is written behind a prompt: `write` goes on with it, `pieces` are what nobody has taken yet.

    What one sequence has begun another may go on with: nothing of it belongs to either.
    """

    def __init__(self, thinker: Thinker, request: Request, prompt: Prompt, stream: Stream, cached: int) -> None:
        """`stream` holds the first `cached` ids of the prompt."""
        self.stream, self.request = stream, request
        self.prompt, self.cached = prompt.ids, cached
        self.pieces: deque[Parsed] = deque()
        self.tokens = 0
        self.over = self.ran_out = False
        self._thinker, self._head = thinker, prompt.head
        self._parser, self._new = TokenParser(thinker.template, thinker.vocabulary), NewCalls()
        self._choice = _Choice(thinker, request, prompt)
        self._frames, self._unread = prompt.frames, self.prompt[cached:]

    def write(self) -> Generator[Decode, int, None]:
        """To its end."""
        most = min(LONGEST_ANSWER, self.request.limit or LONGEST_ANSWER)
        while not self.over and self.tokens < most:
            token = yield self._choice.step(self.stream, self._unread, self._frames)
            if not self.tokens:
                self._thinker.prefixes.share(self.stream, self._head)
            self._take(token)
        if not self.over:
            self.ran_out = True
            self._finish()

    def _take(self, token: int) -> None:
        forced = self._choice.take(token)
        self.tokens += 1 + len(forced)
        self._unread = [token, *forced]
        self.pieces += self._new.passed(self._parser.feed(self._unread))
        if self._choice.over or self._new.repeats:
            self._finish()

    def _finish(self) -> None:
        self.pieces += self._new.passed(self._parser.finish())
        self.over = True


class _Choice:
    """Which token comes next: by the sampler, of what the request's grammar allows."""

    def __init__(self, thinker: Thinker, request: Request, prompt: Prompt) -> None:
        self.over = False
        self._ends = thinker.vocabulary.ends
        # Text needs no grammar.
        text = not request.allowed.functions
        self._matcher = None if text else Matcher(thinker.vocabulary, _grammar(thinker, request.allowed))
        self._masks = Masks(thinker.vocabulary, 1, thinker.lm.device)
        self._sampler = Sampler(request.sampling or thinker.sampling, [token for token in prompt.ids if token > FRAME])

    def step(self, stream: Stream, unread: list[int], frames: Frames) -> Decode:
        mask, heard = self._masks.fill([self._matcher]), [frames[token] for token in unread if token < FRAME]
        allowed = None if mask is None else mask[0].clone()
        return Decode(stream, unread, torch.stack(heard) if heard else None, sampler=self._sampler, allowed=allowed)

    def take(self, token: int) -> list[int]:
        """The tokens that must follow it: no model is asked for them, it reads them with what comes next."""
        self._sampler.take(token)
        self.over = token in self._ends
        if self._matcher is None or self.over:
            return []
        self._matcher.accept([token])
        forced = [] if self._matcher.is_over else self._matcher.forced()
        self._matcher.accept(forced)
        for follows in forced:
            self._sampler.take(follows)
        self.over = self._matcher.is_over
        return forced


class NewCalls:
    """What is written, until a call is made again word for word: there a small model has begun to repeat itself."""

    def __init__(self) -> None:
        self.repeats = False
        self._made = set[tuple[str, str]]()
        self._call: list[Parsed] = []

    def passed(self, pieces: Iterable[Parsed]) -> list[Parsed]:
        """Of these pieces, and those held back before, what surely belongs to the answer: all calls but the first wait until
        they are whole."""
        passed: list[Parsed] = []
        for piece in pieces:
            if self.repeats:
                break
            if not (isinstance(piece, CallStarted) or self._call):
                passed.append(piece)
                continue
            self._call.append(piece)
            if not self._made:
                passed.append(piece)
            if isinstance(piece, CallDone | CallMalformed):
                passed += self._whole()
        return passed

    def _whole(self) -> list[Parsed]:
        """Of a call that is written to its end, what was held back."""
        call, self._call = self._call, []
        name = "".join(piece.name for piece in call if isinstance(piece, CallStarted))
        made = (name, "".join(piece.text for piece in call if isinstance(piece, ArgumentsDelta)))
        first, self.repeats = not self._made, made in self._made
        self._made.add(made)
        return [] if first or self.repeats else call


def _grammar(thinker: Thinker, allowed: Allowed) -> str:
    return grammar(thinker.template, allowed, thinker.vocabulary)


def _ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    given = model.generation_config.eos_token_id if model.generation_config is not None else None
    ends = given if isinstance(given, list) else [given]
    return tuple(dict.fromkeys(end for end in (*ends, tokenizer.eos_token_id) if end is not None))
