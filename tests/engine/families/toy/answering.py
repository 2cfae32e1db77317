"""How Toy answers: tokens under the functions' grammar, each of which is shown and spoken at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import torch
from tokenizers import Tokenizer

from realtime_server.engine.grammar import parsing
from realtime_server.engine.grammar.calls import Allowed, grammar
from realtime_server.engine.grammar.mask import Masks, Matcher
from realtime_server.engine.grammar.parsing import TokenParser
from realtime_server.engine.grammar.templates import TEMPLATES
from realtime_server.engine.grammar.tokens import Vocabulary
from realtime_server.engine.runtime.sampling import Sampler
from realtime_server.engine.runtime.sequences import Body
from realtime_server.engine.runtime.steps import Decode, Stream
from realtime_server.messages import (
    AudioDelta,
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Output,
    Prompted,
    Respond,
    ResponseFinished,
    Sampling,
    TextDelta,
)
from tests.engine.families.toy.prompt import ContextTooLong, prompt
from tests.engine.families.toy.speaking import PITCHES_HZ, USUAL_HZ, Voice

TEMPLATE = TEMPLATES["hermes"]
SAMPLING = Sampling(temperature=0.7, top_p=0.95, seed=0)
LONGEST_REPLY = 200
Take = Callable[[list[int]], tuple[Stream, int]]
"""`Prefixes.take`, of one session."""


@dataclass(frozen=True)
class Thinker:
    """All that answers share."""

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    longest: int
    device: torch.device

    def prompt(self, request: Respond) -> list[int]:
        ids: list[int] = self.tokenizer.encode(prompt(request.context)).ids
        if len(ids) + LONGEST_REPLY > self.longest:
            raise ContextTooLong(f"The conversation has {len(ids)} tokens; {self.longest - LONGEST_REPLY} fit.")
        return ids


def answer(request: Respond, thinker: Thinker, take: Take, used: list[Stream], outputs: list[Output]) -> Body:
    ids = thinker.prompt(request)
    stream, cached = take(ids)
    used.append(stream)
    outputs.append(Prompted(request.response_id, len(ids), cached))
    allowed = Allowed.by(request.tool_choice, request.context.tools)
    matcher = Matcher(thinker.vocabulary, grammar(TEMPLATE, allowed, thinker.vocabulary))
    masks = Masks(thinker.vocabulary, 1, thinker.device)
    sampler = Sampler(request.sampling or SAMPLING, ids)
    reply = Reply(request, thinker.vocabulary, outputs)
    unread, most = ids[cached:], min(request.max_output_tokens or LONGEST_REPLY, LONGEST_REPLY)
    while not matcher.is_over and reply.tokens < most:
        mask = masks.fill([matcher])
        token = yield Decode(stream, unread, sampler=sampler, allowed=None if mask is None else mask[0])
        sampler.take(token)
        matcher.accept([token])
        reply.take(token)
        unread = [token]
    reply.finish("completed" if matcher.is_over else "max_output_tokens")


class Reply:
    """What the tokens of an answer become for the session."""

    def __init__(self, request: Respond, vocabulary: Vocabulary, outputs: list[Output]) -> None:
        self._id, self._outputs = request.response_id, outputs
        self._parser = TokenParser(TEMPLATE, vocabulary)
        pitch_hz = PITCHES_HZ.get(request.voice, USUAL_HZ)
        self._voice = Voice(pitch_hz, request.speed) if request.audio else None
        self._characters = self.tokens = 0

    def take(self, token: int) -> None:
        self.tokens += 1
        before = self._characters
        self._tell(self._parser.feed([token]))
        if self._voice is not None and self._characters > before:
            self._outputs.append(AudioDelta(self._id, self._voice.say(token), self._characters))

    def finish(self, reason: str) -> None:
        self._tell(self._parser.finish())
        if self._voice is not None and self._characters:
            self._outputs.append(AudioDelta(self._id, self._voice.end(), self._characters))
        self._outputs.append(ResponseFinished(self._id, "completed" if reason == "completed" else "max_output_tokens"))

    def _tell(self, parsed: list[parsing.Parsed]) -> None:
        for one in parsed:
            match one:
                case parsing.Text():
                    self._characters += len(one.text)
                    self._outputs.append(TextDelta(self._id, one.text))
                case parsing.CallStarted():
                    self._outputs.append(CallStarted(self._id, one.name))
                case parsing.ArgumentsDelta():
                    self._outputs.append(CallArgumentsDelta(self._id, one.text))
                case parsing.CallDone():
                    self._outputs.append(CallDone(self._id))
                case parsing.CallMalformed():
                    # Under a grammar only a call that the limit cut short is none: the session leaves it out.
                    pass
                case _:
                    assert_never(one)
