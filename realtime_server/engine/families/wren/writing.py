"""A reply in words, written token by token and told as soon as it is certain."""

from collections.abc import Callable, Generator, Iterator

import torch
from torch import Tensor

from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.script import END, MARKS, NOT_KNOWN, Script
from realtime_server.engine.runtime.sampling import Sampler, choose
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Think
from realtime_server.engine.talker.reply import Reply
from realtime_server.messages import GREEDY, Respond, TextDelta

Steps = Generator[Think, Tensor, None]
LONGEST_REPLY = 160
"""Text tokens: several times the longest reply that it was trained on."""


class TextWriter:
    """`write` and `give` are sub-generators of a sequence, as `CallWriter.write` is."""

    def __init__(
        self, request: Respond, line: Drafted, script: Script, reply: Reply, start_speaking: Callable[[], None]
    ) -> None:
        """`line` ends with <reply>; `start_speaking` is called with the first words, where sound is wanted."""
        self._request, self._line, self._script, self._reply = request, line, script, reply
        self._start_speaking = start_speaking
        self._held: list[str] = []
        self._sampler = Sampler(request.sampling or GREEDY)

    def give(self, text: str) -> Steps:
        """These words, whatever the model would say."""
        yield from self._write(iter([*self._script.encode(text), END]))

    def write(self, logits: Tensor, facts: Facts | None) -> Steps:
        """The model's words, held back as long as `facts` may have others instead. logits [vocabulary] behind <reply>."""
        first, text = self._line.end, ""
        sure = (
            float(logits.log_softmax(-1)[self._script.encode(NOT_KNOWN)[0]]) < facts.hesitation if facts is not None else False
        )
        while facts is not None and not self._reply.over_limit:
            token = self._chosen(logits)
            text += self._script.pieces[token] if text else self._script.pieces[token].lstrip()
            if token == END or not facts.undecided(text):
                other = facts.instead(text, sure)
                if other is not None:
                    self._reply.tokens -= len(self._held)
                    self._held.clear()
                    self._line.back_to(first)
                    yield from self.give(other)
                    return
                break
            self._hold(token)
            logits = yield from self._line.take(token)
        yield from self._write(iter(()), logits)

    def _write(self, given: Iterator[int], logits: Tensor | None = None) -> Steps:
        while True:
            token = next(given, None)
            if token is None:
                assert logits is not None
                token = self._chosen(logits)
            if token == END or self._reply.tokens >= LONGEST_REPLY or self._reply.over_limit:
                break
            self._hold(token)
            self._tell()
            logits = yield from self._line.take(token)
        self._tell()
        self._reply.ran_out = token != END
        # The reply's end belongs to the stream, so that the next turn finds the same prefix.
        yield from self._line.take(END)

    def _chosen(self, logits: Tensor) -> int:
        """Among the text and <end>. The same as long as nothing is held behind it."""
        allowed = torch.ones(len(logits), dtype=torch.bool)
        allowed[[n for n in range(len(MARKS)) if n != END]] = False
        return choose(logits[None], [self._sampler], [allowed])[0]

    def _hold(self, token: int) -> None:
        self._sampler.take(token)
        piece = self._script.pieces[token]
        self._held.append(piece if self._held or self._reply.text else piece.lstrip())
        self._reply.tokens += 1

    def _tell(self) -> None:
        starts = bool(self._held) and not self._reply.text
        for piece in self._held:
            self._reply.text += piece
            self._reply.outputs.append(TextDelta(self._request.response_id, piece))
        self._held.clear()
        if self._request.audio and starts:
            self._start_speaking()
