"""One client's session: holds the parts and decides nothing twice. Time is an argument, in seconds of any one clock."""

import random
from dataclasses import dataclass
from typing import Any, assert_never

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import client_events as cl
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import (
    CustomVoice,
    FunctionTool,
    NamedFunction,
    RealtimeSession,
    SemanticVad,
    ServerVad,
    TranscriptionSession,
    updated,
)
from realtime_server.session.conversation import Conversation, Entry, client_entry, with_audio
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.response import Response, ResponseSettings
from realtime_server.session.states import ResponseInput, ResponseState, TurnState
from realtime_server.turns.machine import TurnStarted, TurnStopped


@dataclass(frozen=True)
class Opening:
    """What the connection knows when a session begins; `expires_at` is unix time, `now` the session's own clock."""

    model: str
    transcription_only: bool
    expires_at: int
    now: float


class Session:
    """receive, engine_output, next_deadline, handle_deadline, events_to_send, commands_to_run: nothing else."""

    def __init__(self, opening: Opening, limits: Limits = Limits(), randomness: random.Random | None = None) -> None:
        self._limits = limits
        self._out = Outbox(randomness or random.Random(random.SystemRandom().getrandbits(128)))
        session_id = self._out.new_id("sess")
        self._config: RealtimeSession | TranscriptionSession
        if opening.transcription_only:
            self._config = TranscriptionSession(id=session_id, expires_at=opening.expires_at)
        else:
            self._config = RealtimeSession(id=session_id, model=opening.model, expires_at=opening.expires_at)
        self._conversation = Conversation(self._out.new_id("conv"), limits)
        self._input = InputAudio(self._out, limits)
        self._responses: dict[str, Response] = {}
        self._voice_locked = False
        self._expiry = opening.now + limits.session_s
        self._idle_at: float | None = None
        self._answered_idleness = False
        self._logprobs: dict[str, list[ev.LogProb]] = {}
        self._out.send(ev.SessionCreated, session=self._config)
        self._apply_config()

    # --- the six calls ------------------------------------------------------------------------------------------------

    def receive(self, event: cl.AnyClientEvent) -> None:
        try:
            self._receive(event)
        except ClientError as error:
            self.refuse(error, event.event_id)

    def refuse(self, error: ClientError, event_id: str | None = None) -> None:
        """Their fault, told in one place; also for text that was no event at all."""
        details = ev.ErrorDetails(type="invalid_request_error", code=error.code, message=error.message,
                                  param=error.param, event_id=event_id or error.event_id)  # fmt: skip
        self._out.send(ev.Error, error=details)

    def engine_output(self, output: m.Output, now: float) -> None:
        match output:
            case m.SpeechProbability():
                self._detected(output)
            case m.TranscriptDelta() | m.TranscriptDone() | m.TranscriptFailed():
                self._transcript(output)
            case (
                m.TextDelta() | m.AudioDelta() | m.CallStarted() | m.CallArgumentsDelta() | m.CallDone()
                | m.ResponseFinished() | m.ResponseFailed()
            ):  # fmt: skip
                # The one comparison at which late output of a closed response disappears.
                response = self._responses.get(output.response_id)
                if response is not None:
                    self._respond(response, output, now)
            case _:
                assert_never(output)

    def next_deadline(self) -> float | None:
        return self._expiry if self._idle_at is None else min(self._expiry, self._idle_at)

    def handle_deadline(self, now: float) -> None:
        if self._idle_at is not None and now >= self._idle_at:
            self._idle_at = None
            self._idle_timeout()
        if now >= self._expiry:
            minutes = self._limits.session_s // 60
            text = f"Your session hit the maximum duration of {minutes} minutes."
            self._expiry = float("inf")
            self.refuse(ClientError(text, "session_expired"))
            self._out.run(m.Disconnect(1001, "invalid_request_error.session_expired"))

    def events_to_send(self) -> list[ev.AnyServerEvent]:
        return self._out.take_events()

    def commands_to_run(self) -> list[m.Command]:
        return self._out.take_commands()

    @property
    def answering(self) -> bool:
        """Is a response running? A server that shuts down waits for it."""
        return bool(self._responses)

    # --- client events ------------------------------------------------------------------------------------------------

    def _receive(self, event: cl.AnyClientEvent) -> None:
        match event:
            case cl.SessionUpdate():
                self._update(event)
            case cl.InputAudioBufferAppend():
                self._input.append(event.audio)
                if self._input.opens_turn:
                    item_id = self._out.new_id("item")
                    self._listen(item_id)
                    self._input.open_pushed(item_id)
            case cl.InputAudioBufferCommit():
                self._commit_by_hand()
            case cl.InputAudioBufferClear():
                if self._input.item_id:
                    self._out.run(m.Forget(self._input.item_id))
                self._input.clear()
                self._out.send(ev.InputAudioBufferCleared)
            case cl.OutputAudioBufferClear():
                # Only WebRTC and SIP play on the server's side: here nothing is playing, and that is no error.
                pass
            case cl.ConversationItemCreate():
                self._create_item(event)
            case cl.ConversationItemRetrieve():
                entry = self._conversation.get(event.item_id, "retrieve")
                self._out.send(ev.ConversationItemRetrieved, item=with_audio(entry))
            case cl.ConversationItemTruncate():
                self._conversation.truncate(event.item_id, event.content_index, event.audio_end_ms)
                self._out.send(ev.ConversationItemTruncated, item_id=event.item_id, content_index=event.content_index,
                               audio_end_ms=event.audio_end_ms)  # fmt: skip
            case cl.ConversationItemDelete():
                self._conversation.delete(event.item_id)
                self._out.send(ev.ConversationItemDeleted, item_id=event.item_id)
            case cl.ResponseCreate():
                self._create_response(event.response or cl.ResponseConfig())
            case cl.ResponseCancel():
                self._cancel(event.response_id)
            case _:
                assert_never(event)

    def _update(self, event: cl.SessionUpdate) -> None:
        config = updated(self._config, event.session)
        if (
            self._voice_locked
            and isinstance(config, RealtimeSession)
            and isinstance(self._config, RealtimeSession)
            and config.audio.output.voice != self._config.audio.output.voice
        ):
            raise ClientError(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice", "session.audio.output.voice",
            )  # fmt: skip
        self._config = config
        self._apply_config()
        self._out.send(ev.SessionUpdated, session=config)

    def _apply_config(self) -> None:
        heard = self._config.audio.input
        self._input.configure(heard.format.type, heard.turn_detection)
        if self._idle_ms() is None:
            self._idle_at = None

    def _create_item(self, event: cl.ConversationItemCreate) -> None:
        item = event.item
        if isinstance(item, wire.FunctionCallOutput) and not self._has_call(item.call_id):
            text = f"Tool call ID '{item.call_id}' not found in conversation."
            raise ClientError(text, "invalid_tool_call_id", "item.call_id")
        item_id = item.id or self._out.new_id("item")
        input_format = self._config.audio.input.format.type
        entry = client_entry(item, item_id, input_format, self._limits.append_bytes)
        self._conversation.insert(entry, event.previous_item_id)
        self._announce(entry)

    def _announce(self, entry: Entry) -> None:
        previous = self._conversation.previous_id(entry)
        self._out.send(ev.ConversationItemAdded, previous_item_id=previous, item=entry.item)
        self._out.send(ev.ConversationItemDone, previous_item_id=previous, item=entry.item)

    def _has_call(self, call_id: str) -> bool:
        return any(isinstance(e.item, wire.FunctionCall) and e.item.call_id == call_id for e in self._conversation)

    def _cancel(self, response_id: str | None) -> None:
        response = self._responses.get(response_id) if response_id else self._default_response()
        if response is None:
            raise ClientError("Cancellation failed: no active response found", "response_cancel_not_active", "response_id")
        self._stop(response, "client_cancelled")

    # --- the user's audio ---------------------------------------------------------------------------------------------

    def _listen(self, item_id: str) -> None:
        self._out.run(m.Listen(item_id, self._context(None)))

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
            self._listen(item_id)
            self._input.open_spoken(item_id, self._input.start)
        self._commit(None)
        self._input.restart_detection()

    def _commit(self, end: int | None) -> None:
        """The buffer becomes a user item: committed, item.added, item.done (protocol 2.3)."""
        item_id = self._input.item_id
        recording = self._input.commit(end)
        self._out.send(ev.InputAudioBufferCommitted, previous_item_id=self._conversation.last_id, item_id=item_id)
        item = wire.UserMessage(id=item_id, status="completed", content=(wire.InputAudio(),))
        entry = Entry(item, recording)
        self._conversation.insert(entry, None)
        self._announce(entry)
        self._out.run(m.Commit(item_id))

    def _detected(self, message: m.SpeechProbability) -> None:
        border = self._input.detected(message)
        detection = self._config.audio.input.turn_detection
        if border is None or detection is None:
            return
        match border:
            case TurnStarted():
                self._idle_at = None
                item_id = self._input.item_id or self._out.new_id("item")
                ms = self._input.timeline.ms(border.sample)
                self._out.send(ev.SpeechStarted, audio_start_ms=ms, item_id=item_id)
                if detection.interrupt_response and (running := self._default_response()) is not None:
                    self._stop(running, "turn_detected")
                if self._input.item_id:
                    # A turn begun by hand, before a detector was asked for: it begins where the detector says.
                    self._out.run(m.Forget(item_id))
                self._listen(item_id)
                self._input.open_spoken(item_id, border.sample)
            case TurnStopped():
                ms = self._input.timeline.ms(border.sample)
                self._out.send(ev.SpeechStopped, audio_end_ms=ms, item_id=self._input.item_id)
                self._commit(border.sample)
                self._answer_turn(detection)

    def _answer_turn(self, detection: ServerVad | SemanticVad) -> None:
        if not detection.create_response or not isinstance(self._config, RealtimeSession):
            return
        running = self._default_response()
        if running is not None and detection.interrupt_response:
            # Asked for while the user was speaking: what he said in the meantime comes first.
            self._stop(running, "turn_detected")
            running = None
        if running is None:
            self._create_response(cl.ResponseConfig())

    def _transcript(self, output: m.TranscriptDelta | m.TranscriptDone | m.TranscriptFailed) -> None:
        shown = self._config.audio.input.transcription is not None
        place = {"item_id": output.item_id, "content_index": 0}
        entry = self._conversation.find(output.item_id)
        with_logprobs = self._config.include is not None
        match output:
            case m.TranscriptDelta():
                logprob = _logprob(output)
                self._logprobs.setdefault(output.item_id, []).append(logprob)
                if shown:
                    one = (logprob,) if with_logprobs else None
                    self._out.send(ev.TranscriptionDelta, **place, delta=output.text, logprobs=one)
            case m.TranscriptDone():
                if entry is not None:
                    self._keep_transcript(entry, output.text, shown)
                every = tuple(self._logprobs.pop(output.item_id, ()))
                if shown:
                    seconds = entry.recording.length / AUDIO_RATE_HZ if entry and entry.recording else 0.0
                    usage = _transcription_usage(seconds, output.text_tokens)
                    logprobs = every if with_logprobs else None
                    self._out.send(ev.TranscriptionCompleted, **place, transcript=output.text, usage=usage, logprobs=logprobs)
            case m.TranscriptFailed():
                self._logprobs.pop(output.item_id, None)
                if shown:
                    error = ev.TranscriptionError(type="server_error", code="transcription_failed", message=output.message)
                    self._out.send(ev.TranscriptionFailed, **place, error=error)
            case _:
                assert_never(output)

    @staticmethod
    def _keep_transcript(entry: Entry, text: str, shown: bool) -> None:
        entry.heard = text
        if shown and isinstance(entry.item, wire.UserMessage):
            parts = [
                p.model_copy(update={"transcript": text}) if isinstance(p, wire.InputAudio) else p for p in entry.item.content
            ]
            entry.item = entry.item.model_copy(update={"content": tuple(parts)})

    # --- responses ----------------------------------------------------------------------------------------------------

    def _default_response(self) -> Response | None:
        return next((r for r in self._responses.values() if r.in_conversation), None)

    def _create_response(self, override: cl.ResponseConfig) -> None:
        config = self._config
        if not isinstance(config, RealtimeSession):
            raise ClientError("A transcription session creates no responses.", "invalid_value", "type")
        outside = override.conversation == "none"
        running = self._default_response()
        if running is not None and not outside:
            raise ClientError(
                f"Conversation already has an active response in progress: {running.id}. Wait until the response is "
                "finished before creating a new one.", "conversation_already_has_active_response",
            )  # fmt: skip
        if len(self._responses) >= self._limits.parallel_responses:
            raise ClientError("Too many responses are running.", "rate_limit_exceeded", "response")
        context = self._context(override)
        output = override.audio.output if override.audio else None
        audio_s = sum(
            len(p.samples) / AUDIO_RATE_HZ
            for i in context.items if isinstance(i, m.Message) for p in i.parts if isinstance(p, m.Audio)
        )  # fmt: skip
        settings = ResponseSettings(
            modality=(override.output_modalities or config.output_modalities)[0],
            voice=output.voice if output and output.voice else config.audio.output.voice,
            format=output.format if output and output.format else config.audio.output.format,
            max_output_tokens=override.max_output_tokens or config.max_output_tokens,
            metadata=override.metadata,
        )
        if self._voice_locked and settings.modality == "audio" and settings.voice != config.audio.output.voice and not outside:
            raise ClientError(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice", "response.audio.output.voice",
            )  # fmt: skip
        self._idle_at = None
        response = Response(self._out, None if outside else self._conversation, settings, audio_s)
        self._responses[response.id] = response
        choice = override.tool_choice or config.tool_choice
        limit = settings.max_output_tokens
        self._out.run(m.Respond(
            response.id, context, settings.modality == "audio",
            settings.voice.id if isinstance(settings.voice, CustomVoice) else settings.voice,
            choice if isinstance(choice, str) else f"function:{choice.name}" if isinstance(choice, NamedFunction) else "auto",
            None if limit == "inf" else limit,
            config.audio.output.speed,
        ))  # fmt: skip

    def _context(self, override: cl.ResponseConfig | None) -> m.Context:
        """What the engine is to know: session and conversation, or what this response says instead."""
        config = self._config
        if not isinstance(config, RealtimeSession):
            return m.Context("", (), ())
        override = override or cl.ResponseConfig()
        tools = config.tools if override.tools is None else override.tools
        entries = (
            self._conversation if override.input is None else [self._input_entry(n, i) for n, i in enumerate(override.input)]
        )
        items = [item for entry in entries if (item := entry.context_item()) is not None]
        functions = tuple(m.Function(t.name, t.description or "", t.parameters) for t in tools if isinstance(t, FunctionTool))
        instructions = config.instructions if override.instructions is None else override.instructions
        return m.Context(instructions, functions, tuple(items), _truncation(config))

    def _input_entry(self, index: int, item: Any) -> Entry:
        if isinstance(item, wire.ItemReference):
            entry = self._conversation.find(item.id)
            if entry is None:
                message = f"Item with id '{item.id}' does not exist."
                raise ClientError(message, "invalid_value", f"response.input[{index}].id")
            return entry
        item_id = item.id or self._out.new_id("item")
        return client_entry(item, item_id, self._config.audio.input.format.type, self._limits.append_bytes)

    def _respond(self, response: Response, output: Any, now: float) -> None:
        match output:
            case m.TextDelta():
                response.text(output.text)
            case m.AudioDelta():
                self._voice_locked = self._voice_locked or response.in_conversation
                response.audio(output.samples, output.characters)
            case m.CallStarted():
                response.start_call(output.name)
            case m.CallArgumentsDelta():
                response.call_arguments(output.text)
            case m.CallDone():
                response.end_call()
            case m.ResponseFinished():
                by = ResponseInput.FINISH if output.reason == "completed" else ResponseInput.RUN_OUT
                reason: Any = None if output.reason == "completed" else output.reason
                self._close(response, by, reason, tokens=output.tokens)
                self._arm_idle(response, now)
            case m.ResponseFailed():
                error = ev.ResponseError(type="server_error", code=output.code, message=output.message)
                self._close(response, ResponseInput.FAIL, None, error=error)

    def _stop(self, response: Response, reason: ev.StatusReason) -> None:
        self._out.run(m.Cancel(response.id))
        self._close(response, ResponseInput.CANCEL, reason)

    def _close(self, response: Response, by: ResponseInput, reason: ev.StatusReason | None, **details: Any) -> None:
        del self._responses[response.id]
        response.close(by, reason, **details)

    # --- idle timeout -------------------------------------------------------------------------------------------------

    def _idle_ms(self) -> int | None:
        detection = self._config.audio.input.turn_detection
        return detection.idle_timeout_ms if isinstance(detection, ServerVad) else None

    def _arm_idle(self, response: Response, now: float) -> None:
        """From the end of the answer's sound at the client; a timeout's own answer does not arm it again (protocol 2.15)."""
        idle_ms = self._idle_ms()
        if idle_ms is not None and response.in_conversation and response.state is ResponseState.COMPLETED:
            if not self._answered_idleness:
                self._idle_at = now + response.audio_samples / AUDIO_RATE_HZ + idle_ms / 1000
            self._answered_idleness = False

    def _idle_timeout(self) -> None:
        detection = self._config.audio.input.turn_detection
        if detection is None or self._input.turn is not TurnState.IDLE:
            return
        item_id = self._out.new_id("item")
        timeline = self._input.timeline
        self._out.send(ev.TimeoutTriggered, audio_start_ms=timeline.ms(self._input.start),
                       audio_end_ms=timeline.ms(timeline.end), item_id=item_id)  # fmt: skip
        self._listen(item_id)
        self._input.open_spoken(item_id, self._input.start)
        self._commit(None)
        self._input.restart_detection()
        self._answered_idleness = True
        self._answer_turn(detection)


def _truncation(config: RealtimeSession) -> m.Truncation:
    match config.truncation:
        case "auto":
            return m.Truncation()
        case "disabled":
            return m.Truncation(allowed=False)
        case ratio:
            limits = ratio.token_limits
            return m.Truncation(True, ratio.retention_ratio, limits.post_instructions if limits else None)


def _logprob(delta: m.TranscriptDelta) -> ev.LogProb:
    return ev.LogProb(token=delta.text, logprob=delta.logprob, bytes=tuple(delta.text.encode()))


def _transcription_usage(seconds: float, text_tokens: int) -> ev.TranscriptionUsage:
    heard = round(seconds * 10)
    return ev.TranscriptionUsage(
        total_tokens=heard + text_tokens, input_tokens=heard,
        input_token_details=ev.TranscriptionInputDetails(text_tokens=0, audio_tokens=heard), output_tokens=text_tokens,
    )  # fmt: skip
