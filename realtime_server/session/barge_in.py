"""An interruption: what runs in the conversation stops, and what is done and still plays on this side (protocol 2.6)."""

from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.protocol import server_events as ev
from realtime_server.session.conversation import Conversation
from realtime_server.session.idleness import Idleness
from realtime_server.session.outbox import Outbox
from realtime_server.session.playout import Cut, Playout
from realtime_server.session.responses import Responses


class BargeIn:
    """What was played of an answer by then is what was said. Where the client plays, it alone knows how much that is."""

    def __init__(
        self, outbox: Outbox, conversation: Conversation, responses: Responses, playout: Playout | None, idleness: Idleness
    ) -> None:
        self._out, self._conversation, self._responses = outbox, conversation, responses
        self._playout, self._idleness = playout, idleness

    def interrupt(self, now: float) -> None:
        """The user speaks, or has spoken."""
        cuts = self._stop_playing()
        self._responses.interrupt(now)
        for cut in cuts:
            self._cut_off(cut)

    def clear(self, now: float) -> None:
        """`output_audio_buffer.clear`: where the client plays, or where nothing is playing, that is no error."""
        for cut in self._stop_playing():
            self._responses.cut_short(cut.entry, now)
            self._cut_off(cut)

    def _stop_playing(self) -> list[Cut]:
        if self._playout is None:
            return []
        self._idleness.cut_off()
        return self._playout.stop()

    def _cut_off(self, cut: Cut) -> None:
        """The client may have deleted it, or it stands beside the conversation."""
        if self._conversation.holds(cut.entry):
            cut.entry.cut(0, cut.played)
            ms = cut.played * 1000 // AUDIO_RATE_HZ
            self._out.send(ev.ConversationItemTruncated, item_id=cut.entry.id, content_index=0, audio_end_ms=ms)
