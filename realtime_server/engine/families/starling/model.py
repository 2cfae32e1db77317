"""Starling as an engine's model: commands become sequences, and every step moves all of them that can move."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realtime_server.engine.contract import ModelCommand, ModelError
from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.families.starling.answering import answer
from realtime_server.engine.families.starling.chat import Unsupported, nothing_said
from realtime_server.engine.families.starling.expected import Reader, Said
from realtime_server.engine.families.starling.loading import load_ear, load_speaker, load_thinker
from realtime_server.engine.families.starling.thinker import Answer, Request, Thinker
from realtime_server.engine.families.starling.turns import Guess, HeardTurn, hear
from realtime_server.engine.grammar.calls import Allowed
from realtime_server.engine.runtime import isolation
from realtime_server.engine.runtime.resumed import Resumed
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.engine.runtime.truncation import ContextTooLong
from realtime_server.engine.talker import voices
from realtime_server.engine.talker.reply import Reply
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.speaking import speak
from realtime_server.engine.talker.steps import Speak
from realtime_server.engine.talker.voices import DEFAULT, Voices
from realtime_server.messages import (
    Abilities,
    Audio,
    Cancel,
    Commit,
    Context,
    ContextItem,
    Forget,
    Hear,
    Listen,
    Message,
    Output,
    Prompted,
    Respond,
    ResponseFailed,
    ResponseFinished,
    TranscriptFailed,
)

_NO_SOUND = np.zeros(0, np.int16)
MOST_THREADS = 1
"""Of one step on a CPU: more wait for one another."""
REMEMBERED_TURNS = 4096
"""Transcripts of a session; older ones are in what the session says of its items."""


class TurnLost(Exception):
    """A response waits for a turn that has failed."""


REFUSALS = (ContextTooLong, Unsupported, TurnLost)
"""Told to the client; no fault of ours that is worth a log line."""


@dataclass
class _SessionState:
    turns: dict[str, HeardTurn] = field(default_factory=dict)
    """Being heard, or heard and not yet answered, by their items' ids, which are the keys of their recordings too."""
    heard: dict[str, Said] = field(default_factory=dict)
    """What was said, by the keys of the recordings."""


class StarlingModel:
    def __init__(self, name: str, ear: WhisperEar, thinker: Thinker, speaker: Speaker, voiced: Voices) -> None:
        self.name, self.voices = name, voiced
        self.ear, self.thinker, self.speaker = ear, thinker, speaker
        self.reader = Reader(ear.vocabulary, thinker.chat.encode, thinker.lm.embed)
        self.abilities = Abilities(voices.ids(voiced), "json")
        self._sequences = Sequences(self._run, REFUSALS)
        self._sessions: dict[str, _SessionState] = {}

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: torch.device) -> "StarlingModel":
        if device.type == "cpu":
            torch.set_num_threads(min(MOST_THREADS, torch.get_num_threads()))
        if "from" not in config["thinker"]:
            raise ModelError(f"{folder.name} has no thinker of its own: name one with --thinker, a folder or a hub's name.")
        speaker, voiced = load_speaker(folder, config, device)
        return cls(folder.name, load_ear(folder, device), load_thinker(folder, config["thinker"], device), speaker, voiced)

    # --- the engine's side --------------------------------------------------------------------------------------------

    def run(self, session_id: str, command: ModelCommand) -> None:
        state = self._sessions.setdefault(session_id, _SessionState())
        match command:
            case Listen():
                self._listen(session_id, state, command)
            case Hear() | Commit():
                if command.item_id in state.turns:
                    state.turns[command.item_id].take(command)
            case Forget():
                self._sequences.drop(session_id, command.item_id)
            case Respond():
                self._respond(session_id, state, command)
            case Cancel():
                self._sequences.drop(session_id, command.response_id)

    def hold(self, session_id: str, held: bool) -> None:
        self._sequences.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._sequences.end(session_id)
        state = self._sessions.pop(session_id, None)
        for turn in state.turns.values() if state else ():
            self._take_back(session_id, turn)
        self.thinker.prefixes.end(session_id)

    def step(self) -> list[tuple[str, Output]] | None:
        return self._sequences.step()

    def abandon(self) -> list[tuple[str, Output]]:
        return self._sequences.abandon()

    @torch.inference_mode()
    def _run(self, steps: list[Any]) -> list[Any]:
        """What is heard comes first, then what is spoken: both are waited for; thinking is what both make room for."""
        numbered = dict(enumerate(steps))
        heard = {n: step for n, step in numbered.items() if isinstance(step, Encode | Predict)}
        spoken = {n: step for n, step in numbered.items() if isinstance(step, Speak)}
        rest = {n: step for n, step in numbered.items() if n not in heard and n not in spoken}
        groups = [*self.ear.groups(heard), (self.speaker.speak, spoken), *self.thinker.lm.groups(rest)]
        return isolation.run(groups, self.thinker.lm.device)

    # --- turns --------------------------------------------------------------------------------------------------------

    def _listen(self, session_id: str, state: _SessionState, command: Listen) -> None:
        for before in [turn for turn in state.turns.values() if turn.over and not turn.wanted]:
            self._release(session_id, state, before)
        turn = state.turns[command.item_id] = HeardTurn.begun(command, self.ear)
        outputs: list[Output] = []
        body = self._hear(session_id, state, turn, outputs)
        work = Work(body, outputs, partial(_not_transcribed, command.item_id), partial(self._heard, session_id, state, turn))
        self._sequences.start(session_id, command.item_id, work)

    def _hear(self, session_id: str, state: _SessionState, turn: HeardTurn, outputs: list[Output]) -> Body:
        yield from hear(turn, self.ear, partial(self._guess, session_id, state, turn), outputs)
        assert turn.transcript is not None
        self._remember(state, turn.listen.item_id, self.reader.read(turn.transcript))

    @staticmethod
    def _remember(state: _SessionState, key: str, said: Said) -> None:
        state.heard[key] = said
        while len(state.heard) > REMEMBERED_TURNS:
            del state.heard[next(iter(state.heard))]

    def _heard(self, session_id: str, state: _SessionState, turn: HeardTurn) -> None:
        """Its sequence is over: heard to the end, or dropped."""
        turn.over = True
        if turn.transcript is None and not turn.wanted:
            self._release(session_id, state, turn)

    def _guess(self, session_id: str, state: _SessionState, turn: HeardTurn, heard: Transcript) -> Guess | None:
        """An answer to what was probably said, as it would be asked for; None where the context does not allow one."""
        self._take_back(session_id, turn)
        context, item_id = turn.listen.context, turn.listen.item_id
        said = Message(item_id, "user", (Audio(_NO_SOUND, heard.text, item_id),))
        context = Context(context.instructions, context.tools, (*context.items, said), context.truncation, context.keywords)
        read = {**state.heard, item_id: self.reader.read(heard)}
        try:
            begun = self._begun(session_id, context, Request(Allowed.by("auto", context.tools)), read)
        except REFUSALS:
            return None
        return Guess(begun, Resumed(begun.write()))

    def _begun(self, session_id: str, context: Context, request: Request, heard: Mapping[str, Said]) -> Answer:
        prompt = self.thinker.chat.prompt(context, request.allowed.functions, heard)
        stream, cached = self.thinker.prefixes.take(session_id, prompt.ids)
        return Answer(self.thinker, request, prompt, stream, cached)

    def _take_back(self, session_id: str, turn: HeardTurn) -> None:
        """An answer that nobody will have; what its stream holds may be what the next one begins with."""
        if turn.guess is not None:
            self.thinker.prefixes.keep(session_id, turn.guess.answer.stream)
            turn.guess = None

    def _release(self, session_id: str, state: _SessionState, turn: HeardTurn) -> None:
        self._take_back(session_id, turn)
        state.turns.pop(turn.listen.item_id, None)

    # --- responses ----------------------------------------------------------------------------------------------------

    def _respond(self, session_id: str, state: _SessionState, request: Respond) -> None:
        reply = Reply(limit=request.max_output_tokens)
        used: list[Answer] = []

        def free() -> None:
            for written in used:
                self.thinker.prefixes.keep(session_id, written.stream)

        work = Work(
            self._think(session_id, state, request, reply, used),
            reply.outputs,
            partial(_not_answered, request.response_id),
            free,
        )
        self._sequences.start(session_id, request.response_id, work)

    def _think(self, session_id: str, state: _SessionState, request: Respond, reply: Reply, used: list[Answer]) -> Body:
        for item in request.context.items:
            yield from self._hear_unheard(session_id, state, item, request)
        turn = next((state.turns[key] for key in _recordings(request.context.items[-1:]) if key in state.turns), None)
        if turn is not None:
            yield from self._wait(session_id, state, turn)
        if nothing_said(request.context, state.heard):
            reply.outputs += [Prompted(request.response_id, 0, 0), ResponseFinished(request.response_id, "completed")]
            return
        wanted = Request(Allowed.by(request.tool_choice, request.context.tools), request.sampling, request.max_output_tokens)
        written, writing = self._taken(session_id, state, turn, request, wanted)
        used.append(written)
        reply.outputs.append(Prompted(request.response_id, len(written.prompt), written.cached))
        yield from answer(request, written, writing, reply, partial(self._start_speaking, session_id, request, reply))

    def _wait(self, session_id: str, state: _SessionState, turn: HeardTurn) -> Body:
        turn.wanted = True
        try:
            while turn.transcript is None and not turn.over:
                yield None
        finally:
            turn.wanted = False
            if turn.over and turn.transcript is None:
                self._release(session_id, state, turn)
        if turn.transcript is None:
            raise TurnLost("What is to be answered could not be heard.")

    def _taken(
        self, session_id: str, state: _SessionState, turn: HeardTurn | None, request: Respond, wanted: Request
    ) -> tuple[Answer, Resumed[Any]]:
        """The answer that was guessed, if it is the one that is asked for, or a new one."""
        guess = turn.guess if turn is not None else None
        if guess is not None and turn is not None:
            prompt = self.thinker.chat.prompt(request.context, wanted.allowed.functions, state.heard)
            if guess.answer.prompt == prompt.ids and guess.answer.request == wanted:
                turn.guess = None
                return guess.answer, guess.writing
            self._take_back(session_id, turn)
        begun = self._begun(session_id, request.context, wanted, state.heard)
        return begun, Resumed(begun.write())

    def _start_speaking(self, session_id: str, request: Respond, reply: Reply) -> None:
        slot, voice = self.speaker.slots.take(), self.voices.get(request.voice, self.voices[DEFAULT])
        body = speak(request, slot, voice, self.speaker, reply, 0)
        work = Work(
            body, reply.outputs, partial(_not_answered, request.response_id), partial(self.speaker.slots.give_back, slot)
        )
        self._sequences.start(session_id, request.response_id, work)

    def _hear_unheard(self, session_id: str, state: _SessionState, item: ContextItem, request: Respond) -> Body:
        """Audio that came as a finished item is heard now, before the answer."""
        for part in item.parts if isinstance(item, Message) else ():
            known = isinstance(part, Audio) and (part.key in state.heard or part.key in state.turns)
            if isinstance(part, Audio) and part.transcript is None and not known:
                turn = HeardTurn.begun(Listen(item.item_id, request.context), self.ear)
                turn.take(Hear(item.item_id, part.samples))
                turn.take(Commit(item.item_id))
                yield from hear(turn, self.ear, lambda _: None, [])
                assert turn.transcript is not None
                self._remember(state, part.key, self.reader.read(turn.transcript))


def _recordings(items: tuple[ContextItem, ...]) -> Iterator[str]:
    """The keys of what was said in them."""
    return (part.key for item in items if isinstance(item, Message) for part in item.parts if isinstance(part, Audio))


def _not_transcribed(item_id: str, error: Exception) -> TranscriptFailed:
    return TranscriptFailed(item_id, "The model failed to transcribe this turn.")


def _not_answered(response_id: str, error: Exception) -> ResponseFailed:
    match error:
        case ContextTooLong():
            return ResponseFailed(response_id, "context_length_exceeded", str(error))
        case Unsupported():
            return ResponseFailed(response_id, "unsupported_content_type", str(error))
        case TurnLost():
            return ResponseFailed(response_id, "server_error", str(error))
    return ResponseFailed(response_id, "server_error", "The model failed to answer.")
