"""What the engine is told of the user's sound: turn by turn, or one stream where the model decides about turns itself."""

from realtime_server import messages as m
from realtime_server.protocol.session_config import RealtimeSession, TranscriptionSession
from realtime_server.session import response_request
from realtime_server.session.conversation import Conversation
from realtime_server.session.entry import Entry
from realtime_server.session.input_audio import InputAudio
from realtime_server.session.outbox import Outbox
from realtime_server.session.start import SessionStart
from realtime_server.session.transcripts import Transcript, Transcripts, Wish

Config = RealtimeSession | TranscriptionSession


class Hearing:
    """`listen` opens a turn under the id that its item will have; `forget` or `commit` ends it. To a full-duplex model all
    three say nothing: it hears what comes in the stream that `open_stream` opens."""

    def __init__(self, outbox: Outbox, conversation: Conversation, sound: InputAudio, start: SessionStart) -> None:
        self._out, self._conversation, self._sound = outbox, conversation, sound
        self._judge = start.judge
        self._transcripts = Transcripts(outbox, start.quota)
        self.by_turns = start.abilities.turns == "server"

    def waiting(self, most: int) -> int:
        return self._transcripts.waiting(most)

    def open_stream(self, config: Config) -> None:
        """Before sound is taken in."""
        if not self.by_turns and not self._sound.stream_id:
            self._sound.stream_id = self._out.new_id("stream")
            self._tell_to_listen(config, self._sound.stream_id, live=False)

    def open_pushed(self, config: Config) -> None:
        """What no detector decides about is a turn from its first sound on."""
        if self._sound.opens_turn:
            item_id = self._out.new_id("item")
            self.listen(config, item_id)
            self._sound.open_pushed(item_id)

    def listen(self, config: Config, item_id: str) -> None:
        if not self.by_turns:
            return
        # A conversation tells what was said when the turn is complete, a transcription as it is said (protocol 2.3, 2.12).
        live = isinstance(config, TranscriptionSession) and _wish(config).shown
        self._transcripts.listen(item_id)
        self._tell_to_listen(config, item_id, live)

    def forget(self, item_id: str) -> None:
        if self.by_turns:
            self._transcripts.forget(item_id)
            self._out.run(m.Forget(item_id))

    def commit(self, config: Config, entry: Entry, now: float) -> None:
        """The turn is complete, as this item."""
        if not self.by_turns:
            return
        if self._transcripts.commit(entry, _wish(config), now) or isinstance(config, RealtimeSession):
            self._out.run(m.Commit(entry.id))
        else:
            self.forget(entry.id)

    def abandon(self, now: float) -> None:
        self._transcripts.abandon(now)

    def take(self, config: Config, output: Transcript, now: float) -> None:
        self._transcripts.take(output, _wish(config), now)

    def _tell_to_listen(self, config: Config, item_id: str, live: bool) -> None:
        known = response_request.context(config, response_request.NO_OVERRIDES, None, self._judge)
        self._conversation.tell_changes()
        self._out.run(m.Listen(item_id, known, live))


def _wish(config: Config) -> Wish:
    shown, logprobs = config.audio.input.transcription is not None, config.include is not None
    return Wish(shown, logprobs, alone=isinstance(config, TranscriptionSession))
