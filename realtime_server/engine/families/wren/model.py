"""Wren as an engine's model: commands become sequences, and every step moves all of them that can move."""

from collections import deque
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from realtime_server.engine.contract import ModelCommand
from realtime_server.engine.families.wren import prompt, replies
from realtime_server.engine.families.wren.failures import REFUSALS, TurnLost, not_answered, not_transcribed
from realtime_server.engine.families.wren.grounds import grounds
from realtime_server.engine.families.wren.hearing import Intake
from realtime_server.engine.families.wren.instructions import DEFAULT_NAME
from realtime_server.engine.families.wren.policy import rules
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.policy.rules import Policy
from realtime_server.engine.families.wren.prompt import Bounds, keywords_from
from realtime_server.engine.families.wren.recordings import Recording, replay
from realtime_server.engine.families.wren.runner import Runner
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.sessions import Session, keys
from realtime_server.engine.families.wren.transcribing import TurnTooLong, hear
from realtime_server.engine.families.wren.turns import HeardTurn
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.runtime.cache import Slots
from realtime_server.engine.runtime.prefix import Prefixes
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import FRAME, Stream, Think, prefill
from realtime_server.engine.talker import voices
from realtime_server.engine.talker.reply import Reply
from realtime_server.engine.talker.speaking import speak
from realtime_server.engine.talker.voices import DEFAULT, Voices
from realtime_server.messages import (
    Abilities,
    Audio,
    Cancel,
    Commit,
    Context,
    Forget,
    Hear,
    Listen,
    Message,
    Output,
    Prompted,
    Respond,
)

LONGEST_CONTEXT = 2000
"""Positions: older items are left out of the prompt beyond it."""
HEARD = 8
"""Items that are heard for an answer where they came as sound: no older ones are shown to the model."""


class WrenModel:
    def __init__(
        self, name: str, net: Wren, codec: Codec, decoder: Decoder | None, script: Script, voiced: Voices, device: torch.device,
        known: WordList, policy: Policy = Policy(),
    ) -> None:  # fmt: skip
        self.name = name
        self.voices = voiced
        self.abilities = Abilities(voices.ids(voiced), "wren", scores_turn_end=True)
        self.runner = Runner(net, codec, decoder, device)
        self.script, self.known, self.policy = script, known, policy
        self.slots = Slots(self.runner.cache)
        self.prefixes = Prefixes(self.slots)
        self._sequences = Sequences(self.runner.run, REFUSALS)
        self._sessions: dict[str, Session] = {}

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: torch.device) -> "WrenModel":
        weights = load_file(folder / "model.safetensors")
        net, codec = Wren(WrenConfig(**config["net"])), Codec(**config["codec"])
        floats = {name: tensor.float() for name, tensor in weights.items()}
        # A model whose voices are the codec's own has none.
        decoder = Decoder(**config["decoder"]) if "decoder" in config else None
        for prefix, part in (("codec.", codec), ("decoder.", decoder)):
            if part is not None:
                part.load_state_dict({n.removeprefix(prefix): t for n, t in floats.items() if n.startswith(prefix)})
        net.load_state_dict({n: t for n, t in floats.items() if not n.startswith(("codec.", "decoder."))})
        # One step is too small for several threads to pay: they would only wait for one another.
        if device.type == "cpu":
            torch.set_num_threads(1)
        voiced = voices.read(folder / "voices.json", net.config.voices, decoder.timbres if decoder else ())
        known = WordList.read(folder / "words.txt")
        return cls(
            folder.name,
            net,
            codec,
            decoder,
            Script.load(folder / "tokenizer.json"),
            voiced,
            device,
            known,
            rules.read(config.get("policy", {})),
        )

    # --- the engine's side --------------------------------------------------------------------------------------------

    def run(self, session_id: str, command: ModelCommand) -> None:
        session = self._sessions.setdefault(session_id, Session(session_id))
        match command:
            case Listen():
                self._listen(session, command)
            case Hear() | Commit():
                self._go_on(session.turns.get(command.item_id), command)
            case Forget():
                self._sequences.drop(session_id, command.item_id)
            case Respond():
                self._respond(session, command)
            case Cancel():
                self._sequences.drop(session_id, command.response_id)
            case _:
                pass

    @staticmethod
    def _go_on(turn: HeardTurn | None, command: Hear | Commit) -> None:
        """A turn that could not be heard is over: what still comes of it is for nobody."""
        if turn is None or turn.over:
            return
        if isinstance(command, Hear):
            turn.intake.waiting.append(command.samples)
        else:
            turn.intake.committed = True

    def hold(self, session_id: str, held: bool) -> None:
        self._sequences.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._sequences.end(session_id)
        session = self._sessions.pop(session_id, None)
        for turn in session.turns.values() if session else ():
            self.slots.give_back(turn.stream.slot)
        self.prefixes.end(session_id)

    def step(self) -> list[tuple[str, Output]] | None:
        return self._sequences.step()

    def abandon(self) -> list[tuple[str, Output]]:
        return self._sequences.abandon()

    # --- turns --------------------------------------------------------------------------------------------------------

    def _listen(self, session: Session, command: Listen) -> None:
        ids = prompt.listening(self.script, command.context, session.transcripts, self._bounds)
        item_id = command.item_id
        before, session.newest = session.turns.get(session.newest), item_id
        if before is not None:
            self._release(session, before)
        stream, cached = self.prefixes.take(session.id, ids)
        likely = keywords_from(command.context.keywords)
        mark = session.recordings.mark()
        turn = session.turns[item_id] = HeardTurn(item_id, stream, ids, item_id, mark, command.live, likely, cached)
        outputs: list[Output] = []

        def heard() -> None:
            turn.over = True
            self._release(session, turn)

        work = Work(self._hear(session, turn, outputs), outputs, partial(not_transcribed, item_id), heard)
        self._sequences.start(session.id, item_id, work)

    def _hear(self, session: Session, turn: HeardTurn, outputs: list[Output]) -> Body:
        rejection = self.policy.answering.rejection
        try:
            yield from hear(turn, self.script, self.known, self.policy.transcribing, outputs)
        except TurnTooLong as error:
            # It cannot be answered; what comes after it can, and goes on as if it had said nothing.
            session.too_long[turn.key] = error
            session.note(turn)
            raise
        session.note(turn)
        if turn.heard and rejection and rejection.rejects(turn.heard.doubt):
            session.doubted.add(turn.key)

    def _release(self, session: Session, turn: HeardTurn) -> None:
        """Gives the turn's stream to the next, if it is free."""
        if session.done_with(turn):
            self.prefixes.keep(session.id, turn.stream)

    def _hear_unheard(self, session: Session, item: Any, keywords: tuple[str, ...], outputs: list[Output]) -> Body:
        """Audio that came as a finished item is heard now, before the answer."""
        for part in item.parts if isinstance(item, Message) else ():
            known = isinstance(part, Audio) and (part.key in session.transcripts or part.key in session.turns)
            if isinstance(part, Audio) and part.transcript is None and not known:
                stream, mark = Stream(self.slots.take(), []), session.recordings.mark()
                intake = Intake(waiting=deque([part.samples]), committed=True)
                turn = HeardTurn(
                    item.item_id, stream, self.script.system(DEFAULT_NAME), part.key, mark,
                    keywords=keywords_from(keywords), intake=intake,
                )  # fmt: skip
                try:
                    with suppress(TurnTooLong):
                        yield from self._hear(session, turn, outputs)
                finally:
                    self.slots.give_back(stream.slot)

    # --- responses ----------------------------------------------------------------------------------------------------

    @property
    def _bounds(self) -> Bounds:
        config = self.runner.net.config
        return Bounds(LONGEST_CONTEXT, config.context_tokens, config.choices_shown)

    def _respond(self, session: Session, request: Respond) -> None:
        context = prompt.unanswered(request.context)
        tools = context.tools if request.tool_choice != "none" else ()
        request = replace(request, context=replace(context, tools=tools))
        reply, used = Reply(limit=request.max_output_tokens), list[Stream]()

        def free() -> None:
            for stream in used:
                self.prefixes.keep(session.id, stream)

        body, failure = self._think(session, request, reply, used), partial(not_answered, request.response_id)
        self._sequences.start(session.id, request.response_id, Work(body, reply.outputs, failure, free))

    def _think(self, session: Session, request: Respond, reply: Reply, used: list[Stream]) -> Body:
        """`used`: the streams that are to be given back."""
        for item in request.context.items[-HEARD:]:
            yield from self._hear_unheard(session, item, request.context.keywords, reply.outputs)
        asked = prompt.asked(request.context)
        turn = next((session.turns[key] for key in keys(asked) if key in session.turns), None)
        if turn is not None:
            yield from self._transcribed(session, turn)
        for key in keys(asked):
            if key in session.too_long:
                raise session.too_long[key]
        if turn is not None and turn.heard is None:
            raise TurnLost("What is to be answered could not be heard.")
        recording = session.recording(asked)
        line, cached = yield from self._prompted(session, request.context, recording, used)
        text = [token > FRAME for token in used[-1].ids]
        reply.outputs.append(Prompted(request.response_id, sum(text) + line.unread, sum(text[:cached])))
        doubted = not session.doubted.isdisjoint(keys(asked))
        heard = recording or (turn.heard if turn else None)
        found = grounds(request.context, session.transcripts, heard, doubted, self.policy.answering)
        start_speaking = partial(self._speak, session, request, reply)
        yield from replies.think(request, line, self.script, reply, start_speaking, found)

    def _transcribed(self, session: Session, turn: HeardTurn) -> Body:
        """Waits until it is, or will never be."""
        turn.wanted = True
        try:
            while turn.heard is None and not turn.over:
                yield None
        finally:
            turn.wanted = False
            self._release(session, turn)

    def _prompted(
        self, session: Session, context: Context, recording: Recording | None, used: list[Stream]
    ) -> Generator[Think, Any, tuple[Drafted, int]]:
        """A stream that holds the context with what was heard of its newest item, and how much of that was not run again."""
        if recording is None:
            ids = prompt.to_answer(self.script, context, session.transcripts, self._bounds)
            stream, cached = self.prefixes.take(session.id, ids)
            used.append(stream)
            yield from prefill(stream, ids[cached:])
            return Drafted(stream), cached
        asked = prompt.asked(context)
        before = replace(context, items=tuple(item for item in context.items if item is not asked))
        ids = prompt.before_turn(self.script, before, session.transcripts, self._bounds)
        turn = session.turns.get(recording.key)
        if turn is not None and turn.heard is recording and ids == turn.context_ids:
            # It still stands there as it was heard.
            del session.turns[recording.key]
            used.append(turn.stream)
            return Drafted(turn.stream, turn.draft.reply, turn.unread), turn.cached
        stream, cached = self.prefixes.take(session.id, ids + recording.ids)
        used.append(stream)
        yield from replay(stream, ids, recording)
        return Drafted(stream), cached

    def _speak(self, session: Session, request: Respond, reply: Reply) -> None:
        speaker = self.runner.speaker
        slot, voice = speaker.slots.take(), self.voices.get(request.voice, self.voices[DEFAULT])
        body, failure = speak(request, slot, voice, speaker, reply, 0), partial(not_answered, request.response_id)
        work = Work(body, reply.outputs, failure, partial(speaker.slots.give_back, slot))
        self._sequences.start(session.id, request.response_id, work)
