"""Wren as an engine's model: commands become sequences, and every step moves all of them that can move."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from realtime_server.engine.contract import ModelCommand
from realtime_server.engine.families.wren import prompt, replies
from realtime_server.engine.families.wren.hearing import HeardTurn
from realtime_server.engine.families.wren.instructions import told
from realtime_server.engine.families.wren.items import message_text, parsed
from realtime_server.engine.families.wren.policy import rules
from realtime_server.engine.families.wren.policy.argument_grounding import Said, refers_back
from realtime_server.engine.families.wren.policy.fact_grounding import Facts
from realtime_server.engine.families.wren.policy.grounds import ArgumentGrounding
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.policy.rules import Policy
from realtime_server.engine.families.wren.prompt import Bounds, Unsupported, keywords_from, remembered
from realtime_server.engine.families.wren.recordings import Recordings, ids_of, replay
from realtime_server.engine.families.wren.runner import Runner
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.families.wren.transcribing import TurnTooLong, hear
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.runtime.cache import Slots
from realtime_server.engine.runtime.prefix import Prefixes
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import FRAME, Stream, Think, prefill
from realtime_server.engine.runtime.truncation import ContextTooLong
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
    Function,
    FunctionCall,
    Hear,
    Listen,
    Message,
    Output,
    Prompted,
    Respond,
    ResponseFailed,
    TranscriptFailed,
)

LONGEST_CONTEXT = 2000
"""Positions: older items are left out of the prompt beyond it."""
HEARD = 8
"""Items that are heard for an answer where they came as sound: no older ones are shown to the model."""
LATELY = 100
"""Items among which the last call of a function is looked for."""
REMEMBERED_TURNS = 4096
"""Transcripts of a session; older ones are in what the session says of its items, or are heard again."""


class TurnLost(Exception):
    """A response waits for a turn that has failed."""


REFUSALS = (ContextTooLong, TurnTooLong, Unsupported, TurnLost)
"""Told to the client; no fault of ours that is worth a log line."""


@dataclass
class _SessionState:
    turns: dict[str, HeardTurn] = field(default_factory=dict)
    """Being heard, or heard and not yet answered."""
    newest: str = ""
    transcripts: dict[str, str] = field(default_factory=dict)
    recordings: Recordings = field(default_factory=Recordings)
    too_long: dict[str, TurnTooLong] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    """Turns of which too little was understood to act on."""


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
        self._sessions: dict[str, _SessionState] = {}

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
        state = self._sessions.setdefault(session_id, _SessionState())
        match command:
            case Listen():
                self._listen(session_id, state, command)
            case Hear() | Commit():
                self._go_on(state.turns.get(command.item_id), command)
            case Forget():
                self._sequences.drop(session_id, command.item_id)
            case Respond():
                self._respond(session_id, state, command)
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
            turn.waiting.append(command.samples)
        else:
            turn.committed = True

    def hold(self, session_id: str, held: bool) -> None:
        self._sequences.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._sequences.end(session_id)
        state = self._sessions.pop(session_id, None)
        for turn in state.turns.values() if state else ():
            self.slots.give_back(turn.stream.slot)
        self.prefixes.end(session_id)

    def step(self) -> list[tuple[str, Output]] | None:
        return self._sequences.step()

    def abandon(self) -> list[tuple[str, Output]]:
        return self._sequences.abandon()

    # --- turns and responses ------------------------------------------------------------------------------------------

    @property
    def _bounds(self) -> Bounds:
        config = self.runner.net.config
        return Bounds(LONGEST_CONTEXT, config.context_tokens, config.choices_shown)

    def _listen(self, session_id: str, state: _SessionState, command: Listen) -> None:
        ids = prompt.listening(self.script, command.context, state.transcripts, self._bounds)
        item_id = command.item_id
        before = state.turns.get(state.newest)
        state.newest = item_id
        if before is not None:
            self._release(session_id, state, before)
        stream, cached = self.prefixes.take(session_id, ids)
        likely = keywords_from(command.context.keywords)
        turn = state.turns[item_id] = HeardTurn(
            item_id, stream, ids, item_id, state.recordings.mark(), command.live, likely, cached=cached
        )
        outputs: list[Output] = []
        work = Work(
            self._hear(state, turn, outputs),
            outputs,
            partial(_not_transcribed, item_id),
            lambda: self._heard(session_id, state, turn),
        )
        self._sequences.start(session_id, item_id, work)

    def _hear(self, state: _SessionState, turn: HeardTurn, outputs: list[Output]) -> Body:
        try:
            yield from hear(turn, self.script, self.known, self.policy.transcribing, outputs)
        except TurnTooLong as error:
            # It cannot be answered; what comes after it can, and goes on as if it had said nothing.
            state.too_long[turn.key] = error
            self._note(state, turn)
            raise
        self._note(state, turn)

    def _note(self, state: _SessionState, turn: HeardTurn) -> None:
        state.transcripts[turn.key] = turn.transcript or ""
        if turn.transcript is not None:
            state.recordings.keep(turn)
        while len(state.transcripts) > REMEMBERED_TURNS:
            forgotten = next(iter(state.transcripts))
            del state.transcripts[forgotten]
            state.doubted.discard(forgotten)
            state.too_long.pop(forgotten, None)
        if self._doubts(turn):
            state.doubted.add(turn.key)

    def _doubts(self, turn: HeardTurn, share: float = 1.0) -> bool:
        """Does it raise more than this share of the most doubt that it may?"""
        rule = self.policy.answering.rejection
        return rule is not None and rule.most_doubt is not None and turn.doubt > share * rule.most_doubt

    def _heard(self, session_id: str, state: _SessionState, turn: HeardTurn) -> None:
        """Its sequence is over: heard to the end, or dropped."""
        turn.over = True
        self._release(session_id, state, turn)

    def _release(self, session_id: str, state: _SessionState, turn: HeardTurn) -> None:
        """Gives the turn's stream to the next, unless it is still being heard or may still be answered."""
        answerable = turn.transcript is not None and (turn.wanted or state.newest == turn.key)
        if turn.over and not answerable and state.turns.pop(turn.key, None) is not None:
            self.prefixes.keep(session_id, turn.stream)

    def _respond(self, session_id: str, state: _SessionState, request: Respond) -> None:
        request = replace(request, context=prompt.unanswered(request.context))
        reply = Reply(limit=request.max_output_tokens)
        used: list[Stream] = []
        body = self._think(session_id, state, request, reply, used)

        def free() -> None:
            for stream in used:
                self.prefixes.keep(session_id, stream)

        work = Work(body, reply.outputs, partial(_not_answered, request.response_id), free)
        self._sequences.start(session_id, request.response_id, work)

    def _think(self, session_id: str, state: _SessionState, request: Respond, reply: Reply, used: list[Stream]) -> Body:
        for item in request.context.items[-HEARD:]:
            yield from self._hear_unheard(state, item, request.context.keywords, reply.outputs)
        last = prompt.asked(request.context)
        turn = next((state.turns[key] for key in _recordings(last) if key in state.turns), None)
        if turn is not None:
            yield from self._transcribed(session_id, state, turn)
        for key in _recordings(last):
            if key in state.too_long:
                raise state.too_long[key]
        if turn is not None and turn.transcript is None:
            raise TurnLost("What is to be answered could not be heard.")
        context = replace(request.context, tools=self._tools(request))
        recording = self._recording(state, last)
        if recording is None:
            ids = prompt.to_answer(self.script, context, state.transcripts, self._bounds)
            stream, cached = self.prefixes.take(session_id, ids)
            used.append(stream)
            yield from prefill(stream, ids[cached:])
            line = Drafted(stream)
        else:
            before = replace(context, items=tuple(item for item in context.items if item is not last))
            ids = prompt.before_turn(self.script, before, state.transcripts, self._bounds)
            line, cached = yield from self._behind(session_id, state, ids, recording, used)
        text = [token > FRAME for token in used[-1].ids]
        count = Prompted(request.response_id, sum(text) + line.unread, sum(text[:cached]))
        yield from self._write(session_id, request, line, reply, count, recording or turn)

    def _transcribed(self, session_id: str, state: _SessionState, turn: HeardTurn) -> Body:
        """Waits until it is, or will never be."""
        turn.wanted = True
        try:
            while turn.transcript is None and not turn.over:
                yield None
        finally:
            turn.wanted = False
            self._release(session_id, state, turn)

    def _behind(
        self, session_id: str, state: _SessionState, ids: list[int], turn: HeardTurn, used: list[Stream]
    ) -> Generator[Think, Any, tuple[Drafted, int]]:
        """A stream that holds these ids and the turn, heard, and how much of that need not be run again: the one in which it
        was heard, where it still stands there so."""
        if turn.key in state.turns and ids == turn.context_ids:
            del state.turns[turn.key]
            used.append(turn.stream)
            return Drafted(turn.stream, turn.reply, turn.unread), turn.cached
        stream, cached = self.prefixes.take(session_id, ids + ids_of(turn))
        used.append(stream)
        yield from replay(stream, ids, turn)
        return Drafted(stream), cached

    @staticmethod
    def _recording(state: _SessionState, item: Any) -> HeardTurn | None:
        """What was heard of an item that is a recording and nothing else."""
        parts = item.parts if isinstance(item, Message) else ()
        return state.recordings.get(parts[0].key) if len(parts) == 1 and isinstance(parts[0], Audio) else None

    @staticmethod
    def _tools(request: Respond) -> tuple[Function, ...]:
        return request.context.tools if request.tool_choice != "none" else ()

    def _write(
        self, session_id: str, request: Respond, line: Drafted, reply: Reply, count: Prompted, turn: HeardTurn | None
    ) -> Body:
        reply.outputs.append(count)

        def start_speaking() -> None:
            speaker = self.runner.speaker
            slot, voice = speaker.slots.take(), self.voices.get(request.voice, self.voices[DEFAULT])
            body = speak(request, slot, voice, speaker, reply, 0)
            failure = partial(_not_answered, request.response_id)
            work = Work(body, reply.outputs, failure, partial(speaker.slots.give_back, slot))
            self._sequences.start(session_id, request.response_id, work)

        last = prompt.asked(request.context)
        doubted = not self._sessions[session_id].doubted.isdisjoint(_recordings(last))
        asked = last if isinstance(last, Message) and last.role == "user" else None
        facts = self._facts(session_id, request.context, asked, turn) if asked else None
        # A long conversation is not read for what can call nothing.
        said = self._said(session_id, request.context, turn) if asked and self._tools(request) else None
        grounds = replies.Grounds(doubted, turn, facts, said, self.policy.answering)
        yield from replies.think(request, line, self.script, reply, start_speaking, grounds)

    def _facts(self, session_id: str, context: Context, asked: Message, turn: HeardTurn | None) -> Facts:
        """What a reply to the newest item may state, where a user said it."""
        said = plain(message_text(asked, self._sessions[session_id].transcripts))
        return Facts(
            dict(told(context).facts), said, turn.likeness if turn else None,
            self.policy.answering.fact_grounding, self.policy.answering.copying,
        )  # fmt: skip

    def _said(self, session_id: str, context: Context, turn: HeardTurn | None) -> Said:
        """What a call may be made of, where a user said the newest item."""
        transcripts = self._sessions[session_id].transcripts
        rule = self.policy.answering.argument_grounding or ArgumentGrounding()
        likeness = turn.likeness if turn and not self._doubts(turn, rule.trusted) else None
        calls = {item.name: item.arguments for item in context.items[-LATELY:] if isinstance(item, FunctionCall)}
        given = {name: parsed(arguments) for name, arguments in calls.items()}
        asked, text = prompt.asked(context), plain(remembered(context, transcripts))
        newest = plain(message_text(asked, transcripts)) if isinstance(asked, Message) else ""
        return Said(text, likeness, given, rule.misheard, baseless=prompt.alone(context) and refers_back(newest))

    def _hear_unheard(self, state: _SessionState, item: Any, keywords: tuple[str, ...], outputs: list[Output]) -> Body:
        """Audio that came as a finished item is heard now, before the answer."""
        for part in item.parts if isinstance(item, Message) else ():
            known = isinstance(part, Audio) and (part.key in state.transcripts or part.key in state.turns)
            if isinstance(part, Audio) and part.transcript is None and not known:
                slot = self.slots.take()
                likely = keywords_from(keywords)
                stream, mark = Stream(slot, []), state.recordings.mark()
                turn = HeardTurn(item.item_id, stream, self.script.system("Wren"), part.key, mark, keywords=likely)
                turn.waiting.append(part.samples)
                turn.committed = True
                try:
                    with suppress(TurnTooLong):
                        yield from self._hear(state, turn, outputs)
                finally:
                    self.slots.give_back(slot)


def _recordings(item: Any) -> Iterator[str]:
    """The keys of what was said in it."""
    return (part.key for part in item.parts if isinstance(part, Audio)) if isinstance(item, Message) else iter(())


def _not_transcribed(item_id: str, error: Exception) -> TranscriptFailed:
    told = isinstance(error, TurnTooLong | ContextTooLong)
    return TranscriptFailed(item_id, str(error) if told else "The model failed to transcribe this turn.")


def _not_answered(response_id: str, error: Exception) -> ResponseFailed:
    if isinstance(error, ContextTooLong | TurnTooLong):
        return ResponseFailed(response_id, "context_length_exceeded", str(error))
    if isinstance(error, Unsupported):
        return ResponseFailed(response_id, "unsupported_content_type", str(error))
    return ResponseFailed(response_id, "server_error", "The model failed to answer.")
