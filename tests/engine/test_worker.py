"""The one thread: commands reach the model in order, outputs come back, one broken command harms nobody."""

import queue

import pytest

from realtime_server import messages as m
from realtime_server.engine.worker import EngineWorker

WAIT_S = 10


class Echo:
    """A model that answers each request in two steps, and breaks on demand."""

    name = "echo"
    abilities = m.Abilities()

    def __init__(self) -> None:
        self.pending: list[tuple[str, m.Respond, int]] = []

    def run(self, session_id: str, command: m.Command) -> None:
        if isinstance(command, m.Respond):
            if command.voice == "broken":
                raise RuntimeError("broken")
            self.pending.append((session_id, command, 0))

    def hold(self, session_id: str, held: bool) -> None: ...

    def end(self, session_id: str) -> None:
        self.pending = [p for p in self.pending if p[0] != session_id]

    def step(self) -> list[tuple[str, m.Output]] | None:
        if not self.pending:
            return None
        session_id, request, stage = self.pending.pop(0)
        if stage == 0:
            self.pending.append((session_id, request, 1))
            return [(session_id, m.TextDelta(request.response_id, "hi"))]
        return [(session_id, m.ResponseFinished(request.response_id, "completed"))]


def request(response_id: str, voice: str = "marin") -> m.Respond:
    return m.Respond(response_id, m.Context("", (), ()), False, voice, "auto", None)


def test_outputs_come_back_to_their_session(caplog: pytest.LogCaptureFixture) -> None:
    got: queue.SimpleQueue[tuple[str, m.Output]] = queue.SimpleQueue()
    worker = EngineWorker(Echo(), lambda sid, output: got.put((sid, output)))
    worker.start()
    worker.submit("a", request("ra"))
    worker.submit("b", request("rb", voice="broken"))
    worker.submit("c", request("rc"))
    outputs = [got.get(timeout=WAIT_S) for _ in range(5)]
    worker.stop()
    of = {sid: [o for s, o in outputs if s == sid] for sid in "abc"}
    assert [type(o) for o in of["a"]] == [type(o) for o in of["c"]] == [m.TextDelta, m.ResponseFinished]
    (failed,) = of["b"]
    assert isinstance(failed, m.ResponseFailed)
    assert "broken" not in failed.message
    assert "broken" in caplog.text
