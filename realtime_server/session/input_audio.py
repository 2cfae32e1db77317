"""The input buffer: append, commit, clear; where a turn begins and ends, in samples; what the engine has heard of it.

What is appended is one stream of bytes, however it is cut: half a sample, and what the filter holds back, wait for the rest.
"""

from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import PcmResampler
from realtime_server.audio.timeline import Timeline
from realtime_server.messages import AUDIO_RATE_HZ, Detect, Hear, ResetDetector, Samples, SpeechProbability, TurnEnd
from realtime_server.protocol import audio as wire
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.session_config import SemanticVad, ServerVad
from realtime_server.session.limits import Limits
from realtime_server.session.outbox import Outbox
from realtime_server.session.recording import SILENCE, Recording
from realtime_server.session.states import TurnInput, TurnState, next_turn_state
from realtime_server.turns.machine import TurnMachine, TurnRules, TurnStarted, TurnStopped

LEAST_PIECE = AUDIO_RATE_HZ // 100
"""What is handed over before a turn's end: a client that appends sample by sample costs no command for each."""
ONSET_MS = 64
"""Two frames of the detector."""
EAGERNESS_SILENCE_MS = {"low": 1200, "medium": 700, "auto": 700, "high": 400}
"""semantic_vad with a model that does not score the end of a thought: only the patience differs."""
EAGERNESS_WAIT_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""How long a thought that seems unfinished is waited for (protocol 2.4)."""
EAGERNESS_SCORE = {"low": 0.8, "medium": 0.5, "auto": 0.5, "high": 0.3}
SCORED_SILENCE_MS = 240
"""What Wren's score is trained to need."""


def turn_rules(detection: ServerVad | SemanticVad, scores: bool) -> TurnRules:
    """`scores`: the model tells when a thought is complete."""
    per_ms = AUDIO_RATE_HZ // 1000
    if isinstance(detection, SemanticVad):
        eagerness, padding, onset = detection.eagerness, 300 * per_ms, ONSET_MS * per_ms
        if not scores:
            return TurnRules(0.5, padding, EAGERNESS_SILENCE_MS[eagerness] * per_ms, onset)
        wait = EAGERNESS_WAIT_MS[eagerness] * per_ms
        return TurnRules(0.5, padding, wait, onset, EAGERNESS_SCORE[eagerness], SCORED_SILENCE_MS * per_ms)
    return TurnRules(
        detection.threshold, detection.prefix_padding_ms * per_ms, detection.silence_duration_ms * per_ms, ONSET_MS * per_ms
    )


class InputAudio:
    """One client's microphone. A turn is [start, …) of the timeline, under the id that its item will have."""

    def __init__(self, outbox: Outbox, limits: Limits, scores: bool = False) -> None:
        self._outbox, self._limits, self._scores = outbox, limits, scores
        self.timeline = Timeline(AUDIO_RATE_HZ)
        self._format, self._resampler = "audio/pcm", PcmResampler(AUDIO_RATE_HZ, AUDIO_RATE_HZ)
        self._half = b""
        """The first bytes of a sample whose last have not come."""
        self._machine: TurnMachine | None = None
        self._detector_stream = 0
        self._shown = 0
        """Up to where the detector has been given the timeline."""
        self.turn = TurnState.IDLE
        self.item_id = ""
        self.stream_id = ""
        """Of the model that hears all the time, turns or none."""
        self.start = 0
        self._heard = 0

    def configure(self, audio_format: str, detection: ServerVad | SemanticVad | None) -> None:
        if audio_format != self._format:
            self._drain()
            self._format, self._half = audio_format, b""
            self._resampler = PcmResampler(FORMATS[audio_format].rate_hz, AUDIO_RATE_HZ)
        if detection is None:
            self._machine = None
        elif self._machine is None:
            self._machine = TurnMachine(turn_rules(detection, self._scores), self.timeline.end)
            self._reset_detector()
        else:
            self._machine.rules = turn_rules(detection, self._scores)

    def append(self, audio: str) -> None:
        """base64 from the client; ClientError when it is none, or when too much is waiting."""
        shape = FORMATS[self._format]
        data = self._half + wire.decode(audio, self._format, "audio", self._limits.append_bytes)
        whole = len(data) // shape.bytes_per_sample * shape.bytes_per_sample
        coming = whole // shape.bytes_per_sample * AUDIO_RATE_HZ // shape.rate_hz
        # With a detector `start` follows it, so this also bounds what it has not judged yet.
        if self.uncommitted + coming > self._limits.buffer_s * AUDIO_RATE_HZ:
            raise ClientError(
                f"The input audio buffer holds at most {self._limits.buffer_s} s; commit or clear it.",
                "input_audio_buffer_full", "audio",
            )  # fmt: skip
        self._half = data[whole:]
        self._take(self._resampler.push(shape.decode(data[:whole])))

    def append_samples(self, samples: Samples) -> None:
        """At AUDIO_RATE_HZ, from a shell. A microphone that nobody commits or clears is not listened to for ever."""
        if self.uncommitted + len(samples) <= self._limits.buffer_s * AUDIO_RATE_HZ:
            self._take(samples)

    def _take(self, samples: Samples) -> None:
        self.timeline.append(samples)
        if self.stream_id and len(samples):
            self._outbox.run(Hear(self.stream_id, samples))
        self._show()
        if self.turn is not TurnState.IDLE or self._machine is None:
            self._hear()

    @property
    def opens_turn(self) -> bool:
        """Audio has come that no turn holds yet, and no detector will decide about it."""
        return self._machine is None and self.turn is TurnState.IDLE and self.timeline.end > self.start

    def open_pushed(self, item_id: str) -> None:
        self.turn = next_turn_state(self.turn, TurnInput.APPEND)
        self.item_id, self._heard = item_id, self.start
        self._hear()

    def detected(self, message: SpeechProbability) -> TurnStarted | TurnStopped | None:
        """One more frame of the detector; None also for frames from before a reset."""
        if self._machine is None or message.stream != self._detector_stream:
            return None
        border = self._machine.feed(message.samples, message.probability)
        if border is None:
            if self.turn is TurnState.IDLE:
                self.start = max(self.start, self._machine.keep_from)
                self.timeline.drop_before(self.start)
            else:
                self._hear()
        return border

    def scored(self, message: TurnEnd) -> TurnStopped | None:
        """The model's view of the turn's end; of no use for another turn than the running one."""
        if self._machine is None or message.item_id != self.item_id:
            return None
        return self._machine.scored(self.start + message.samples, message.probability)

    def open_spoken(self, item_id: str, start: int) -> None:
        self.turn = next_turn_state(self.turn, TurnInput.SPEECH_STARTED)
        self.item_id, self.start, self._heard = item_id, start, start
        self._hear()

    def commit(self, end: int | None = None) -> Recording:
        """The turn's audio up to `end`, where the next turn begins; None: all that came, also what the filter holds back."""
        if end is None:
            self._drain()
            end = self.timeline.end
        recording = Recording(self.item_id)
        if self.turn is not TurnState.IDLE:
            self._hear(end)
        # The timeline's room is larger than the turn, and would stay with it.
        recording.append(self.timeline.slice(self.start, end).copy())
        self._close(TurnInput.COMMIT, end)
        return recording

    def clear(self) -> None:
        self._drain()
        self._half = b""
        self._close(TurnInput.CLEAR, self.timeline.end)
        self.restart_detection()

    @property
    def uncommitted(self) -> int:
        """Samples since the last commit or clear (with a detector: since the turn's earliest possible start)."""
        return self.timeline.end + self._resampler.held - self.start

    def restart_detection(self) -> None:
        """After a clear, or a commit by hand, while a detector listens: its turn is over too."""
        if self._machine is not None:
            self._machine.reset(self.timeline.end)
            self._reset_detector()

    def _close(self, by: TurnInput, end: int) -> None:
        self.turn = next_turn_state(self.turn, by)
        self.item_id, self.start, self._heard = "", end, end
        self.timeline.drop_before(end)

    def _drain(self) -> None:
        """What the filter holds back is in the timeline then, and what comes next begins behind silence."""
        self.timeline.append(self._resampler.push(SILENCE, last=True))

    def _reset_detector(self) -> None:
        self._detector_stream += 1
        self._shown = self.timeline.end
        self._outbox.run(ResetDetector())

    def _show(self) -> None:
        """Gives the detector what has come."""
        if self._machine is not None and self.timeline.end - self._shown >= LEAST_PIECE:
            self._outbox.run(Detect(self.timeline.slice(self._shown, self.timeline.end)))
            self._shown = self.timeline.end

    def _hear(self, end: int | None = None) -> None:
        """Sends the engine what it may hear by now: with a detector, no more than the detector has judged."""
        if self.stream_id:
            return
        least = 1
        if end is None:
            end = self.timeline.end if self._machine is None else min(self._machine.position, self.timeline.end)
            least = LEAST_PIECE
        if end - self._heard >= least and self.item_id:
            samples: Samples = self.timeline.slice(self._heard, end)
            self._heard = end
            self._outbox.run(Hear(self.item_id, samples))
