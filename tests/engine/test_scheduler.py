"""Who steps: everyone in turn, nobody who is held."""

from realtime_server.engine.scheduler import Scheduler
from realtime_server.engine.sequence import Sequence, Status


def ready(scheduler: Scheduler, session_id: str, key: str = "k") -> Sequence:
    sequence = scheduler.add(session_id, key)
    sequence.status = Status.READY
    return sequence


def test_more_than_fit_take_turns() -> None:
    scheduler = Scheduler(limit=2)
    everyone = [ready(scheduler, str(n)) for n in range(5)]
    for _ in range(5):
        assert len(scheduler.next_batch()) == 2
    assert [s.steps for s in everyone] == [2] * 5


def test_held_and_waiting_sequences_do_not_step() -> None:
    scheduler = Scheduler()
    a, b = ready(scheduler, "a"), ready(scheduler, "b")
    waiting = scheduler.add("c", "k")
    scheduler.hold("a", True)
    assert scheduler.next_batch() == [b]
    scheduler.hold("a", False)
    assert scheduler.next_batch() == [a, b]
    assert scheduler.waiting() == [waiting]


def test_removing_by_key() -> None:
    scheduler = Scheduler()
    first, second = ready(scheduler, "a", "one"), ready(scheduler, "a", "two")
    assert scheduler.of("a") == [first, second]
    for sequence in scheduler.of("a", "one"):
        scheduler.remove(sequence.number)
    assert scheduler.next_batch() == [second]


def test_one_session_takes_no_more_than_its_share() -> None:
    scheduler = Scheduler(limit=4, share=2)
    greedy = [ready(scheduler, "greedy", str(n)) for n in range(6)]
    modest = ready(scheduler, "modest")
    for pair in (greedy[:2], greedy[2:4], greedy[4:]):
        for _ in range(3):
            assert sorted(s.number for s in scheduler.next_batch()) == sorted(s.number for s in [*pair, modest])
        for sequence in pair:
            scheduler.remove(sequence.number)
