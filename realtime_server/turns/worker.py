"""The detector's thread: audio of every session in, probabilities out, one batched step for all that have a frame."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np

from realtime_server.audio.framing import Framer
from realtime_server.audio.resample import Resampler
from realtime_server.messages import (
    AUDIO_RATE_HZ,
    Detect,
    DetectorCommand,
    DetectorOutput,
    ResetDetector,
    Samples,
    SessionFailed,
    SpeechProbability,
)
from realtime_server.turns.detectors import FRAME_SAMPLES, RATE_HZ, FloatArray, SpeechDetector

log = logging.getLogger(__name__)
FRAME_AT_AUDIO_RATE = FRAME_SAMPLES * AUDIO_RATE_HZ // RATE_HZ
PIECE_SAMPLES = 16 * FRAME_AT_AUDIO_RATE
"""Half a second: as much of a burst is resampled at once, by the round that needs a frame of it."""
FAILURES_IN_A_ROW = 8
"""Of as many streams and without a frame judged in between: it is the detector that is broken, not what it was given."""
PATIENCE_S = 30.0
"""A round takes milliseconds; one that takes longer than this hangs."""
BROKE = "The speech detector failed on this session's audio."
Deliver = Callable[[str, DetectorOutput], None]
Entry = tuple[str, DetectorCommand | None]


@dataclass
class _Stream:
    """Audio as it came waits in `audio`, frames that are ready for the detector in `frames`."""

    state: Any
    number: int = 0
    resampler: Resampler = field(default_factory=lambda: Resampler(AUDIO_RATE_HZ, RATE_HZ))
    framer: Framer = field(default_factory=lambda: Framer(FRAME_SAMPLES))
    audio: deque[Samples] = field(default_factory=deque)
    frames: deque[FloatArray] = field(default_factory=deque)

    def next_frame(self) -> FloatArray | None:
        """[FRAME_SAMPLES], or None until more audio has come."""
        while not self.frames and self.audio:
            self.frames.extend(self.framer.push(self.resampler.push(self._next_piece())))
        return self.frames.popleft() if self.frames else None

    def _next_piece(self) -> Samples:
        """The oldest PIECE_SAMPLES of audio, or all there is: of one large chunk, or of many small ones."""
        parts: list[Samples] = []
        left = PIECE_SAMPLES
        while left and self.audio:
            chunk = self.audio.popleft()
            if len(chunk) > left:
                self.audio.appendleft(chunk[left:])
            parts.append(chunk[:left])
            left -= len(parts[-1])
        return np.concatenate(parts)


class DetectorWorker:
    """`submit` from any thread; `deliver(session_id, output)` is called on the worker's own thread.

    Every stream has one frame a round, however much of it waits. What a frame breaks costs its own stream.
    """

    def __init__(self, detector: SpeechDetector, deliver: Deliver) -> None:
        self._detector, self._deliver = detector, deliver
        self._inbox: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._streams: dict[str, _Stream] = {}
        self._failed: set[str] = set()
        self._failures = 0
        self._idle = True
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="detector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._inbox.put(None)
        self._thread.join(PATIENCE_S)

    @property
    def alive(self) -> bool:
        """Does it judge what it is given? Read on any thread."""
        since = self._busy_since
        hangs = since is not None and time.monotonic() - since > PATIENCE_S
        return self._thread.is_alive() and not hangs and self._failures < FAILURES_IN_A_ROW

    def submit(self, session_id: str, command: DetectorCommand | None) -> None:
        """None: the session is over."""
        self._inbox.put((session_id, command))

    # --- on the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                if not self._turn():
                    return
            # Nothing is known to get here; if something does, there are the other sessions.
            except Exception:
                log.exception("! the detector's round broke")

    def _turn(self) -> bool:
        """Takes what has come in meanwhile, also while a burst of someone else is worked off; then one round. False: stop."""
        while self._idle or not self._inbox.empty():
            self._busy_since = None
            if (entry := self._inbox.get()) is None:
                return False
            self._idle, self._busy_since = False, time.monotonic()
            self._take(*entry)
        self._busy_since = time.monotonic()
        self._idle = not self._round()
        return True

    def _take(self, session_id: str, command: DetectorCommand | None) -> None:
        if command is None:
            self._streams.pop(session_id, None)
            self._failed.discard(session_id)
        elif session_id not in self._failed:
            with self._own_fault(session_id):
                self._feed(session_id, command)

    def _feed(self, session_id: str, command: DetectorCommand) -> None:
        stream = self._streams.get(session_id)
        if stream is None:
            stream = self._streams[session_id] = _Stream(self._detector.new_state())
        match command:
            case ResetDetector():
                self._streams[session_id] = _Stream(self._detector.new_state(), stream.number + 1)
            case Detect():
                stream.audio.append(command.samples)
            case _:
                assert_never(command)

    def _round(self) -> bool:
        """One frame of every stream that has one; False when none has."""
        ready: list[tuple[str, FloatArray]] = []
        for session_id, stream in list(self._streams.items()):
            if stream.frames or stream.audio:
                with self._own_fault(session_id):
                    frame = stream.next_frame()
                    if frame is not None:
                        ready.append((session_id, frame))
        if ready:
            self._judge(ready)
        return bool(ready)

    def _judge(self, ready: list[tuple[str, FloatArray]]) -> None:
        """All at once; if that breaks, each alone, which shows whose fault it is."""
        try:
            judged = self._probabilities(ready)
        except Exception:
            log.exception("! the detector broke on frames of %d streams: each is tried alone", len(ready))
            judged = []
            for one in ready:
                with self._own_fault(one[0]):
                    judged += self._probabilities([one])
        for session_id, output in judged:
            self._tell(session_id, output)

    def _probabilities(self, ready: list[tuple[str, FloatArray]]) -> list[tuple[str, SpeechProbability]]:
        """One batched step of the detector."""
        streams = [self._streams[session_id] for session_id, _ in ready]
        frames = np.stack([frame for _, frame in ready])
        probabilities, states = self._detector.probabilities(frames, [stream.state for stream in streams])
        judged = []
        for (session_id, _), stream, probability, state in zip(ready, streams, probabilities, states, strict=True):
            stream.state = state
            judged.append((session_id, SpeechProbability(stream.number, FRAME_AT_AUDIO_RATE, probability)))
        self._failures = 0
        return judged

    @contextmanager
    def _own_fault(self, session_id: str) -> Iterator[None]:
        """What breaks in here is logged, told to this session, and the end of its stream: nobody else's."""
        try:
            yield
        except Exception:
            log.warning("! %s: the detector failed", session_id, exc_info=True)
            self._failures += 1
            self._streams.pop(session_id, None)
            self._failed.add(session_id)
            self._tell(session_id, SessionFailed(BROKE))

    def _tell(self, session_id: str, output: DetectorOutput) -> None:
        try:
            self._deliver(session_id, output)
        # Who cannot be told (the loop is gone) must not cost the others theirs.
        except Exception:
            log.exception("! %s could not be told", session_id)
