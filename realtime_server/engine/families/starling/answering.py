"""What becomes of an answer's pieces: text that is shown and read out, and calls."""

from collections.abc import Callable
from typing import Any, assert_never

from realtime_server.engine.families.starling.thinker import Answer
from realtime_server.engine.grammar import parsing
from realtime_server.engine.runtime.resumed import Resumed
from realtime_server.engine.runtime.sequences import Body
from realtime_server.engine.talker.reply import Reply
from realtime_server.engine.talker.spoken_form import SpokenForm
from realtime_server.messages import CallArgumentsDelta, CallDone, CallStarted, Respond, ResponseFinished, TextDelta


class MalformedCall(Exception):
    """The model wrote a call that is none; a grammar leaves this to answers that were broken off."""


def answer(request: Respond, written: Answer, writing: Resumed[Any], reply: Reply, start_speaking: Callable[[], None]) -> Body:
    """Writes the answer to its end, tells it, and has it read out; `start_speaking` is called with its first words."""
    teller = _Teller(request, reply, start_speaking)
    while True:
        while written.pieces:
            teller.tell(written.pieces.popleft())
        reply.tokens = written.tokens
        if writing.over or reply.over_limit:
            break
        yield from writing.run(lambda: bool(written.pieces) or reply.over_limit)
    reply.ran_out = written.ran_out or not written.over
    teller.close()
    while reply.text and request.audio and not reply.spoken:
        yield None
    reply.outputs.append(ResponseFinished(request.response_id, "max_output_tokens" if reply.ran_out else "completed"))


class _Teller:
    def __init__(self, request: Respond, reply: Reply, start_speaking: Callable[[], None]) -> None:
        self._request, self._reply, self._start_speaking = request, reply, start_speaking
        self._form = reply.form = SpokenForm()

    def tell(self, piece: parsing.Parsed) -> None:
        response_id, outputs = self._request.response_id, self._reply.outputs
        match piece:
            case parsing.Text():
                self._say(piece.text)
            case parsing.CallStarted():
                outputs.append(CallStarted(response_id, piece.name))
            case parsing.ArgumentsDelta():
                outputs.append(CallArgumentsDelta(response_id, piece.text))
            case parsing.CallDone():
                outputs.append(CallDone(response_id))
            case parsing.CallMalformed():
                # What is told of it so far stays an unfinished call, as where an answer ends at its limit.
                self._reply.ran_out = True
            case _:
                assert_never(piece)

    def _say(self, text: str) -> None:
        text = text if self._reply.text else text.lstrip()
        if not text:
            return
        begins = not self._reply.text
        self._reply.text += text
        self._form.add(text)
        self._reply.outputs.append(TextDelta(self._request.response_id, text))
        if begins and self._request.audio:
            self._start_speaking()

    def close(self) -> None:
        self._reply.written = True
        self._form.close()
