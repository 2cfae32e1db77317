"""The one thread: commands reach the model in order, outputs come back, and what one session breaks harms nobody else."""

import queue
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.contract import DeviceLost
from realtime_server.engine.worker import EngineWorker

WAIT_S = 10
STEPS = 3
Got = queue.SimpleQueue[tuple[str, m.Output]]


class Echo:
    """A model that answers each request in STEPS steps; `breaks` says, for each thing it does, whether that breaks."""

    name = "echo"
    abilities = m.Abilities()

    def __init__(self, breaks: Callable[[str, str], bool] = lambda what, session_id: False) -> None:
        self.pending: list[tuple[str, str, int]] = []
        self.turns: set[str] = set()
        self.breaks = breaks
        self.ran: list[m.Command] = []

    def _may_break(self, what: str, session_id: str) -> None:
        if self.breaks(what, session_id):
            raise RuntimeError(f"broken {what}")

    def run(self, session_id: str, command: m.Command) -> None:
        self.ran.append(command)
        self._may_break("run", session_id)
        if isinstance(command, m.Respond):
            self.pending.append((session_id, command.response_id, 0))
        if isinstance(command, m.Cancel):
            self.pending = [p for p in self.pending if p[1] != command.response_id]

    def hold(self, session_id: str, held: bool) -> None:
        self._may_break("hold", session_id)

    def end(self, session_id: str) -> None:
        self.pending = [p for p in self.pending if p[0] != session_id]
        self._may_break("end", session_id)

    def step(self) -> list[tuple[str, m.Output]] | None:
        if not self.pending:
            return None
        session_id, response_id, stage = self.pending[0]
        self._may_break("step", session_id)
        del self.pending[0]
        if stage < STEPS - 1:
            self.pending.append((session_id, response_id, stage + 1))
            return [(session_id, m.TextDelta(response_id, "hi"))]
        return [(session_id, m.ResponseFinished(response_id, "completed"))]

    def abandon(self) -> list[tuple[str, m.Output]]:
        self._may_break("abandon", "")
        failed = [(sid, m.ResponseFailed(rid, "server_error", "abandoned")) for sid, rid, _ in self.pending]
        self.pending.clear()
        return list(failed)


@contextmanager
def running(model: Echo) -> Iterator[tuple[EngineWorker, Got]]:
    got: Got = queue.SimpleQueue()
    worker = EngineWorker(model, lambda sid, output: got.put((sid, output)))
    worker.start()
    try:
        yield worker, got
    finally:
        worker.stop()


def request(response_id: str) -> m.Respond:
    return m.Respond(response_id, m.Context("", (), ()), False, "marin", "auto", None)


def outputs_until_all_ended(got: Got, ids: set[str]) -> list[tuple[str, m.Output]]:
    """Each of these responses ends, once."""
    outputs, left = [], set(ids)
    while left:
        sid, output = got.get(timeout=WAIT_S)
        outputs.append((sid, output))
        if isinstance(output, m.ResponseFinished | m.ResponseFailed):
            left.remove(output.response_id)
    return outputs


def test_outputs_come_back_to_their_session(caplog: pytest.LogCaptureFixture) -> None:
    with running(Echo(lambda what, sid: what == "run" and sid == "b")) as (worker, got):
        for sid in "abc":
            worker.submit(sid, request(f"r{sid}"))
        outputs = outputs_until_all_ended(got, {"ra", "rb", "rc"})
    of = {sid: [o for s, o in outputs if s == sid] for sid in "abc"}
    whole = [*[m.TextDelta] * (STEPS - 1), m.ResponseFinished]
    assert [type(o) for o in of["a"]] == [type(o) for o in of["c"]] == whole
    (failed,) = of["b"]
    assert isinstance(failed, m.ResponseFailed)
    assert "broken" not in failed.message
    assert "broken" in caplog.text


@given(seed=st.integers(0, 10_000), often=st.sampled_from([0.05, 0.3, 0.8]))
@settings(max_examples=40)
def test_who_breaks_a_command_harms_nobody_else(seed: int, often: float) -> None:
    chance = random.Random(seed)
    model = Echo(lambda what, sid: what != "step" and sid == "bad" and chance.random() < often)
    with running(model) as (worker, got):
        for n in range(8):
            worker.submit("bad", request(f"bad{n}"))
            worker.submit("good", request(f"good{n}"))
            worker.hold("bad", n % 2 == 0)
            if n % 3 == 0:
                worker.end("bad")
        worker.submit("good", request("last"))
        wanted = {f"good{n}" for n in range(8)} | {"last"}
        mine = []
        while wanted:
            sid, output = got.get(timeout=WAIT_S)
            if sid == "good":
                mine.append(output)
                assert isinstance(output, m.TextDelta | m.ResponseFinished)
                if isinstance(output, m.ResponseFinished):
                    wanted.remove(output.response_id)
        assert worker.alive
    assert len(mine) == 9 * STEPS


@given(seed=st.integers(0, 10_000), often=st.sampled_from([0.05, 0.3, 0.8]))
@settings(max_examples=40)
def test_a_step_that_breaks_fails_what_ran_and_the_thread_goes_on(seed: int, often: float) -> None:
    chance = random.Random(seed)
    trouble = True
    model = Echo(lambda what, sid: trouble and what == "step" and chance.random() < often)
    ids = {f"r{n}" for n in range(6)}
    with running(model) as (worker, got):
        for n, response_id in enumerate(sorted(ids)):
            worker.submit(str(n), request(response_id))
        outputs_until_all_ended(got, ids)
        trouble = False
        worker.submit("later", request("later"))
        assert [type(o) for _, o in outputs_until_all_ended(got, {"later"})] == [
            *[m.TextDelta] * (STEPS - 1),
            m.ResponseFinished,
        ]
        assert worker.alive


COMMANDS: list[m.Command] = [
    m.Listen("item", m.Context("", (), ())), m.Hear("item", np.zeros(1, np.int16)), m.Commit("item"), m.Forget("item"), request("resp"), m.Cancel("resp"),
]  # fmt: skip


@pytest.mark.parametrize("first", COMMANDS, ids=lambda c: type(c).__name__)
def test_every_command_that_fails_is_told_and_what_follows_for_its_id_is_ignored(
    first: m.Command, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True
    model = Echo(lambda what, sid: broken and what == "run")
    with running(model) as (worker, got):
        for command in (first, *COMMANDS[:4], *COMMANDS[4:]):
            worker.submit("s", command)
        failures = [got.get(timeout=WAIT_S)[1] for _ in range(2)]
        assert {type(f) for f in failures} == {m.TranscriptFailed, m.ResponseFailed}
        worker.end("s")
        broken = False
        worker.submit("s", request("resp"))
        outputs_until_all_ended(got, {"resp"})
        assert got.empty()
    assert caplog.text.count("Traceback") == 2


@pytest.mark.parametrize("cause", ["step", "abandon"])
def test_a_device_that_is_lost_stays_so_and_the_thread_can_still_be_stopped(cause: str) -> None:
    broke = threading.Event()

    class Lost(Echo):
        def step(self) -> list[tuple[str, m.Output]] | None:
            if cause == "step":
                broke.set()
                raise DeviceLost("gone")
            raise RuntimeError("broken")

        def abandon(self) -> list[tuple[str, m.Output]]:
            broke.set()
            raise RuntimeError("broken")

    model = Lost()
    with running(model) as (worker, got):
        assert worker.alive
        worker.submit("a", request("ra"))
        assert broke.wait(WAIT_S)
        worker.submit("b", request("rb"))
        worker.end("a")
    assert not worker.alive
    assert got.empty()
    assert [c.response_id for c in model.ran if isinstance(c, m.Respond)] == ["ra"]
