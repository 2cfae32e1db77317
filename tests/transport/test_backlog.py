"""What waits is sent in order; each water mark is told once when it is passed, and once when half of it is left."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.transport.backlog import Backlog, Goodbye

HOLD, UNREAD = 100, 200


@given(st.lists(st.one_of(st.integers(0, 300), st.none())))
def test_the_marks_follow_the_bytes(steps: list[int | None]) -> None:
    """A number puts a message of that length, None sends the oldest."""

    async def scenario() -> None:
        holds: list[bool] = []
        backlog = Backlog(HOLD, UNREAD, holds.append)
        waiting: list[int] = []
        holding = False
        room = True
        for step in steps:
            if step is not None:
                waiting.append(step)
                backlog.put("x" * step)
            elif waiting:
                message = await backlog.next()
                assert isinstance(message, str)
                assert len(message) == waiting.pop(0)
                backlog.sent(message)
            size = sum(waiting)
            holding = size > (HOLD // 2 if holding else HOLD)
            room = size <= (UNREAD if room else UNREAD // 2)
            assert backlog.bytes == size
            assert backlog.room.is_set() is room
            assert (holds[-1] if holds else False) is holding
        assert holds == [n % 2 == 0 for n in range(len(holds))]

    asyncio.run(scenario())


def test_a_message_counts_until_it_is_sent_and_a_goodbye_never() -> None:
    async def scenario() -> None:
        backlog = Backlog(HOLD, UNREAD, lambda held: None)
        backlog.put("x" * 300)
        backlog.put(Goodbye(1000, ""))
        message = await backlog.next()
        assert backlog.bytes == 300
        assert not backlog.room.is_set()
        backlog.clear()
        assert backlog.bytes == 300
        assert isinstance(message, str)
        backlog.sent(message)
        assert backlog.bytes == 0
        assert backlog.room.is_set()

    asyncio.run(scenario())
