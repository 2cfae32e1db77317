"""What the model hears of each user turn: kept for the conversation, and told to the client if it asked for it."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, assert_never

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import server_events as ev
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox
from realtime_server.session.quota import Exhausted, Quota

Ending = m.TranscriptDone | m.TranscriptFailed
Transcript = m.TranscriptDelta | Ending
INPUT_AUDIO_TOKENS_PER_S = 10


@dataclass
class _Turn:
    """A turn whose transcript is awaited."""

    item_id: str
    entry: Entry | None = None
    """Its item, once it is committed."""
    reserved: int | None = None
    """Of the key's tokens, where it counts."""
    refused: bool = False
    """The key had nothing left for it: what is written of it is not told."""
    ending: Ending | None = None
    """What came before it was committed: a client hears of the end of no item that it does not know."""
    logprobs: list[ev.LogProb] = field(default_factory=list)

    @property
    def place(self) -> dict[str, Any]:
        return {"item_id": self.item_id, "content_index": 0}

    @property
    def audio_tokens(self) -> int:
        length = self.entry.recordings[0].length if self.entry is not None else 0
        return round(length / AUDIO_RATE_HZ * INPUT_AUDIO_TOKENS_PER_S)


@dataclass(frozen=True)
class Wish:
    """What the client wants to be told."""

    shown: bool
    logprobs: bool
    alone: bool
    """Transcripts are all that it wants: then each counts as a request, which in a conversation the answer does."""


class Transcripts:
    """Each turn is awaited from `listen` until it is written, fails or is forgotten; what comes for others is not heard."""

    def __init__(self, outbox: Outbox, quota: Quota) -> None:
        self._out, self._quota = outbox, quota
        self._turns: dict[str, _Turn] = {}

    def waiting(self, most: int) -> int:
        """Turns that are complete, and of which it is not known yet what was said; counted up to `most`, since it is asked for
        after everything that happens."""
        complete = (turn for turn in self._turns.values() if turn.entry is not None)
        return sum(1 for _ in islice(complete, most))

    def listen(self, item_id: str) -> None:
        self._turns[item_id] = _Turn(item_id)

    def forget(self, item_id: str) -> None:
        self._turns.pop(item_id, None)

    def abandon(self, now: float) -> None:
        """Nobody is there any more: the key gets back what transcripts had reserved that were not written."""
        for turn in self._turns.values():
            if turn.reserved is not None:
                self._quota.settle(turn.reserved, 0, now)
        self._turns.clear()

    def commit(self, entry: Entry, wish: Wish, now: float) -> bool:
        """The turn is complete, as this item. False: the key has nothing left for its transcript, which the client is told."""
        turn = self._turns[entry.id]
        turn.entry = entry
        if wish.shown:
            try:
                turn.reserved = self._quota.reserve(max(1, turn.audio_tokens), now, requests=int(wish.alone))
            except Exhausted as exhausted:
                turn.refused = True
                self._tell_failure(turn, "invalid_request_error", "rate_limit_exceeded", str(exhausted))
        if turn.ending is not None:
            self._end(turn, turn.ending, wish, now)
        return not turn.refused

    def take(self, output: Transcript, wish: Wish, now: float) -> None:
        turn = self._turns.get(output.item_id)
        if turn is None or turn.ending is not None:
            return
        match output:
            case m.TranscriptDelta():
                logprob = ev.LogProb(token=output.text, logprob=output.logprob, bytes=tuple(output.text.encode()))
                turn.logprobs.append(logprob)
                if wish.shown and not turn.refused:
                    one = (logprob,) if wish.logprobs else None
                    self._out.send(ev.TranscriptionDelta, **turn.place, delta=output.text, logprobs=one)
            case m.TranscriptDone() | m.TranscriptFailed():
                turn.ending = output
                if turn.entry is not None:
                    self._end(turn, output, wish, now)
            case _:
                assert_never(output)

    def _end(self, turn: _Turn, output: Ending, wish: Wish, now: float) -> None:
        del self._turns[turn.item_id]
        usage = _usage(turn, output)
        if turn.reserved is not None:
            self._quota.settle(turn.reserved, usage.total_tokens, now)
        shown = wish.shown and not turn.refused
        match output:
            case m.TranscriptDone():
                assert turn.entry is not None
                turn.entry.note_transcript(output.text)
                if shown:
                    turn.entry.change_part(0, transcript=output.text)
                    every = tuple(turn.logprobs) if wish.logprobs else None
                    self._out.send(ev.TranscriptionCompleted, **turn.place, transcript=output.text, usage=usage, logprobs=every)
            case m.TranscriptFailed():
                if shown:
                    self._tell_failure(turn, "server_error", "transcription_failed", output.message)
            case _:
                assert_never(output)

    def _tell_failure(self, turn: _Turn, kind: str, code: str, message: str) -> None:
        self._out.send(ev.TranscriptionFailed, **turn.place, error=ev.TranscriptionError(type=kind, code=code, message=message))


def _usage(turn: _Turn, output: Ending) -> ev.TranscriptionUsage:
    """Of what failed, nothing."""
    audio_in, text_out = (turn.audio_tokens, output.text_tokens) if isinstance(output, m.TranscriptDone) else (0, 0)
    return ev.TranscriptionUsage(
        total_tokens=audio_in + text_out, input_tokens=audio_in, output_tokens=text_out,
        input_token_details=ev.TranscriptionInputDetails(text_tokens=0, audio_tokens=audio_in),
    )  # fmt: skip
