"""Outputs find their way back: each session's in order, whatever other receivers break and however much others have waiting."""

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.transport import bridge as module
from realtime_server.transport.bridge import OUTPUTS_AT_ONCE, Bridge
from tests.live import WAIT_S


class Worker:
    """In the engine's and in the detector's place."""

    def __init__(self) -> None:
        self.alive = True
        self.commands: list[tuple[str, m.Command | None]] = []
        self.ended: list[str] = []

    def submit(self, session_id: str, command: m.Command | None) -> None:
        self.commands.append((session_id, command))

    def hold(self, session_id: str, held: bool) -> None: ...

    def end(self, session_id: str) -> None:
        self.ended.append(session_id)


def open_bridge() -> tuple[Bridge, Worker, Worker]:
    bridge, engine, detector = Bridge(asyncio.get_running_loop()), Worker(), Worker()
    bridge.attach(engine, detector)  # type: ignore[arg-type]
    return bridge, engine, detector


class Client:
    """A receiver that breaks at the outputs that it is told to, and knows when it has been called as often as `expected`."""

    def __init__(self, breaks_at: frozenset[int] = frozenset(), expected: int | None = None) -> None:
        self.got: list[m.Output] = []
        self.calls = 0
        self.done = asyncio.Event()
        self._breaks_at, self._expected = breaks_at, expected

    def __call__(self, output: m.Output) -> None:
        self.calls += 1
        if self.calls == self._expected:
            self.done.set()
        if self.calls - 1 in self._breaks_at:
            raise RuntimeError("a receiver that breaks")
        self.got.append(output)


def words(name: str, count: int) -> list[m.Output]:
    return [m.TextDelta(name, str(n)) for n in range(count)]


@given(
    st.lists(st.tuples(st.frozensets(st.integers(0, 12)), st.integers(0, 12)), max_size=5),
    st.integers(1, 3 * OUTPUTS_AT_ONCE),
    st.randoms(use_true_random=False),
)
def test_who_breaks_costs_himself_and_nobody_else(
    others: list[tuple[frozenset[int], int]], healthy_outputs: int, order: random.Random
) -> None:
    async def scenario() -> None:
        bridge, _, _ = open_bridge()
        healthy = Client(expected=healthy_outputs)
        clients: dict[str, Client] = {"healthy": healthy}
        left = {"healthy": words("healthy", healthy_outputs)}
        expected = {"healthy": left["healthy"].copy()}
        for name, (breaks_at, count) in ((f"other-{n}", other) for n, other in enumerate(others)):
            good = min((k for k in breaks_at if k < count), default=count)
            left[name] = words(name, count)
            # The output that breaks it is lost, and all after it; that it is told may break it once more.
            told: list[m.Output] = [] if good == count or good + 1 in breaks_at else [m.SessionFailed(module.BROKE)]
            expected[name] = left[name][:good] + told
            clients[name] = Client(breaks_at, good if good == count else good + 2)
        for name, client in clients.items():
            bridge.open(name, client)
        while names := [name for name in left if left[name]]:
            name = order.choice(names)
            bridge.deliver(name, left[name].pop(0))
        async with asyncio.timeout(WAIT_S):
            for name in (name for name in clients if expected[name]):
                await clients[name].done.wait()
        assert {name: client.got for name, client in clients.items()} == expected

    asyncio.run(scenario())


def test_a_fault_is_logged_once_and_never_loops(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        bridge, _, _ = open_bridge()
        always, healthy = Client(frozenset(range(100))), Client(expected=1)
        bridge.open("always", always)
        bridge.open("healthy", healthy)
        for output in words("always", 50):
            bridge.deliver("always", output)
        bridge.deliver("healthy", m.CallDone("healthy"))
        async with asyncio.timeout(WAIT_S):
            await healthy.done.wait()
        assert always.calls == 2
        bridge.close("always")

    asyncio.run(scenario())
    assert caplog.text.count("TextDelta broke its receiver") == 1


def test_thousands_of_outputs_do_not_stop_the_loop() -> None:
    """The loop has its turn between the slices."""

    async def scenario() -> None:
        bridge, _, _ = open_bridge()
        burst, healthy = Client(), Client(expected=1)
        bridge.open("burst", burst)
        bridge.open("healthy", healthy)
        for output in words("burst", 5000):
            bridge.deliver("burst", output)
        bridge.deliver("healthy", m.CallDone("healthy"))
        while len(burst.got) < 5000:
            before = len(burst.got)
            await asyncio.sleep(0)
            assert len(burst.got) - before <= OUTPUTS_AT_ONCE
        assert healthy.got == [m.CallDone("healthy")]
        assert burst.got == words("burst", 5000)

    asyncio.run(scenario())


def test_another_session_comes_next_however_much_one_has_waiting() -> None:
    async def scenario() -> None:
        bridge, _, _ = open_bridge()
        seen: list[str] = []
        done = asyncio.Event()

        def healthy(output: m.Output) -> None:
            seen.append("healthy")
            done.set()

        bridge.open("burst", lambda output: seen.append("burst"))
        bridge.open("healthy", healthy)
        for output in words("burst", 1000):
            bridge.deliver("burst", output)
        bridge.deliver("healthy", m.CallDone("healthy"))
        async with asyncio.timeout(WAIT_S):
            await done.wait()
        assert seen.index("healthy") <= 1

    asyncio.run(scenario())


def test_what_waits_for_a_closed_session_is_let_go() -> None:
    async def scenario() -> None:
        bridge, engine, detector = open_bridge()
        leaving, staying = Client(), Client(expected=1)
        bridge.open("leaving", leaving)
        bridge.open("staying", staying)
        bridge.deliver("leaving", m.CallDone("r"))
        bridge.close("leaving")
        bridge.deliver("leaving", m.CallDone("r"))
        bridge.deliver("staying", m.CallDone("r"))
        async with asyncio.timeout(WAIT_S):
            await staying.done.wait()
        assert not leaving.got
        assert engine.ended == ["leaving"]
        assert detector.commands == [("leaving", None)]

    asyncio.run(scenario())


@pytest.mark.parametrize("which", [lambda engine, detector: engine, lambda engine, detector: detector])
def test_when_a_thread_has_failed_everyone_is_told_once(
    which: Callable[[Worker, Worker], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)

    async def scenario() -> None:
        bridge, engine, detector = open_bridge()
        bridge.watch()
        clients = [Client(expected=1), Client(frozenset({0})), Client(expected=1)]
        for n, client in enumerate(clients):
            bridge.open(str(n), client)
        assert bridge.alive
        which(engine, detector).alive = False
        assert not bridge.alive
        async with asyncio.timeout(WAIT_S):
            await clients[0].done.wait()
            await clients[2].done.wait()
        late = Client(expected=1)
        bridge.open("late", late)
        async with asyncio.timeout(WAIT_S):
            await late.done.wait()
        bridge.stop_watching()
        assert [client.got for client in (clients[0], clients[2], late)] == [[m.SessionFailed(module.ENGINE_FAILED)]] * 3

    asyncio.run(scenario())


def test_a_thread_that_was_only_kept_waiting_has_not_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)

    async def scenario() -> None:
        bridge, engine, _ = open_bridge()
        client = Client(expected=1)
        bridge.open("client", client)
        for alive in (True, False, True, False, True):
            engine.alive = alive
            bridge.watch()
            bridge.stop_watching()
        assert not client.got

    asyncio.run(scenario())
