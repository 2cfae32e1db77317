"""The responses that run: when one may begin, what it asks of the engine, and what ends it (protocol 2.2, 2.6, 2.10, 2.17)."""

from collections.abc import Iterable
from typing import Any

from realtime_server import messages as m
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.client_events import ResponseConfig
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import CustomVoice, RealtimeSession
from realtime_server.session import response_request, validation
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry, Intake
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Playout
from realtime_server.session.quota import Exhausted
from realtime_server.session.response import Response, ResponseSettings
from realtime_server.session.start import SessionStart
from realtime_server.session.states import ResponseInput

CLIENTS_FAULTS = ("context_length_exceeded", "unsupported_content_type")
"""Codes of responses that failed for what they were asked."""


class Responses:
    """At most one of them in the conversation, others beside it (`conversation: "none"`)."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation, start: SessionStart, limits: Limits, playout: Playout | None = None
    ) -> None:
        self._out, self._conversation, self._limits, self._playout = outbox, conversation, limits, playout
        self._abilities, self._judge, self._quota = start.abilities, start.judge, start.quota
        self._running: dict[str, Response] = {}
        self._voice_locked = False
        self._cut_short: str | None = None
        """The response that a truncation ended, while a cancellation of it may still be on its way."""

    @property
    def any_running(self) -> bool:
        return bool(self._running)

    @property
    def in_conversation(self) -> Response | None:
        return next((r for r in self._running.values() if r.in_conversation), None)

    def create(self, config: RealtimeSession, override: ResponseConfig, now: float) -> None:
        outside = override.conversation == "none"
        asked = self._asked(config, override, outside)
        entries = self._entries(config, override)
        context = response_request.context(config, override, self._named(entries), self._judge)
        where, input_audio_s = None if outside else self._conversation, response_request.input_audio_s(entries)
        response = Response(self._out, where, asked, input_audio_s, playout=self._playout)
        if self._start(response, now):
            self._conversation.tell_changes()
            self._out.run(response_request.command(response.id, config, override, asked, context))

    def begin(self, config: RealtimeSession, key: str, now: float) -> None:
        """A full-duplex model speaks by itself, and whatever it said before is over with that."""
        self.interrupt(now)
        asked = response_request.settings(config, response_request.NO_OVERRIDES)
        if not self._start(Response(self._out, self._conversation, asked, 0.0, key, self._playout), now):
            self._out.run(m.Cancel(key))

    def _start(self, response: Response, now: float) -> bool:
        """False: nothing is left for it, which the client is told."""
        self._running[response.key] = response
        self._cut_short = None if response.in_conversation else self._cut_short
        most = response.settings.max_output_tokens
        try:
            response.reserved_tokens = self._quota.reserve(self._limits.reserved_tokens if most == "inf" else most, now)
        except Exhausted as exhausted:
            self._tell_limits(now)
            error = ev.ResponseError(type="invalid_request_error", code="rate_limit_exceeded", message=str(exhausted))
            self._close(response, ResponseInput.FAIL, None, now, error=error)
            return False
        self._tell_limits(now)
        return True

    def cancel(self, response_id: str | None, now: float) -> None:
        running = (r for r in self._running.values() if r.id == response_id)
        response = next(running, None) if response_id else self.in_conversation
        if response is None and self._cut_short is not None and response_id in (None, self._cut_short):
            self._cut_short = None
            return
        if response is None:
            raise ClientError(
                "Cancellation failed: no active response found",
                "response_cancel_not_active",
                "response_id" if response_id else None,
            )
        self._stop(response, "client_cancelled", now)

    def cut_short(self, entry: Entry, now: float) -> None:
        """The client has truncated this item: where it is still being made, no more of it is wanted, nor of its response."""
        response = next((r for r in self._running.values() if r.is_making(entry)), None)
        if response is not None:
            self._stop(response, "client_cancelled", now)
            # Agents SDKs truncate first and cancel second: that is one wish, told twice.
            self._cut_short = response.id

    def interrupt(self, now: float) -> None:
        """The user speaks, or has spoken: what runs in the conversation stops."""
        if (running := self.in_conversation) is not None:
            self._stop(running, "turn_detected", now)

    def take(self, output: m.ResponseOutput, now: float) -> Response | None:
        """What the engine made of one of them; the response that it finished."""
        # The one comparison at which late output of a closed response disappears.
        response = self._running.get(output.response_id)
        if response is None:
            return None
        match output:
            case m.ResponseFinished():
                by = ResponseInput.FINISH if output.reason == "completed" else ResponseInput.RUN_OUT
                self._close(response, by, None if output.reason == "completed" else output.reason, now)
                return response
            case m.ResponseFailed():
                kind = "invalid_request_error" if output.code in CLIENTS_FAULTS else "server_error"
                error = ev.ResponseError(type=kind, code=output.code, message=output.message)
                self._close(response, ResponseInput.FAIL, None, now, error=error)
            case _:
                response.take(output)
                self._voice_locked = self._voice_locked or (response.in_conversation and response.audio_s > 0)
        return None

    def check_voice(self, voice: str | CustomVoice, kept: str | CustomVoice, param: str) -> None:
        """ClientError for another voice than `kept` once the conversation has sound in it, and for one that is not there."""
        if self._voice_locked and voice != kept:
            text = "Cannot update a conversation's voice if assistant audio is present."
            raise ClientError(text, "cannot_update_voice", param)
        validation.check_voice(voice, self._abilities, param)

    def _asked(self, config: RealtimeSession, override: ResponseConfig, outside: bool) -> ResponseSettings:
        """ClientError, unless it may begin."""
        running = self.in_conversation
        if running is not None and not outside:
            raise ClientError(
                f"Conversation already has an active response in progress: {running.id}. Wait until the response is "
                "finished before creating a new one.", "conversation_already_has_active_response",
            )  # fmt: skip
        if outside and len(self._running) >= self._limits.parallel_responses:
            raise ClientError("Too many responses are running.", "rate_limit_exceeded", "response")
        asked = response_request.settings(config, override)
        sounds = asked.modality == "audio" and not outside
        self.check_voice(asked.voice, config.audio.output.voice if sounds else asked.voice, "response.audio.output.voice")
        if override.tools is not None or override.tool_choice is not None:
            # The session's own were judged when they were set, and a turn's answer should not wait for that again.
            tools = config.tools if override.tools is None else override.tools
            validation.check_tools(tools, override.tool_choice or config.tool_choice, self._judge, self._limits, "response")
        return asked

    def _entries(self, config: RealtimeSession, override: ResponseConfig) -> Iterable[Entry]:
        """The conversation, or what this response has instead."""
        if override.input is None:
            return self._conversation
        if len(override.input) > self._limits.items:
            message = f"Invalid 'response.input': more than {self._limits.items} items."
            raise ClientError(message, "array_above_max_length", "response.input")
        intake = Intake(self._out, config.audio.input.format.type, self._limits)
        return [self._input_entry(intake, item, f"response.input[{index}]") for index, item in enumerate(override.input)]

    def _named(self, entries: Iterable[Entry]) -> response_request.Items:
        """What the conversation holds by its id alone."""
        if entries is self._conversation:
            return None
        items = ((entry, item) for entry in entries if (item := entry.context_item()) is not None)
        return tuple(entry.id if self._conversation.holds(entry) else item for entry, item in items)

    def _input_entry(self, intake: Intake, item: Any, param: str) -> Entry:
        if not isinstance(item, wire.ItemReference):
            return intake.entry(item, param)
        entry = self._conversation.find(item.id)
        if entry is None:
            raise ClientError(f"Item with id '{item.id}' does not exist.", "invalid_value", f"{param}.id")
        return entry

    def abandon(self, now: float) -> None:
        """Nobody is there any more: the key gets back what its answers had reserved and did not use."""
        for response in list(self._running.values()):
            self._close(response, ResponseInput.CANCEL, "client_cancelled", now)

    def _tell_limits(self, now: float) -> None:
        limits = tuple(
            ev.RateLimit(name=a.name, limit=a.limit, remaining=a.remaining, reset_seconds=a.reset_s)
            for a in self._quota.allowances(now)
        )
        self._out.send(ev.RateLimitsUpdated, rate_limits=limits)

    def _stop(self, response: Response, reason: ev.StatusReason, now: float) -> None:
        self._out.run(m.Cancel(response.key))
        self._close(response, ResponseInput.CANCEL, reason, now)

    def _close(
        self, response: Response, by: ResponseInput, reason: ev.StatusReason | None, now: float,
        error: ev.ResponseError | None = None,
    ) -> None:  # fmt: skip
        del self._running[response.key]
        used = response.close(by, reason, error)
        self._quota.settle(response.reserved_tokens, used.total_tokens, now)
