"""It rings at the moment that was set last, in the loop's own time."""

import asyncio

import pytest

from realtime_server.transport.alarm import Alarm
from tests.live import WAIT_S


@pytest.mark.parametrize("late", [0.0, -5.0])
def test_a_moment_that_has_come_rings_at_once(late: float) -> None:
    async def scenario() -> None:
        alarm = Alarm()
        alarm.set(asyncio.get_running_loop().time() + late)
        async with asyncio.timeout(WAIT_S):
            await alarm.rung()

    asyncio.run(scenario())


def test_it_can_be_moved_and_taken_back_while_it_is_waited_for() -> None:
    async def scenario() -> None:
        alarm, now = Alarm(), asyncio.get_running_loop().time()
        alarm.set(now + 1_000_000)
        ringing = asyncio.ensure_future(alarm.rung())
        for moment in (None, now + 2_000_000, None):
            alarm.set(moment)
            await asyncio.sleep(0)
            assert not ringing.done()
        alarm.set(now)
        async with asyncio.timeout(WAIT_S):
            await ringing

    asyncio.run(scenario())
