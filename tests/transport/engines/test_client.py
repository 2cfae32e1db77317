"""Whatever stands between a call and its engine: the same conversation, and nothing crosses that is more than data."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from realtime_server import messages as m
from realtime_server.engine.contract import EngineClient
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.worker import EngineWorker
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import Call
from realtime_server.transport.engines.local import LocalEngine
from realtime_server.turns.detectors import DETECTORS
from realtime_server.turns.worker import DetectorWorker
from tests.helpers import TEXT_ITEM, TOOL, pcm
from tests.live import WAIT_S
from tests.transport.doubles import RecordingShell
from tests.transport.engines.pickled import PickledEngine

SOUND = pcm(np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32))
BY_HAND = {"turn_detection": None, "transcription": {"model": "whisper-1"}}
SESSION = {"type": "realtime", "tools": [TOOL], "audio": {"input": BY_HAND}}
SAID = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": SOUND}]}
CROSSES = {
    m.AddItem, m.AddTranscript, m.ReplaceItem, m.RemoveItem, m.Listen, m.Hear, m.Commit, m.Forget, m.Respond, m.Cancel,
    m.Detect, m.ResetDetector, m.SpeechProbability, m.TranscriptDone, m.Prompted, m.TextDelta, m.ResponseFinished,
}  # fmt: skip


class WatchedShell(RecordingShell):
    """Can be waited for."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.more = asyncio.Event()

    def show(self, event: object) -> None:
        super().show(event)
        self.more.set()

    async def until(self, kind: str, count: int = 1) -> None:
        while self.kinds.count(kind) < count:
            self.more.clear()
            await self.more.wait()


@asynccontextmanager
async def local_engine(model: WrenModel) -> AsyncIterator[LocalEngine]:
    local = LocalEngine(asyncio.get_running_loop())
    engine, detector = EngineWorker(model, local.deliver), DetectorWorker(DETECTORS["webrtc"](), local.deliver)
    local.attach(engine, detector)
    engine.start()
    detector.start()
    try:
        yield local
    finally:
        engine.stop()
        detector.stop()


async def converse(engine: EngineClient) -> list[str]:
    """Two turns by hand, a recording, an answer beside, an interruption; the kinds of the events that do not depend on when."""
    call = Call("call", Session(SessionStart("tiny", False, 0, asyncio.get_running_loop().time())), engine)
    shell = WatchedShell(call)
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        group.create_task(call.run(shell))
        await shell.until("session.created")
        shell.say("input_audio_buffer.append", audio=SOUND)
        shell.say("session.update", session=SESSION)
        shell.say("conversation.item.create", item=TEXT_ITEM)
        for turn in (1, 2):
            shell.say("input_audio_buffer.append", audio=SOUND)
            shell.say("input_audio_buffer.commit")
            await shell.until("conversation.item.input_audio_transcription.completed", turn)
            shell.say("response.create")
            await shell.until("response.done", turn)
        shell.say("conversation.item.create", item=SAID)
        shell.say("conversation.item.delete", item_id=shell.events[-1]["item"]["id"])
        shell.say("response.create", response={"conversation": "none", "input": [SAID], "tool_choice": "none"})
        await shell.until("response.done", 3)
        shell.say("input_audio_buffer.append", audio=SOUND)
        shell.say("input_audio_buffer.clear")
        shell.say("response.create", response={"tool_choice": {"type": "function", "name": "get_weather"}})
        shell.say("response.cancel")
        await shell.until("response.done", 4)
        shell.gone.set()
    return [event["response"]["status"] for event in shell.events if event["type"] == "response.done"]


@pytest.mark.usefixtures("unsearched")
def test_all_that_crosses_is_data(tiny_model: WrenModel) -> None:
    async def scenario() -> None:
        async with local_engine(tiny_model) as local:
            plain = await converse(local)
            pickled = PickledEngine(local)
            assert await converse(pickled) == plain
            assert plain[-1] == "cancelled"
            assert pickled.alive
            assert sorted(t.__name__ for t in CROSSES - pickled.crossed) == []

    asyncio.run(scenario())
