"""The detector's thread: audio of every session in, probabilities out, one batched step for all that have a frame."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realtime_server.audio.framing import Framer
from realtime_server.audio.resample import Resampler
from realtime_server.messages import AUDIO_RATE_HZ, Detect, ResetDetector, SpeechProbability
from realtime_server.turns.detectors import FRAME_SAMPLES, RATE_HZ, FloatArray, SpeechDetector

FRAME_AT_AUDIO_RATE = FRAME_SAMPLES * AUDIO_RATE_HZ // RATE_HZ
Deliver = Callable[[str, SpeechProbability], None]


@dataclass
class _Stream:
    state: Any
    number: int = 0
    resampler: Resampler = field(default_factory=lambda: Resampler(AUDIO_RATE_HZ, RATE_HZ))
    framer: Framer = field(default_factory=lambda: Framer(FRAME_SAMPLES))
    waiting: list[FloatArray] = field(default_factory=list)


class DetectorWorker:
    """`submit` from any thread; `deliver(session_id, probability)` is called on the worker's own thread."""

    def __init__(self, detector: SpeechDetector, deliver: Deliver) -> None:
        self._detector, self._deliver = detector, deliver
        self._inbox: queue.SimpleQueue[tuple[str, Detect | ResetDetector | None] | None] = queue.SimpleQueue()
        self._streams: dict[str, _Stream] = {}
        self._thread = threading.Thread(target=self._run, name="detector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._inbox.put(None)
        self._thread.join()

    def submit(self, session_id: str, command: Detect | ResetDetector | None) -> None:
        """None: the session is over."""
        self._inbox.put((session_id, command))

    def _run(self) -> None:
        while (entry := self._inbox.get()) is not None:
            self._take(*entry)
            # Everything that has come in meanwhile joins the same batch.
            while not self._inbox.empty():
                if (entry := self._inbox.get()) is None:
                    return
                self._take(*entry)
            while self._step():
                pass

    def _take(self, session_id: str, command: Detect | ResetDetector | None) -> None:
        if command is None:
            self._streams.pop(session_id, None)
            return
        stream = self._streams.get(session_id)
        if stream is None:
            stream = self._streams[session_id] = _Stream(self._detector.new_state())
        if isinstance(command, ResetDetector):
            self._streams[session_id] = _Stream(self._detector.new_state(), stream.number + 1)
            return
        stream.waiting += list(stream.framer.push(stream.resampler.push(command.samples)))

    def _step(self) -> bool:
        ready = [(sid, stream) for sid, stream in self._streams.items() if stream.waiting]
        if not ready:
            return False
        frames = np.stack([stream.waiting.pop(0) for _, stream in ready])
        probabilities, states = self._detector.probabilities(frames, [stream.state for _, stream in ready])
        for (session_id, stream), probability, state in zip(ready, probabilities, states, strict=True):
            stream.state = state
            self._deliver(session_id, SpeechProbability(stream.number, FRAME_AT_AUDIO_RATE, probability))
        return True
