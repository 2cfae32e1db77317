"""An ear of its own beside a model: what is transcribed is the ear's, what is answered is the model's."""

from collections import defaultdict
from functools import partial

from realtime_server.engine.contract import Model, ModelCommand
from realtime_server.engine.ears.hearing import Hearing
from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.turn import Turn
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.messages import (
    Commit,
    Forget,
    Hear,
    Listen,
    Output,
    TranscriptDelta,
    TranscriptDone,
    TranscriptFailed,
)

Told = list[tuple[str, Output]]


class Transcriber:
    """The turns of all sessions, heard by one ear."""

    def __init__(self, ear: WhisperEar) -> None:
        self._ear = ear
        self._sequences = Sequences(ear.run)
        self._turns: dict[tuple[str, str], Turn] = {}

    def run(self, session_id: str, command: ModelCommand) -> None:
        match command:
            case Listen():
                self._listen(session_id, command)
            case Hear() if turn := self._turns.get((session_id, command.item_id)):
                turn.waiting.append(command.samples)
            case Commit() if turn := self._turns.get((session_id, command.item_id)):
                turn.committed = True
            case Forget():
                self._sequences.drop(session_id, command.item_id)
            case _:
                # What is answered, and turns that are over: of no concern to an ear.
                pass

    def hold(self, session_id: str, held: bool) -> None:
        self._sequences.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._sequences.end(session_id)

    def step(self) -> Told | None:
        return self._sequences.step()

    def abandon(self) -> Told:
        return self._sequences.abandon()

    def _listen(self, session_id: str, command: Listen) -> None:
        key, outputs = (session_id, command.item_id), list[Output]()
        turn = Turn(live=command.live, keywords=Keywords.of(command.context.keywords, self._ear.vocabulary))
        self._turns[key] = turn

        def over() -> None:
            del self._turns[key]

        work = Work(self._hear(command.item_id, turn, outputs), outputs, partial(_failed, command.item_id), over)
        self._sequences.start(session_id, command.item_id, work)

    def _hear(self, item_id: str, turn: Turn, outputs: list[Output]) -> Body:
        def tell(text: str, logprob: float) -> None:
            outputs.append(TranscriptDelta(item_id, text, logprob))

        said = yield from Hearing(turn, self._ear, tell=tell).hear()
        if not turn.live:
            for text, logprob in self._ear.pieces(said):
                tell(text, logprob)
        outputs.append(TranscriptDone(item_id, said.text, len(said.tokens)))


def _failed(item_id: str, _: Exception) -> Output:
    return TranscriptFailed(item_id, "The ear failed to hear this turn.")


class TranscribedModel:
    """A model whose turns another ear transcribes; in all else it is the model."""

    def __init__(self, model: Model, ear: WhisperEar) -> None:
        self.name, self.abilities = model.name, model.abilities
        self._model, self._transcriber = model, Transcriber(ear)
        self._listened: defaultdict[str, set[str]] = defaultdict(set)
        """Of each session, the turns whose transcripts are the ear's."""

    def run(self, session_id: str, command: ModelCommand) -> None:
        if isinstance(command, Listen):
            self._listened[session_id].add(command.item_id)
        self._transcriber.run(session_id, command)
        self._model.run(session_id, command)

    def hold(self, session_id: str, held: bool) -> None:
        self._transcriber.hold(session_id, held)
        self._model.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._transcriber.end(session_id)
        self._model.end(session_id)
        self._listened.pop(session_id, None)

    def step(self) -> Told | None:
        heard, done = self._transcriber.step(), self._model.step()
        return None if heard is None and done is None else [*(heard or ()), *self._without_transcripts(done or [])]

    def abandon(self) -> Told:
        return [*self._transcriber.abandon(), *self._without_transcripts(self._model.abandon())]

    def _without_transcripts(self, told: Told) -> Told:
        return [(session_id, output) for session_id, output in told if not self._replaced(session_id, output)]

    def _replaced(self, session_id: str, output: Output) -> bool:
        if not isinstance(output, TranscriptDelta | TranscriptDone | TranscriptFailed):
            return False
        return output.item_id in self._listened.get(session_id, ())
