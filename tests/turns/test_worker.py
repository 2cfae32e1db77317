"""The detector's thread keeps streams apart and counts resets."""

import queue

import numpy as np

from realtime_server.messages import Detect, ResetDetector, SpeechProbability
from realtime_server.turns.detectors import FRAME_SAMPLES, FloatArray
from realtime_server.turns.worker import FRAME_AT_AUDIO_RATE, DetectorWorker


class Loudness:
    """A detector whose probability is the frame's mean and whose state counts frames."""

    def new_state(self) -> int:
        return 0

    def probabilities(self, frames: FloatArray, states: list[int]) -> tuple[list[float], list[int]]:  # type: ignore[override]
        assert frames.shape == (len(states), FRAME_SAMPLES)
        return [float(row.mean()) for row in frames], [state + 1 for state in states]


def test_streams_are_apart_and_resets_are_counted() -> None:
    got: queue.SimpleQueue[tuple[str, SpeechProbability]] = queue.SimpleQueue()
    worker = DetectorWorker(Loudness(), lambda sid, output: got.put((sid, output)))
    worker.start()
    quiet, loud = np.zeros(FRAME_AT_AUDIO_RATE * 4, np.int16), np.full(FRAME_AT_AUDIO_RATE * 4, 16384, np.int16)
    worker.submit("a", Detect(quiet))
    worker.submit("b", Detect(loud))
    worker.submit("b", ResetDetector())
    worker.submit("b", Detect(quiet))
    outputs: dict[str, list[SpeechProbability]] = {"a": [], "b": []}
    while len(outputs["a"]) < 3 or sum(o.stream == 1 for o in outputs["b"]) < 3:
        session_id, output = got.get(timeout=10)
        outputs[session_id].append(output)
    worker.stop()
    assert all(o.samples == FRAME_AT_AUDIO_RATE for o in outputs["a"] + outputs["b"])
    assert max(abs(o.probability) for o in outputs["a"]) < 0.01
    assert {o.stream for o in outputs["a"]} == {0}
    assert all(abs(o.probability) < 0.1 for o in outputs["b"] if o.stream == 1)
