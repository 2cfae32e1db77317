"""One client's session: gives each event to the part that it concerns. Time is an argument, in seconds of any one clock."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import assert_never

from realtime_server import messages as m
from realtime_server.protocol import client_events as cl
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import (
    RealtimeSession,
    TranscriptionSession,
    updated,
)
from realtime_server.session import validation
from realtime_server.session.barge_in import BargeIn
from realtime_server.session.context_changes import ContextChanges
from realtime_server.session.conversation import Conversation
from realtime_server.session.hearing import Hearing
from realtime_server.session.idleness import Idleness
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.item_events import ItemEvents
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Playout
from realtime_server.session.responses import Responses
from realtime_server.session.start import SessionStart
from realtime_server.session.user_turns import UserTurns


class Session:
    """receive, engine_output, shell_output, next_deadline, handle_deadline, events_to_send, commands_to_run, end: no more."""

    def __init__(self, start: SessionStart, limits: Limits = Limits(), randomness: random.Random | None = None) -> None:
        self._limits, self._judge = limits, start.judge
        self._out = Outbox(randomness or random.Random(random.SystemRandom().getrandbits(128)))
        session_id = self._out.new_id("sess")
        self._config: RealtimeSession | TranscriptionSession
        if start.transcription_only:
            self._config = TranscriptionSession(id=session_id, expires_at=start.expires_at)
        else:
            self._config = RealtimeSession(id=session_id, model=start.model, expires_at=start.expires_at)
        if start.initial is not None:
            self._config = updated(self._config, start.initial)
        if isinstance(self._config, RealtimeSession):
            self._config = self._config.at(start.temperature)
        changes = None if isinstance(self._config, TranscriptionSession) else ContextChanges(self._out)
        conversation = Conversation(self._out.new_id("conv"), limits, changes)
        self._input = InputAudio(self._out, limits, start.abilities.scores_turn_end)
        self._playout = Playout(self._out) if start.playback == "shell" else None
        self._responses = Responses(self._out, conversation, start, limits, self._playout)
        self._expiry = start.now + limits.session_s
        self._idleness = Idleness(self._playout)
        self._hearing = Hearing(self._out, conversation, self._input, start)
        self._items = ItemEvents(self._out, conversation, self._input, self._responses, limits)
        self._barge_in = BargeIn(self._out, conversation, self._responses, self._playout, self._idleness)
        self._turns = UserTurns(
            self._out, conversation, self._input, self._hearing, self._responses, self._barge_in, self._idleness
        )
        self._out.send(ev.SessionCreated, session=_shown(self._config))
        self._apply_config()

    # --- the eight calls ----------------------------------------------------------------------------------------------

    def receive(self, event: cl.AnyClientEvent, now: float) -> None:
        with self._boundary(event.event_id):
            self._receive(event, now)

    @contextmanager
    def _boundary(self, event_id: str | None = None) -> Iterator[None]:
        """Around whatever moves the session: what the client has no right to is told, whoever gave the occasion for it."""
        try:
            yield
        except ClientError as error:
            self.refuse(error, event_id)

    def refuse(self, error: ClientError, event_id: str | None = None) -> None:
        """Their fault, told in one place; also for text that was no event at all."""
        details = ev.ErrorDetails(type="invalid_request_error", code=error.code, message=error.message,
                                  param=error.param, event_id=event_id or error.event_id)  # fmt: skip
        self._out.send(ev.Error, error=details)

    def fail(self, message: str) -> None:
        """Our fault, and this session's end: an `error` event, then close 1011 (protocol 7.5)."""
        details = ev.ErrorDetails(type="server_error", code="internal_error", message=message, param=None, event_id=None)
        self._out.send(ev.Error, error=details)
        self._out.run(m.Disconnect(1011, "server_error.internal_error"))

    def engine_output(self, output: m.Output, now: float) -> None:
        with self._boundary():
            self._take(output, now)

    def _take(self, output: m.Output, now: float) -> None:
        match output:
            case m.SpeechProbability():
                self._turns.border(self._input.detected(output), self._config, now)
            case m.TurnEnd():
                self._turns.border(self._input.scored(output), self._config, now)
            case m.TranscriptDelta() | m.TranscriptDone() | m.TranscriptFailed():
                self._hearing.take(self._config, output, now)
            case m.SessionFailed():
                self.fail(output.message)
            case m.ResponseBegun():
                if isinstance(self._config, RealtimeSession):
                    self._responses.begin(self._config, output.response_id, now)
                    self._idleness.someone_speaks()
            case _:
                if (finished := self._responses.take(output, now)) is not None:
                    self._idleness.answered(finished)
                self._idleness.note_played(self._config.audio.input.turn_detection, now)

    def shell_output(self, output: m.ShellOutput, now: float) -> None:
        """From a shell that plays the answers itself, or that takes the user's sound in."""
        with self._boundary():
            match output:
                case m.Played():
                    if self._playout is not None:
                        self._playout.played(output)
                case m.Drained():
                    if self._playout is not None:
                        self._playout.drained()
                case m.UserAudio():
                    self._append(partial(self._input.append_samples, output.samples))
                case _:
                    assert_never(output)
            self._idleness.note_played(self._config.audio.input.turn_detection, now)

    def next_deadline(self) -> float | None:
        idle = self._idleness.deadline
        return self._expiry if idle is None else min(self._expiry, idle)

    def handle_deadline(self, now: float) -> None:
        with self._boundary():
            if self._idleness.over(now):
                self._turns.idle_timeout(self._config, now)
        if now >= self._expiry:
            minutes, seconds = divmod(self._limits.session_s, 60)
            longest = f"{self._limits.session_s} seconds" if seconds else f"{minutes} minutes"
            text = f"Your session hit the maximum duration of {longest}."
            self._expiry = float("inf")
            self.refuse(ClientError(text, "session_expired"))
            self._out.run(m.Disconnect(1001, "invalid_request_error.session_expired"))

    def end(self, now: float) -> None:
        """The client is gone: its key gets back what was reserved and not used. Nothing is to be sent or run any more."""
        self._responses.abandon(now)
        self._hearing.abandon(now)

    def events_to_send(self) -> list[ev.AnyServerEvent]:
        return self._out.take_events()

    def commands_to_run(self) -> list[m.Command]:
        return self._out.take_commands()

    @property
    def answering(self) -> bool:
        """Is a response running? A server that shuts down waits for it."""
        return self._responses.any_running

    @property
    def behind(self) -> bool:
        """Does the engine still have so much to hear that more should not be read from the client?"""
        most = self._limits.waiting_turns
        return self._hearing.waiting(most) >= most

    # --- client events ------------------------------------------------------------------------------------------------

    def _receive(self, event: cl.AnyClientEvent, now: float) -> None:
        match event:
            case cl.SessionUpdate():
                self._update(event)
            case cl.InputAudioBufferAppend() | cl.InputAudioBufferCommit() | cl.InputAudioBufferClear():
                self._receive_sound(event, now)
            case cl.OutputAudioBufferClear():
                self._barge_in.clear(now)
            case (
                cl.ConversationItemCreate()
                | cl.ConversationItemRetrieve()
                | cl.ConversationItemTruncate()
                | cl.ConversationItemDelete()
            ):
                self._items.receive(event, self._config.audio.input.format.type, now)
            case cl.ResponseCreate():
                self._create_response(event.response or cl.ResponseConfig(), now)
            case cl.ResponseCancel():
                self._responses.cancel(event.response_id, now)
            case _:
                assert_never(event)

    def _receive_sound(self, event: cl.InputAudioBufferEvent, now: float) -> None:
        match event:
            case cl.InputAudioBufferAppend():
                self._append(partial(self._input.append, event.audio))
            case cl.InputAudioBufferCommit():
                self._turns.commit_by_hand(self._config, self._limits.commit_ms, now)
            case cl.InputAudioBufferClear():
                if self._input.item_id:
                    self._hearing.forget(self._input.item_id)
                self._input.clear()
                self._out.send(ev.InputAudioBufferCleared)
            case _:
                assert_never(event)

    def _append(self, append: Callable[[], None]) -> None:
        self._hearing.open_stream(self._config)
        append()
        self._hearing.open_pushed(self._config)

    def _update(self, event: cl.SessionUpdate) -> None:
        config, before = updated(self._config, event.session), self._config
        if isinstance(config, RealtimeSession) and isinstance(before, RealtimeSession):
            self._check(config, before)
            config = config.at(event.temperature or before.temperature)
        self._config = config
        self._apply_config()
        self._out.send(ev.SessionUpdated, session=_shown(config))

    def _check(self, config: RealtimeSession, before: RealtimeSession) -> None:
        """What only the session's past, or its model, forbids."""
        voice, kept = config.audio.output.voice, before.audio.output.voice
        self._responses.check_voice(voice, kept, "session.audio.output.voice")
        validation.check_tools(config.tools, config.tool_choice, self._judge, self._limits, "session")
        if before.tracing is not None and config.tracing != before.tracing:
            raise ClientError("Tracing cannot be changed once it is on.", "invalid_value", "session.tracing")

    def _apply_config(self) -> None:
        audio = self._config.audio.input
        self._input.configure(audio.format.type, audio.turn_detection)
        self._idleness.configure(audio.turn_detection)

    def _create_response(self, override: cl.ResponseConfig, now: float) -> None:
        if not isinstance(self._config, RealtimeSession):
            raise ClientError("A transcription session creates no responses.", "invalid_value", "type")
        self._responses.create(self._config, override, now)
        self._idleness.someone_speaks()


def _shown(config: RealtimeSession | TranscriptionSession) -> RealtimeSession | TranscriptionSession:
    """As the wire has it."""
    return config.at(None) if isinstance(config, RealtimeSession) else config
