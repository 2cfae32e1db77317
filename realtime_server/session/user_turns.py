"""The borders of the user's turns: where one begins an answer is interrupted, where one ends it is committed and answered."""

from typing import assert_never

from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import items as wire
from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import RealtimeSession, SemanticVad, ServerVad
from realtime_server.session.barge_in import BargeIn
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry
from realtime_server.session.hearing import Config, Hearing
from realtime_server.session.idleness import Idleness
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.item_events import announce
from realtime_server.session.outbox import Outbox
from realtime_server.session.response_request import NO_OVERRIDES
from realtime_server.session.responses import Responses
from realtime_server.session.states import TurnState
from realtime_server.turns.machine import TurnStarted, TurnStopped


class UserTurns:
    """A detector finds the borders (`border`), or the client sets them (`commit_by_hand`), or a silence lasts too long."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation, sound: InputAudio, hearing: Hearing, responses: Responses,
        barge_in: BargeIn, idleness: Idleness,
    ) -> None:  # fmt: skip
        self._out, self._conversation, self._sound, self._hearing = outbox, conversation, sound, hearing
        self._responses, self._barge_in, self._idleness = responses, barge_in, idleness

    def border(self, border: TurnStarted | TurnStopped | None, config: Config, now: float) -> None:
        """`speech_started`, or `speech_stopped` and what follows it (protocol 2.3, 2.6)."""
        detection = config.audio.input.turn_detection
        if border is None or detection is None:
            return
        ms = self._sound.timeline.ms(border.sample)
        match border:
            case TurnStarted():
                self._idleness.someone_speaks()
                item_id = self._sound.item_id or self._out.new_id("item")
                self._out.send(ev.SpeechStarted, audio_start_ms=ms, item_id=item_id)
                if detection.interrupt_response and self._hearing.by_turns:
                    self._barge_in.interrupt(now)
                if self._sound.item_id:
                    # A turn begun by hand, before a detector was asked for: it begins where the detector says.
                    self._hearing.forget(item_id)
                self._hearing.listen(config, item_id)
                self._sound.open_spoken(item_id, border.sample)
            case TurnStopped():
                self._out.send(ev.SpeechStopped, audio_end_ms=ms, item_id=self._sound.item_id)
                self._commit(border.sample, config, now)
                self._answer(detection, config, now)
            case _:
                assert_never(border)

    def commit_by_hand(self, config: Config, least_ms: int, now: float) -> None:
        """`input_audio_buffer.commit`. ClientError for less than `least_ms` of sound."""
        uncommitted_ms = self._sound.uncommitted * 1000 / AUDIO_RATE_HZ
        if uncommitted_ms < least_ms:
            raise ClientError(
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{least_ms}ms of audio, but buffer only has {uncommitted_ms:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        if self._sound.turn is TurnState.IDLE:
            item_id = self._out.new_id("item")
            self._hearing.listen(config, item_id)
            self._sound.open_spoken(item_id, self._sound.start)
        self._commit(None, config, now)
        self._sound.restart_detection()

    def idle_timeout(self, config: Config, now: float) -> None:
        """Nobody has spoken for too long: the silence is the turn (protocol 2.15)."""
        detection = config.audio.input.turn_detection
        if detection is None or self._sound.turn is not TurnState.IDLE or not self._hearing.by_turns:
            return
        item_id = self._out.new_id("item")
        timeline = self._sound.timeline
        self._out.send(ev.TimeoutTriggered, audio_start_ms=timeline.ms(self._sound.start),
                       audio_end_ms=timeline.ms(timeline.end), item_id=item_id)  # fmt: skip
        self._hearing.listen(config, item_id)
        self._sound.open_spoken(item_id, self._sound.start)
        self._commit(timeline.end, config, now)
        self._sound.restart_detection()
        self._idleness.answer_silence()
        self._answer(detection, config, now)

    def _commit(self, end: int | None, config: Config, now: float) -> None:
        """The buffer becomes a user item: committed, item.added, item.done (protocol 2.3)."""
        item_id = self._sound.item_id
        recording = self._sound.commit(end)
        if (old := self._conversation.make_room()) is not None:
            self._out.send(ev.ConversationItemDeleted, item_id=old.id)
        self._out.send(ev.InputAudioBufferCommitted, previous_item_id=self._conversation.last_id, item_id=item_id)
        item = wire.UserMessage(id=item_id, status="completed", content=(wire.InputAudio(),))
        entry = Entry(item, {0: recording})
        self._conversation.add(entry)
        announce(self._out, self._conversation, entry)
        self._hearing.commit(config, entry, now)

    def _answer(self, detection: ServerVad | SemanticVad, config: Config, now: float) -> None:
        if not self._hearing.by_turns or not detection.create_response or not isinstance(config, RealtimeSession):
            return
        if detection.interrupt_response:
            # Asked for while the user was speaking: what he said in the meantime comes first.
            self._barge_in.interrupt(now)
        if self._responses.in_conversation is None:
            self._responses.create(config, NO_OVERRIDES, now)
            self._idleness.someone_speaks()
