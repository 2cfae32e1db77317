"""One client's session: holds the parts and decides nothing twice. Time is an argument, in seconds of any one clock."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import client_events as cl
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import (
    RealtimeSession,
    SemanticVad,
    ServerVad,
    TranscriptionSession,
    updated,
)
from realtime_server.session import validation
from realtime_server.session.context_changes import ContextChanges
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry, Intake, with_audio
from realtime_server.session.hearing import Hearing
from realtime_server.session.idleness import Idleness
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Cut, Playout
from realtime_server.session.response import Response
from realtime_server.session.responses import Responses
from realtime_server.session.start import SessionStart
from realtime_server.session.states import TurnState
from realtime_server.turns.machine import TurnStarted, TurnStopped


class Session:
    """receive, engine_output, shell_output, next_deadline, handle_deadline, events_to_send, commands_to_run, end: no more."""

    def __init__(self, start: SessionStart, limits: Limits = Limits(), randomness: random.Random | None = None) -> None:
        self._limits, self._judge = limits, start.judge
        self._now = start.now
        self._out = Outbox(randomness or random.Random(random.SystemRandom().getrandbits(128)))
        session_id = self._out.new_id("sess")
        self._config: RealtimeSession | TranscriptionSession
        if start.transcription_only:
            self._config = TranscriptionSession(id=session_id, expires_at=start.expires_at)
        else:
            self._config = RealtimeSession(id=session_id, model=start.model, expires_at=start.expires_at)
        if start.initial is not None:
            self._config = updated(self._config, start.initial)
        changes = None if isinstance(self._config, TranscriptionSession) else ContextChanges(self._out)
        self._conversation = Conversation(self._out.new_id("conv"), limits, changes)
        self._input = InputAudio(self._out, limits, start.abilities.scores_turn_end)
        self._playout = Playout(self._out) if start.playback == "shell" else None
        self._unheard: Response | None = None
        """The newest that is done, and may still be playing."""
        self._responses = Responses(self._out, self._conversation, start, limits, self._playout)
        self._expiry = start.now + limits.session_s
        self._idleness = Idleness()
        self._hearing = Hearing(self._out, self._conversation, self._input, start)
        self._out.send(ev.SessionCreated, session=self._config)
        self._apply_config()

    # --- the eight calls ----------------------------------------------------------------------------------------------

    def receive(self, event: cl.AnyClientEvent, now: float) -> None:
        with self._boundary(now, event.event_id):
            self._receive(event)

    @contextmanager
    def _boundary(self, now: float, event_id: str | None = None) -> Iterator[None]:
        """Around whatever moves the session: what the client has no right to is told, whoever gave the occasion for it."""
        self._now = now
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
        with self._boundary(now):
            self._take(output, now)

    def _take(self, output: m.Output, now: float) -> None:
        match output:
            case m.SpeechProbability():
                self._border(self._input.detected(output))
            case m.TurnEnd():
                self._border(self._input.scored(output))
            case m.TranscriptDelta() | m.TranscriptDone() | m.TranscriptFailed():
                self._hearing.take(self._config, output, now)
            case m.SessionFailed():
                self.fail(output.message)
            case m.ResponseBegun():
                if isinstance(self._config, RealtimeSession):
                    self._responses.begin(self._config, output.response_id, now)
                    self._idleness.someone_speaks()
            case _:
                finished = self._responses.take(output, now)
                self._unheard = finished or self._unheard
                self._note_heard(now)

    def shell_output(self, output: m.ShellOutput, now: float) -> None:
        """From a shell that plays the answers itself, or that takes the user's sound in."""
        with self._boundary(now):
            match output:
                case m.Played():
                    if self._playout is not None:
                        self._playout.played(output)
                case m.Drained():
                    if self._playout is not None:
                        self._playout.drained()
                case m.UserAudio():
                    self._hearing.open_stream(self._config)
                    self._input.append_samples(output.samples)
                    self._hearing.open_pushed(self._config)
                case _:
                    assert_never(output)
            self._note_heard(now)

    def _note_heard(self, now: float) -> None:
        """An answer that is done is over when it has been heard: where the client plays, nobody knows but by its length."""
        finished = self._unheard
        if finished is not None and (self._playout is None or not self._playout.playing):
            left_s = finished.audio_s if self._playout is None else 0.0
            self._idleness.answered(finished, self._config.audio.input.turn_detection, left_s, now)
            self._unheard = None

    def next_deadline(self) -> float | None:
        idle = self._idleness.deadline
        return self._expiry if idle is None else min(self._expiry, idle)

    def handle_deadline(self, now: float) -> None:
        with self._boundary(now):
            if self._idleness.over(now):
                self._idle_timeout()
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

    def _receive(self, event: cl.AnyClientEvent) -> None:
        match event:
            case cl.SessionUpdate():
                self._update(event)
            case cl.InputAudioBufferAppend():
                self._hearing.open_stream(self._config)
                self._input.append(event.audio)
                self._hearing.open_pushed(self._config)
            case cl.InputAudioBufferCommit():
                self._commit_by_hand()
            case cl.InputAudioBufferClear():
                if self._input.item_id:
                    self._hearing.forget(self._input.item_id)
                self._input.clear()
                self._out.send(ev.InputAudioBufferCleared)
            case cl.OutputAudioBufferClear():
                # Where the client plays, or where nothing is playing, that is no error.
                for cut in self._stop_playing():
                    self._responses.cut_short(cut.entry, self._now)
                    self._cut_off(cut)
            case cl.ConversationItemCreate():
                self._create_item(event)
            case cl.ConversationItemRetrieve():
                entry = self._conversation.get(event.item_id, "retrieve")
                self._out.send(ev.ConversationItemRetrieved, item=with_audio(entry))
            case cl.ConversationItemTruncate():
                entry = self._conversation.truncate(event.item_id, event.content_index, event.audio_end_ms)
                self._responses.cut_short(entry, self._now)
                self._out.send(ev.ConversationItemTruncated, item_id=event.item_id, content_index=event.content_index,
                               audio_end_ms=event.audio_end_ms)  # fmt: skip
            case cl.ConversationItemDelete():
                self._conversation.delete(event.item_id)
                self._out.send(ev.ConversationItemDeleted, item_id=event.item_id)
            case cl.ResponseCreate():
                self._create_response(event.response or cl.ResponseConfig())
            case cl.ResponseCancel():
                self._responses.cancel(event.response_id, self._now)
            case _:
                assert_never(event)

    def _update(self, event: cl.SessionUpdate) -> None:
        config, before = updated(self._config, event.session), self._config
        if isinstance(config, RealtimeSession) and isinstance(before, RealtimeSession):
            self._check(config, before)
        self._config = config
        self._apply_config()
        self._out.send(ev.SessionUpdated, session=config)

    def _check(self, config: RealtimeSession, before: RealtimeSession) -> None:
        """What only the session's past, or its model, forbids."""
        voice, kept = config.audio.output.voice, before.audio.output.voice
        self._responses.check_voice(voice, kept, "session.audio.output.voice")
        validation.check_tools(config.tools, config.tool_choice, self._judge, self._limits, "session")
        if before.tracing is not None and config.tracing != before.tracing:
            raise ClientError("Tracing cannot be changed once it is on.", "invalid_value", "session.tracing")

    def _apply_config(self) -> None:
        heard = self._config.audio.input
        self._input.configure(heard.format.type, heard.turn_detection)
        self._idleness.configure(heard.turn_detection)

    def _create_item(self, event: cl.ConversationItemCreate) -> None:
        item = event.item
        if isinstance(item, wire.FunctionCallOutput) and not self._has_call(item.call_id):
            text = f"Tool call ID '{item.call_id}' not found in conversation."
            raise ClientError(text, "invalid_tool_call_id", "item.call_id")
        if item.id is not None and item.id == self._input.item_id:
            text = f"Error adding item: '{item.id}' is the turn that is being heard."
            raise ClientError(text, "item_create_duplicate_item_id", "item.id")
        entry = Intake(self._out, self._config.audio.input.format.type, self._limits).entry(item, "item")
        self._conversation.insert(entry, event.previous_item_id)
        self._announce(entry)

    def _announce(self, entry: Entry) -> None:
        previous = self._conversation.previous_id(entry)
        self._out.send(ev.ConversationItemAdded, previous_item_id=previous, item=entry.item)
        self._out.send(ev.ConversationItemDone, previous_item_id=previous, item=entry.item)

    def _has_call(self, call_id: str) -> bool:
        return any(isinstance(e.item, wire.FunctionCall) and e.item.call_id == call_id for e in self._conversation)

    # --- the user's audio ---------------------------------------------------------------------------------------------

    def _commit_by_hand(self) -> None:
        uncommitted_ms = self._input.uncommitted * 1000 / AUDIO_RATE_HZ
        if uncommitted_ms < self._limits.commit_ms:
            raise ClientError(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{self._limits.commit_ms}ms of audio, but buffer only has {uncommitted_ms:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        if self._input.turn is TurnState.IDLE:
            item_id = self._out.new_id("item")
            self._hearing.listen(self._config, item_id)
            self._input.open_spoken(item_id, self._input.start)
        self._commit(None)
        self._input.restart_detection()

    def _commit(self, end: int | None) -> None:
        """The buffer becomes a user item: committed, item.added, item.done (protocol 2.3)."""
        item_id = self._input.item_id
        recording = self._input.commit(end)
        if (old := self._conversation.make_room()) is not None:
            self._out.send(ev.ConversationItemDeleted, item_id=old.id)
        self._out.send(ev.InputAudioBufferCommitted, previous_item_id=self._conversation.last_id, item_id=item_id)
        item = wire.UserMessage(id=item_id, status="completed", content=(wire.InputAudio(),))
        entry = Entry(item, {0: recording})
        self._conversation.add(entry)
        self._announce(entry)
        self._hearing.commit(self._config, entry, self._now)

    def _border(self, border: TurnStarted | TurnStopped | None) -> None:
        detection = self._config.audio.input.turn_detection
        if border is None or detection is None:
            return
        match border:
            case TurnStarted():
                self._idleness.someone_speaks()
                item_id = self._input.item_id or self._out.new_id("item")
                ms = self._input.timeline.ms(border.sample)
                self._out.send(ev.SpeechStarted, audio_start_ms=ms, item_id=item_id)
                if detection.interrupt_response and self._hearing.by_turns:
                    self._interrupt()
                if self._input.item_id:
                    # A turn begun by hand, before a detector was asked for: it begins where the detector says.
                    self._hearing.forget(item_id)
                self._hearing.listen(self._config, item_id)
                self._input.open_spoken(item_id, border.sample)
            case TurnStopped():
                ms = self._input.timeline.ms(border.sample)
                self._out.send(ev.SpeechStopped, audio_end_ms=ms, item_id=self._input.item_id)
                self._commit(border.sample)
                self._answer_turn(detection)

    def _interrupt(self) -> None:
        """What runs in the conversation stops, and what plays on this side; what was heard of it by then is what was said."""
        cuts = self._stop_playing()
        self._responses.interrupt(self._now)
        for cut in cuts:
            self._cut_off(cut)

    def _stop_playing(self) -> list[Cut]:
        if self._playout is None:
            return []
        self._unheard = None
        return self._playout.stop()

    def _cut_off(self, cut: Cut) -> None:
        """The client may have deleted it, or it stands beside the conversation."""
        if self._conversation.holds(cut.entry):
            cut.entry.cut(0, cut.heard)
            ms = cut.heard * 1000 // AUDIO_RATE_HZ
            self._out.send(ev.ConversationItemTruncated, item_id=cut.entry.id, content_index=0, audio_end_ms=ms)

    def _answer_turn(self, detection: ServerVad | SemanticVad) -> None:
        if not self._hearing.by_turns or not detection.create_response or not isinstance(self._config, RealtimeSession):
            return
        if detection.interrupt_response:
            # Asked for while the user was speaking: what he said in the meantime comes first.
            self._interrupt()
        if self._responses.in_conversation is None:
            self._create_response(cl.ResponseConfig())

    def _create_response(self, override: cl.ResponseConfig) -> None:
        if not isinstance(self._config, RealtimeSession):
            raise ClientError("A transcription session creates no responses.", "invalid_value", "type")
        self._responses.create(self._config, override, self._now)
        self._idleness.someone_speaks()

    def _idle_timeout(self) -> None:
        detection = self._config.audio.input.turn_detection
        if detection is None or self._input.turn is not TurnState.IDLE or not self._hearing.by_turns:
            return
        item_id = self._out.new_id("item")
        timeline = self._input.timeline
        self._out.send(ev.TimeoutTriggered, audio_start_ms=timeline.ms(self._input.start),
                       audio_end_ms=timeline.ms(timeline.end), item_id=item_id)  # fmt: skip
        self._hearing.listen(self._config, item_id)
        self._input.open_spoken(item_id, self._input.start)
        self._commit(timeline.end)
        self._input.restart_detection()
        self._idleness.answer_silence()
        self._answer_turn(detection)
