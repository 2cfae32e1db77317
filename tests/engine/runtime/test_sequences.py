"""Coroutines driven by batches: each is sent its own answers, in parts or at once, and fails and ends by itself."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.scheduler import Limits, Scheduler
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.engine.runtime.steps import Broken, Step, Stream, Think, prefill
from realtime_server.messages import Output, ResponseFailed, TextDelta


class Device:
    """Writes ids into streams, and answers with their sum; `broken` ids cannot be run."""

    def __init__(self, broken: int | None = None) -> None:
        self.broken, self.batches = broken, list[list[Think]]()

    def run(self, steps: list[Any]) -> list[Any]:
        self.batches.append(steps)
        return [self._answer(step) for step in steps]

    def _answer(self, step: Think) -> Any:
        if self.broken in step.ids:
            return Broken(RuntimeError("broken"))
        step.stream.ids += step.ids
        return sum(step.stream.ids)


def failed(error: Exception) -> Output:
    return ResponseFailed("r", "server_error", str(error))


def work(outputs: list[Output], body: Body, freed: list[str] | None = None, name: str = "") -> Work:
    return Work(body, outputs, failed, lambda: (freed if freed is not None else []).append(name))


def summing(ids: list[list[int]], outputs: list[Output]) -> Body:
    stream = Stream(0, [])
    for part in ids:
        answer = yield Think(stream, part)
        outputs.append(TextDelta("r", str(answer)))


def told(outputs: list[tuple[str, Output]], session_id: str) -> list[str]:
    return [o.text if isinstance(o, TextDelta) else type(o).__name__ for name, o in outputs if name == session_id]


def run(sequences: Sequences) -> list[tuple[str, Output]]:
    outputs: list[tuple[str, Output]] = []
    while (step := sequences.step()) is not None:
        outputs += step
    return outputs


parts = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=30), min_size=1, max_size=4)


@given(everyone=st.lists(parts, min_size=1, max_size=5), budget=st.integers(1, 40), chunk=st.integers(1, 20))
def test_each_is_sent_its_own_answers_whole_or_in_chunks(everyone: list[list[list[int]]], budget: int, chunk: int) -> None:
    device = Device()
    sequences = Sequences(device.run, (), Scheduler(Limits(budget=budget, chunk=chunk)))
    for n, ids in enumerate(everyone):
        outputs: list[Output] = []
        sequences.start(str(n), "k", work(outputs, summing(ids, outputs)))
    outputs_of_all = run(sequences)
    for n, ids in enumerate(everyone):
        assert told(outputs_of_all, str(n)) == [str(total) for total in accumulate(map(sum, ids))]
    assert max(len(step.ids) for steps in device.batches for step in steps) <= chunk


def test_what_breaks_one_costs_all_of_its_key_and_no_other() -> None:
    device, freed = Device(broken=7), list[str]()
    sequences = Sequences(device.run, (), Scheduler(Limits(chunk=2)))
    shared: list[Output] = []
    good: list[Output] = []

    def waiting() -> Body:
        while True:
            yield None

    sequences.start("bad", "k", work(shared, waiting(), freed, "speaking"))
    sequences.start("bad", "k", work(shared, summing([[1], [2, 3, 7, 8], [4]], shared), freed, "thinking"))
    sequences.start("good", "k", work(good, summing([[1], [2]], good), freed, "good"))
    outputs = run(sequences)
    assert told(outputs, "bad") == ["1", "ResponseFailed"]
    assert told(outputs, "good") == ["1", "3"]
    assert sorted(freed) == ["good", "speaking", "thinking"]


def test_a_body_that_raises_fails_and_one_that_catches_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Refused(Exception):
        pass

    def raising(error: Exception) -> Body:
        yield from prefill(Stream(0, []), [1])
        raise error

    def catching(outputs: list[Output]) -> Body:
        try:
            yield Think(Stream(0, []), [7])
        except RuntimeError as error:
            outputs.append(TextDelta("r", str(error)))
        yield Think(Stream(0, []), [1])
        outputs.append(TextDelta("r", "went on"))

    sequences = Sequences(Device(broken=7).run, (Refused,))
    outputs: list[Output] = []
    sequences.start("refused", "k", work([], raising(Refused("no"))))
    sequences.start("caught", "k", work(outputs, catching(outputs)))
    delivered = run(sequences)
    assert told(delivered, "refused") == ["ResponseFailed"]
    assert told(delivered, "caught") == ["broken", "went on"]
    assert not caplog.records
    sequences.start("raised", "k", work([], raising(ValueError("our fault"))))
    assert told(run(sequences), "raised") == ["ResponseFailed"]
    assert [record.getMessage() for record in caplog.records] == ["! raised k"]


def test_one_waits_for_another_in_the_same_step_in_which_that_ends() -> None:
    ready: list[bool] = []
    outputs: list[Output] = []

    def first() -> Body:
        yield Think(Stream(0, []), [1])
        ready.append(True)

    def second() -> Body:
        while not ready:
            yield None
        outputs.append(TextDelta("r", "ready"))

    sequences = Sequences(Device().run)
    sequences.start("s", "second", work(outputs, second()))
    sequences.start("s", "first", work([], first()))
    assert sequences.step() == []
    assert sequences.step() == [("s", TextDelta("r", "ready"))]
    assert sequences.step() is None


def test_held_dropped_ended_and_abandoned() -> None:
    device, freed = Device(), list[str]()
    sequences = Sequences(device.run)

    def endless() -> Iterator[Step]:
        while True:
            yield Think(Stream(0, []), [1])

    for session_id, key in (("a", "one"), ("a", "two"), ("b", "one"), ("c", "one")):
        sequences.start(session_id, key, work([], endless(), freed, session_id + key))  # type: ignore[arg-type]
    sequences.hold("b", True)
    sequences.step()
    assert len(device.batches[-1]) == 3
    sequences.drop("a", "one")
    sequences.end("b")
    sequences.step()
    assert len(device.batches[-1]) == 2
    assert freed == ["aone", "bone"]
    assert [(name, type(o)) for name, o in sequences.abandon()] == [("a", ResponseFailed), ("c", ResponseFailed)]
    assert freed == ["aone", "bone", "atwo", "cone"]
    assert sequences.step() is None
