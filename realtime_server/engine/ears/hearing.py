"""The sequence of a user's turn: its sound is taken in as it comes, and what was said is written in its pauses.

Behind 200 ms of quiet a turn may be over: it is written there, and once it is complete that stands if nothing but quiet came
since, so that its transcript is there at once. A live turn is written while it is still being said, and the words that two
drafts in a row have in common are told (local agreement, Liu et al. 2020; Machacek et al. 2023). What was told stays: each
later draft begins with it. A turn longer than a window is settled piece by piece where a sentence was closed.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import torch

from realtime_server.engine.ears.features import FRAMES_PER_S
from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.transcribing import transcribe
from realtime_server.engine.ears.transcript import Gate, Transcript
from realtime_server.engine.ears.turn import BEFORE, GROWN, LONGEST, Draft, Speech, Turn
from realtime_server.engine.ears.vocabulary import Vocabulary
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.runtime.steps import Step, Stream

Speculate = Callable[[Transcript], Generator[Step | None, Any, None]]
"""What a family does with what was probably said, while the turn may go on: it stops by itself once that is over."""
Tell = Callable[[str, float], None]
"""(text, log-probability) of more words of a live turn."""


def nothing_more(_: Transcript) -> Generator[Step | None, Any, None]:
    return
    yield


def untold(_: str, __: float) -> None: ...


@dataclass
class Hearing:
    """How one turn is heard. `speculate` is run behind each pause's transcript, `tell` is given a live turn's words."""

    turn: Turn
    ear: WhisperEar
    speculate: Speculate = nothing_more
    tell: Tell = untold
    gate: Gate = Gate()

    def hear(self) -> Generator[Step | None, Any, Transcript]:
        """Once the turn is committed, what was said in it; no text where that was noise."""
        stream = Stream(self.ear.slots.take(), [])
        try:
            while True:
                self.turn.take()
                speech = self.turn.speech()
                if self.turn.mel.number - self.turn.begin >= LONGEST:
                    yield from self._settle(stream, speech)
                elif self.turn.committed and not self.turn.waiting:
                    return (yield from self._finish(stream, speech))
                elif speech.pauses and not self._held(speech):
                    yield from self._write_in_pause(stream, speech)
                elif self.turn.live and speech.loud and self._grown(speech):
                    yield from self._write(stream, speech)
                elif not self.turn.waiting:
                    yield None
        finally:
            self.ear.slots.give_back(stream.slot)

    def _held(self, speech: Speech) -> bool:
        return self.turn.draft is not None and self.turn.draft.holds(speech)

    def _grown(self, speech: Speech) -> bool:
        before = self.turn.draft.speech.heard if self.turn.draft else self.turn.begin
        return speech.heard - before >= GROWN

    def _write(self, stream: Stream, speech: Speech) -> Generator[Encode | Predict, Any, None]:
        """A draft of what is not settled; of a live turn the words that the draft before has too are told."""
        turn, before = self.turn, self.turn.draft
        written = yield from transcribe(turn.window(speech), stream, self.ear.vocabulary)
        if not turn.told and self.gate.shuts(written, speech.loud / FRAMES_PER_S):
            written = written.first(0, "")
        turn.draft = Draft(written, speech)
        if turn.live and before is not None and not turn.committed:
            self._tell(agreed(self.ear.vocabulary, before.transcript.tokens, written.tokens))

    def _write_in_pause(self, stream: Stream, speech: Speech) -> Generator[Step | None, Any, None]:
        """What follows from it has been thought about already where it is what was written before."""
        before = self.turn.draft
        yield from self._write(stream, speech)
        if self.turn.draft and (before is None or before.transcript.tokens != self.turn.draft.transcript.tokens):
            yield from self.speculate(self._whole())

    def _finish(self, stream: Stream, speech: Speech) -> Generator[Encode | Predict, Any, Transcript]:
        if speech.loud and not self._held(speech):
            yield from self._write(stream, speech)
        draft = self.turn.draft
        if draft is not None:
            self._tell(len(draft.transcript.tokens))
        return self._whole()

    def _settle(self, stream: Stream, speech: Speech) -> Generator[Encode | Predict, Any, None]:
        """Of a window that is full: up to the last sentence that was closed well before its end, or all of it."""
        turn = self.turn
        if not speech.loud:
            turn.settle(turn.mel.number - BEFORE)
            return
        yield from self._write(stream, speech)
        assert turn.draft is not None
        written, start = turn.draft.transcript, max(turn.begin, speech.first - BEFORE)
        closed = [s for s in written.sentences if s.tokens and start + s.seconds * FRAMES_PER_S < speech.end - FRAMES_PER_S]
        tokens = closed[-1].tokens if closed else len(written.tokens)
        self._tell(tokens)
        settled = written.first(tokens, self.ear.vocabulary.text(written.tokens[:tokens]).strip())
        turn.settle(start + round(closed[-1].seconds * FRAMES_PER_S) if closed else speech.heard, settled)

    def _tell(self, tokens: int) -> None:
        """Of the draft, up to so many tokens."""
        turn = self.turn
        assert turn.draft is not None
        if not turn.live or tokens <= turn.told:
            return
        said, vocabulary = turn.draft.transcript, self.ear.vocabulary
        first = not turn.told and not any(settled.tokens for settled in turn.settled)
        for begin, end in vocabulary.pieces(said.tokens[turn.told : tokens]):
            piece = vocabulary.text(said.tokens[turn.told + begin : turn.told + end])
            self.tell(piece.lstrip() if first and not begin else piece, sum(said.logprobs[turn.told + begin : turn.told + end]))
        turn.told = tokens

    def _whole(self) -> Transcript:
        """All that was settled, and the draft behind it."""
        parts = [*self.turn.settled, *([self.turn.draft.transcript] if self.turn.draft else [])]
        return joined(parts, self.ear) if len(parts) != 1 else parts[0]


def agreed(vocabulary: Vocabulary, before: tuple[int, ...], now: tuple[int, ...]) -> int:
    """How many tokens two drafts begin with in common, up to the last word that another follows in both."""
    common = next((n for n, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    begins = [n for n in range(1, common) if vocabulary.begins_word(now[n])]
    return begins[-1] if begins else 0


def joined(parts: list[Transcript], ear: WhisperEar) -> Transcript:
    """One behind the other; their sentences are told no more."""
    tokens = tuple(token for part in parts for token in part.tokens)
    empty = torch.zeros(0, 0)
    return Transcript(
        ear.vocabulary.text(tokens).strip(),
        tokens,
        tuple(logprob for part in parts for logprob in part.logprobs),
        torch.cat([part.likely for part in parts]) if parts else empty,
        torch.cat([part.probabilities for part in parts]) if parts else empty,
        min((part.no_speech for part in parts), default=1.0),
        torch.cat([part.states for part in parts]) if parts else empty,
    )
