"""Who steps: everyone in turn, nobody who is held, a long prompt in chunks."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.scheduler import Limits, Scheduler, Sequence, Status


def ready(scheduler: Scheduler, session_id: str, key: str = "k", positions: int = 1, divisible: bool = False) -> Sequence:
    sequence = scheduler.add(session_id, key)
    sequence.status, sequence.positions, sequence.divisible = Status.READY, positions, divisible
    return sequence


def batch(scheduler: Scheduler) -> list[Sequence]:
    return [granted.sequence for granted in scheduler.next_batch()]


def test_more_than_fit_take_turns() -> None:
    scheduler = Scheduler(Limits(sequences=2))
    for n in range(5):
        ready(scheduler, str(n))
    stepped = [sequence.number for _ in range(5) for sequence in batch(scheduler)]
    assert sorted(stepped) == sorted(2 * [0, 1, 2, 3, 4])


def test_held_and_waiting_sequences_do_not_step() -> None:
    scheduler = Scheduler()
    a, b = ready(scheduler, "a"), ready(scheduler, "b")
    waiting = scheduler.add("c", "k")
    scheduler.hold("a", True)
    assert batch(scheduler) == [b]
    scheduler.hold("a", False)
    assert batch(scheduler) == [a, b]
    assert scheduler.waiting() == [waiting]


def test_removing_by_key() -> None:
    scheduler = Scheduler()
    first, second = ready(scheduler, "a", "one"), ready(scheduler, "a", "two")
    assert scheduler.of("a") == [first, second]
    for sequence in scheduler.of("a", "one"):
        scheduler.remove(sequence)
    assert batch(scheduler) == [second] == scheduler.all()


def test_one_session_takes_no_more_than_its_share() -> None:
    scheduler = Scheduler(Limits(sequences=4, share=2))
    greedy = [ready(scheduler, "greedy", str(n)) for n in range(6)]
    modest = ready(scheduler, "modest")
    for first, second in (greedy[:2], greedy[2:4], greedy[4:]):
        for _ in range(3):
            assert {s.number for s in batch(scheduler)} == {first.number, second.number, modest.number}
        scheduler.remove(first)
        scheduler.remove(second)


def test_a_long_prompt_stalls_nobody() -> None:
    scheduler = Scheduler(Limits(budget=160, chunk=128))
    talking = [ready(scheduler, f"talking{n}") for n in range(20)]
    prompts = [ready(scheduler, f"reading{n}", positions=2000, divisible=True) for n in range(3)]
    for _ in range(10):
        granted = {g.sequence.number: g.positions for g in scheduler.next_batch()}
        assert all(sequence.number in granted for sequence in talking)
        assert sorted(granted[s.number] for s in prompts if s.number in granted) == [12, 128]


@given(
    wanted=st.lists(st.tuples(st.integers(1, 700), st.booleans()), min_size=1, max_size=30),
    sequences=st.integers(1, 8), budget=st.integers(1, 300), chunk=st.integers(1, 128),
)  # fmt: skip
def test_everyone_comes_to_an_end_within_the_budget(
    wanted: list[tuple[int, bool]], sequences: int, budget: int, chunk: int
) -> None:
    scheduler = Scheduler(Limits(sequences, budget=budget, chunk=chunk))
    left = {n: ready(scheduler, str(n), positions=w, divisible=d) for n, (w, d) in enumerate(wanted)}
    for _ in range(sum(positions for positions, _ in wanted)):
        granted = scheduler.next_batch()
        assert 0 < len(granted) <= sequences
        assert len(granted) == 1 or sum(g.positions for g in granted) <= budget
        for g in granted:
            assert 0 < g.positions <= (min(chunk, g.sequence.positions) if g.sequence.divisible else g.sequence.positions)
            g.sequence.positions -= g.positions
            if not g.sequence.positions:
                scheduler.remove(left.pop(g.sequence.number))
        if not left:
            return
    raise AssertionError(f"{left} wait for ever")


def test_a_batch_leaves_no_one_out_for_ever() -> None:
    scheduler = Scheduler(Limits(sequences=3, budget=10))
    everyone = [
        ready(scheduler, str(n), positions=p, divisible=d)
        for n, (p, d) in enumerate([(1, False), (11, False)] * 3 + [(99, True)] * 2)
    ]
    last = {sequence.number: 0 for sequence in everyone}
    for now in range(1, 100):
        for sequence in batch(scheduler):
            last[sequence.number] = now
        assert now - min(last.values()) <= len(everyone)
