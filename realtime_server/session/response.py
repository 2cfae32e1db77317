"""One response, from `response.created` to `response.done`: what it makes, what it costs, and how it ends (protocol 2.17)."""

from dataclasses import dataclass
from typing import Any, Literal, assert_never

from realtime_server import messages as m
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.session_config import AudioFormat, CustomVoice, MaxOutputTokens
from realtime_server.session.conversation import Conversation
from realtime_server.session.delta_encoder import DeltaEncoder
from realtime_server.session.entry import Entry
from realtime_server.session.outbox import Outbox
from realtime_server.session.output_items import OutputItems
from realtime_server.session.playout import Playout
from realtime_server.session.states import ResponseInput, ResponseState, next_response_state
from realtime_server.session.token_count import TokenCount


@dataclass(frozen=True)
class ResponseSettings:
    """The session's fields with this response's overrides."""

    modality: Literal["audio", "text"]
    voice: str | CustomVoice
    format: AudioFormat
    max_output_tokens: MaxOutputTokens
    metadata: dict[str, str] | None


class Response:
    """In progress from the moment it is made; `close` ends it, once, and closes what is open in order."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation | None, settings: ResponseSettings, input_audio_s: float,
        key: str | None = None, playout: Playout | None = None,
    ):  # fmt: skip
        """`playout`: where its sound goes, if not into events."""
        self.id = outbox.new_id("resp")
        self.key = key or self.id
        """What the engine knows it by."""
        self.state = ResponseState.IN_PROGRESS
        self.settings = settings
        self.reserved_tokens = 0
        self._tokens = TokenCount(input_audio_s, m.Prompted(self.id, 0, 0))
        self._outbox, self._conversation, self._playout = outbox, conversation, playout
        encoder = DeltaEncoder(settings.format.type)
        self._items = OutputItems(outbox, self.id, settings.modality, encoder, conversation, playout)
        self._outbox.send(ev.ResponseCreated, response=self._object())

    @property
    def in_conversation(self) -> bool:
        return self._conversation is not None

    @property
    def audio_s(self) -> float:
        """How long its sound takes to play."""
        return self._tokens.output_samples / AUDIO_RATE_HZ

    def is_making(self, entry: Entry) -> bool:
        return self._items.is_making(entry)

    def take(self, output: m.ResponseProgress) -> None:
        """More of what the engine makes."""
        match output:
            case m.Prompted():
                self._tokens.prompt = output
            case m.TextDelta():
                self._tokens.output_text += output.tokens
                self._items.text(output.text)
            case m.AudioDelta() if self.settings.modality == "text":
                # Who speaks by himself was not asked for text alone.
                pass
            case m.AudioDelta():
                self._tokens.output_samples += len(output.samples)
                self._items.audio(output.samples, output.characters)
            case m.CallStarted():
                self._items.start_call(output.name)
            case m.CallArgumentsDelta():
                self._tokens.output_text += output.tokens
                self._items.call_arguments(output.text)
            case m.CallDone():
                self._items.close("completed")
            case _:
                assert_never(output)

    def close(
        self,
        by: ResponseInput,
        reason: ev.StatusReason | None = None,
        error: ev.ResponseError | None = None,
    ) -> ev.Usage:
        """What it used in the end."""
        state = next_response_state(self.state, by)
        self._items.close("completed" if state is ResponseState.COMPLETED else "incomplete")
        self.state = state
        kind: Any = state.value
        details = None if by is ResponseInput.FINISH else ev.StatusDetails(type=kind, reason=reason, error=error)
        usage = ev.Usage() if by is ResponseInput.FAIL else self._tokens.usage()
        self._outbox.send(ev.ResponseDone, response=self._object(details, usage))
        if self._playout is not None:
            self._playout.complete(self.id)
        return usage

    def _object(self, details: ev.StatusDetails | None = None, usage: ev.Usage | None = None) -> ev.Response:
        output = ev.ResponseAudioOutput(format=self.settings.format, voice=self.settings.voice)
        status: Any = self.state.value
        return ev.Response(
            id=self.id,
            status=status,
            status_details=details,
            output=self._items.done,
            conversation_id=self._conversation.id if self._conversation is not None else None,
            output_modalities=(self.settings.modality,),
            max_output_tokens=self.settings.max_output_tokens,
            audio=ev.ResponseAudio(output=output),
            usage=usage,
            metadata=self.settings.metadata,
        )
