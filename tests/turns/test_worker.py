"""The detector's thread keeps streams apart, has a turn for each of them, and outlives whatever breaks."""

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.audio.resample import Resampler
from realtime_server.messages import Detect, ResetDetector, SessionFailed, SpeechProbability
from realtime_server.turns import worker as module
from realtime_server.turns.detectors import FRAME_SAMPLES, FloatArray, SpeechDetector
from realtime_server.turns.worker import FAILURES_IN_A_ROW, FRAME_AT_AUDIO_RATE, PIECE_SAMPLES, DetectorWorker

WAIT_S = 10
Told = SpeechProbability | SessionFailed
LOUD = 0.5
"""Frames of this mean break a `Fragile` detector."""


class Loudness:
    """A detector whose probability is the frame's mean and whose state counts frames."""

    def new_state(self) -> int:
        return 0

    def probabilities(self, frames: FloatArray, states: Sequence[int]) -> tuple[list[float], list[int]]:
        assert frames.shape == (len(states), FRAME_SAMPLES)
        return [float(row.mean()) for row in frames], [state + 1 for state in states]


class Fragile(Loudness):
    def probabilities(self, frames: FloatArray, states: Sequence[int]) -> tuple[list[float], list[int]]:
        if (frames.mean(axis=1) > LOUD / 2).any():
            raise RuntimeError("a loud frame")
        return super().probabilities(frames, states)


class Gated(Loudness):
    """Judges nothing until it is let; notes how many frames each batch had."""

    def __init__(self) -> None:
        self.started, self.gate = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def probabilities(self, frames: FloatArray, states: Sequence[int]) -> tuple[list[float], list[int]]:
        self.batches.append(len(frames))
        self.started.set()
        assert self.gate.wait(WAIT_S)
        return super().probabilities(frames, states)


class Outputs:
    """What was delivered, as it comes."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, Told]] = queue.SimpleQueue()
        self.order: list[str] = []
        self.of: dict[str, list[Told]] = {}

    def deliver(self, session_id: str, output: Told) -> None:
        self._queue.put((session_id, output))

    def until(self, session_id: str, count: int) -> list[Told]:
        while len(self.of.get(session_id, [])) < count:
            name, output = self._queue.get(timeout=WAIT_S)
            self.order.append(name)
            self.of.setdefault(name, []).append(output)
        return self.of[session_id]


@contextmanager
def running(detector: SpeechDetector) -> Iterator[tuple[DetectorWorker, Outputs]]:
    outputs = Outputs()
    worker = DetectorWorker(detector, outputs.deliver)
    worker.start()
    try:
        yield worker, outputs
    finally:
        worker.stop()


def sound(frames: float, loudness: float = 0.0) -> Detect:
    return Detect(np.full(int(FRAME_AT_AUDIO_RATE * frames), round(loudness * 32767), np.int16))


def probabilities(outputs: list[Told]) -> list[float]:
    return [output.probability for output in outputs if isinstance(output, SpeechProbability)]


def test_streams_are_apart_and_resets_are_counted() -> None:
    with running(Loudness()) as (worker, outputs):
        worker.submit("a", sound(4))
        worker.submit("b", sound(4, LOUD))
        worker.submit("b", ResetDetector())
        worker.submit("b", sound(4))
        quiet = outputs.until("a", 3)
        while sum(isinstance(o, SpeechProbability) and o.stream == 1 for o in outputs.of.get("b", [])) < 3:
            outputs.until("b", len(outputs.of.get("b", [])) + 1)
    assert all(isinstance(o, SpeechProbability) and (o.samples, o.stream) == (FRAME_AT_AUDIO_RATE, 0) for o in quiet)
    assert max(abs(p) for p in probabilities(quiet)) < 0.01
    later = [o for o in outputs.of["b"] if isinstance(o, SpeechProbability) and o.stream == 1]
    assert all(abs(o.probability) < 0.1 for o in later)


@given(st.lists(st.integers(1, 2 * PIECE_SAMPLES), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_chunks_of_any_size_are_one_stream(sizes: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(-9830, 9830, sum(sizes)).astype(np.int16)
    frames = (len(noise) - 100) // FRAME_AT_AUDIO_RATE - 1
    with running(Loudness()) as (worker, outputs):
        worker.submit("whole", Detect(noise))
        for chunk in np.split(noise, np.cumsum(sizes)[:-1]):
            worker.submit("chunks", Detect(chunk))
        if frames > 0:
            whole, chunks = outputs.until("whole", frames), outputs.until("chunks", frames)
            np.testing.assert_allclose(probabilities(whole)[:frames], probabilities(chunks)[:frames], atol=1e-6)


def test_a_burst_takes_its_turns_with_everyone() -> None:
    """Ten minutes wait already; who comes now is in the next round, and has a frame in each."""
    detector = Gated()
    with running(detector) as (worker, outputs):
        worker.submit("burst", sound(5000))
        assert detector.started.wait(WAIT_S)
        worker.submit("late", sound(20))
        detector.gate.set()
        outputs.until("late", 18)
        assert len(outputs.of["burst"]) <= 20
        assert detector.batches[:3] == [1, 2, 2]


def test_a_burst_is_resampled_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    push = Resampler.push

    def counted(self: Resampler, samples: FloatArray) -> FloatArray:
        sizes.append(len(samples))
        return push(self, samples)

    monkeypatch.setattr(Resampler, "push", counted)
    detector = Gated()
    with running(detector) as (worker, _):
        worker.submit("burst", sound(5000))
        assert detector.started.wait(WAIT_S)
        assert sizes == [PIECE_SAMPLES]
        detector.gate.set()
    assert max(sizes) <= PIECE_SAMPLES


def test_a_frame_that_breaks_costs_its_own_stream(caplog: pytest.LogCaptureFixture) -> None:
    detector = Fragile()
    with running(detector) as (worker, outputs):
        for name, loudness in (("a", 0.0), ("loud", LOUD), ("b", 0.0)):
            worker.submit(name, sound(10, loudness))
        assert all(len(probabilities(outputs.until(name, 8))) == 8 for name in "ab")
        told = outputs.until("loud", 1)
        # It gets no more, whatever it sends, and its name may be used again once it is over.
        worker.submit("loud", sound(10))
        worker.submit("a", sound(4))
        outputs.until("a", 11)
        assert [type(o) for o in told].count(SessionFailed) == 1
        assert len(told) == len(outputs.of["loud"])
        worker.submit("loud", None)
        worker.submit("loud", sound(10))
        assert isinstance(outputs.until("loud", len(told) + 1)[-1], SpeechProbability)
        assert worker.alive
    assert "a loud frame" in caplog.text


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 12), st.booleans()), max_size=20))
def test_whatever_breaks_a_healthy_stream_misses_nothing(audio: list[tuple[int, int, bool]]) -> None:
    logging.disable(logging.CRITICAL)
    try:
        with running(Fragile()) as (worker, outputs):
            for number, frames, loud in audio:
                worker.submit("healthy", sound(1, 0.1))
                worker.submit(f"other-{number}", sound(frames, LOUD if loud else 0.0))
            worker.submit("healthy", sound(3, 0.1))
            heard = probabilities(outputs.until("healthy", len(audio) + 1))
            assert worker.alive
    finally:
        logging.disable(logging.NOTSET)
    np.testing.assert_allclose(heard[1:], 0.1, atol=0.02)
    others = [outputs.of.get(f"other-{n}", []) for n in range(5)]
    assert all(sum(isinstance(o, SessionFailed) for o in told) <= 1 for told in others)


def test_a_detector_that_is_broken_for_everybody_is_not_alive() -> None:
    with running(Fragile()) as (worker, outputs):
        for n in range(FAILURES_IN_A_ROW):
            assert worker.alive
            worker.submit(str(n), sound(4, LOUD))
            assert isinstance(outputs.until(str(n), 1)[0], SessionFailed)
        assert not worker.alive
        worker.submit("healthy", sound(4))
        outputs.until("healthy", 1)
        assert worker.alive
    assert not worker.alive


def test_a_detector_that_hangs_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    detector = Gated()
    outputs = Outputs()
    worker = DetectorWorker(detector, outputs.deliver)
    worker.start()
    worker.submit("a", sound(4))
    assert detector.started.wait(WAIT_S)
    assert not worker.alive
    monkeypatch.undo()
    detector.gate.set()
    outputs.until("a", 2)
    assert worker.alive
    worker.stop()


def test_the_thread_outlives_a_delivery_that_breaks(caplog: pytest.LogCaptureFixture) -> None:
    """As when nobody is there any more to be told."""
    outputs = Outputs()

    def deliver(session_id: str, output: Told) -> None:
        if session_id == "nobody":
            raise RuntimeError("nobody is there")
        outputs.deliver(session_id, output)

    worker = DetectorWorker(Fragile(), deliver)
    worker.start()
    worker.submit("nobody", sound(4))
    worker.submit("nobody", sound(4, LOUD))
    worker.submit("healthy", sound(4))
    assert len(probabilities(outputs.until("healthy", 2))) == 2
    assert worker.alive
    worker.stop()
    assert "nobody is there" in caplog.text
