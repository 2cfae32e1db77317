"""`idle_timeout_ms` of `server_vad` (protocol 2.15): when a user who has nothing to say is asked again."""

from realtime_server.protocol.session_config import ServerVad, TurnDetection
from realtime_server.session.playout import Playout
from realtime_server.session.response import Response
from realtime_server.session.states import ResponseState


class Idleness:
    """Runs from the end of an answer's sound at the client. The answer to a silence does not start it again."""

    def __init__(self, playout: Playout | None) -> None:
        """`playout` knows when an answer has been played; where the client plays, nobody does but by its length."""
        self._playout = playout
        self.deadline: float | None = None
        self._playing: Response | None = None
        """The newest that is done, and may still be playing."""
        self._answering_silence = False

    def configure(self, detection: TurnDetection | None) -> None:
        if _idle_s(detection) is None:
            self.deadline = None

    def someone_speaks(self) -> None:
        """The user, or an answer."""
        self.deadline = None

    def answered(self, response: Response) -> None:
        """It is done."""
        self._playing = response

    def cut_off(self) -> None:
        """What was playing plays no more."""
        self._playing = None

    def note_played(self, detection: TurnDetection | None, now: float) -> None:
        """After all that may have brought an answer to the end of its sound."""
        response = self._playing
        if response is None or (self._playout is not None and self._playout.playing):
            return
        self._playing = None
        idle_s = _idle_s(detection)
        if idle_s is None or not response.in_conversation or response.state is not ResponseState.COMPLETED:
            return
        if not self._answering_silence:
            still_playing_s = response.audio_s if self._playout is None else 0.0
            self.deadline = now + still_playing_s + idle_s
        self._answering_silence = False

    def over(self, now: float) -> bool:
        """Has the silence lasted too long? Says so once."""
        if self.deadline is None or now < self.deadline:
            return False
        self.deadline = None
        return True

    def answer_silence(self) -> None:
        self._answering_silence = True


def _idle_s(detection: TurnDetection | None) -> float | None:
    if not isinstance(detection, ServerVad) or detection.idle_timeout_ms is None:
        return None
    return detection.idle_timeout_ms / 1000
