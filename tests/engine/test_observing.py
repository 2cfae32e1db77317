"""Of a turn everything is noted that happened, in order, by call and worker; and that it is changes nothing."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.observing import Noted, observed
from realtime_server.engine.worker import EngineWorker
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import Call
from realtime_server.transport.engines.local import LocalEngine
from realtime_server.turns.detectors import DETECTORS
from realtime_server.turns.worker import DetectorWorker
from tests.engine.test_worker import STEPS, Echo
from tests.helpers import TEXT_ITEM
from tests.live import WAIT_S
from tests.transport.engines.test_client import WatchedShell


class Recorder:
    def __init__(self) -> None:
        self.noted: list[Noted] = []
        self.commands = threading.Semaphore(0)

    def note(self, noted: Noted) -> None:
        self.noted.append(noted)
        if noted.kind == "command":
            self.commands.release()


def test_a_turn_is_recorded() -> None:
    recorder = Recorder()

    async def scenario() -> None:
        local = LocalEngine(asyncio.get_running_loop())
        worker = EngineWorker(Echo(), local.deliver, recorder)
        local.attach(worker, DetectorWorker(DETECTORS["webrtc"](), local.deliver))
        worker.start()
        call = Call(
            "call", Session(SessionStart("echo", False, 0, asyncio.get_running_loop().time())), local, observer=recorder
        )
        shell = WatchedShell(call)
        try:
            async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
                group.create_task(call.run(shell))
                await shell.until("session.created")
                shell.say("conversation.item.create", item=TEXT_ITEM)
                shell.say("response.create")
                await shell.until("response.done")
                # What is not begun when the session ends is for nobody: that the answer is an item is told before.
                for _ in ("AddItem", "Respond", "AddItem"):
                    assert await asyncio.to_thread(recorder.commands.acquire, timeout=WAIT_S)
                shell.gone.set()
        finally:
            worker.stop()
        assert [noted.name for noted in recorder.noted if noted.kind == "sent"] == shell.kinds

    asyncio.run(scenario())
    assert all(noted.took_s >= 0 for noted in recorder.noted)
    by_call = [noted for noted in recorder.noted if noted.kind not in ("command", "step")]
    assert [noted.name for noted in by_call if noted.kind == "received"] == ["conversation.item.create", "response.create"]
    assert [noted.name for noted in by_call if noted.kind == "output"] == ["TextDelta"] * (STEPS - 1) + ["ResponseFinished"]
    assert {noted.session_id for noted in by_call} == {"call"}
    assert [noted.at for noted in by_call] == sorted(noted.at for noted in by_call)
    assert [noted.name for noted in recorder.noted if noted.kind == "command"] == ["AddItem", "Respond", "AddItem"]
    assert sum(noted.kind == "step" for noted in recorder.noted) >= STEPS


@given(st.booleans(), st.booleans())
def test_the_work_is_the_same_with_and_without_an_observer(watched: bool, breaks: bool) -> None:
    recorder = Recorder()

    def work() -> int:
        if breaks:
            raise RuntimeError("broken")
        return 7

    def run() -> int:
        return observed(recorder if watched else None, "s", "step", "step", work)

    if breaks:
        with pytest.raises(RuntimeError, match="broken"):
            run()
    else:
        assert run() == 7
    assert len(recorder.noted) == watched
