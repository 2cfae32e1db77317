"""A user's turn: how it is heard, and the answer that is begun in its pauses."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from realtime_server.engine.ears.hearing import Hearing
from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.ears.turn import Turn
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.families.starling.chat import likely_words
from realtime_server.engine.families.starling.thinker import Answer
from realtime_server.engine.runtime.resumed import Resumed
from realtime_server.engine.runtime.sequences import Body
from realtime_server.engine.runtime.steps import Step
from realtime_server.messages import Commit, Hear, Listen, Output, TranscriptDelta, TranscriptDone

GUESSED = 12
"""Tokens of an answer that are written before it is asked for: with those of its first words the voice can begin."""


@dataclass
class Guess:
    """An answer to what was probably said."""

    answer: Answer
    writing: Resumed[Any]


@dataclass
class HeardTurn:
    """`wanted`: a response waits for what was said."""

    listen: Listen
    sound: Turn = field(default_factory=Turn)
    transcript: Transcript | None = None
    guess: Guess | None = None
    over: bool = False
    wanted: bool = False

    @classmethod
    def begun(cls, listen: Listen, ear: WhisperEar) -> "HeardTurn":
        return cls(listen, Turn(live=listen.live, keywords=Keywords.of(likely_words(listen.context), ear.vocabulary)))

    def take(self, command: Hear | Commit) -> None:
        """What still comes of a turn that is over is for nobody."""
        if self.over:
            return
        if isinstance(command, Hear):
            self.sound.waiting.append(command.samples)
        else:
            self.sound.committed = True


def hear(turn: HeardTurn, ear: WhisperEar, guess: Callable[[Transcript], Guess | None], outputs: list[Output]) -> Body:
    """Tells what was said once it is complete, and of a live turn as it is said. `guess`: begins an answer to a text."""
    item_id = turn.listen.item_id

    def speculate(transcript: Transcript) -> Generator[Step | None, Any, None]:
        turn.guess = guess(transcript) if transcript.text and not turn.listen.live else None
        if turn.guess is not None:
            answer = turn.guess.answer
            yield from turn.guess.writing.run(lambda: answer.tokens >= GUESSED or turn.sound.committed)

    def tell(text: str, logprob: float) -> None:
        outputs.append(TranscriptDelta(item_id, text, logprob))

    turn.transcript = yield from Hearing(turn.sound, ear, speculate, tell).hear()
    if not turn.listen.live:
        for text, logprob in words(turn.transcript, ear):
            tell(text, logprob)
    outputs.append(TranscriptDone(item_id, turn.transcript.text, len(turn.transcript.tokens)))


def words(transcript: Transcript, ear: WhisperEar) -> Generator[tuple[str, float], None, None]:
    """Its pieces, each with its log-probability."""
    for begin, end in ear.vocabulary.pieces(transcript.tokens):
        text = ear.vocabulary.text(transcript.tokens[begin:end])
        yield (text if begin else text.lstrip()), sum(transcript.logprobs[begin:end])
