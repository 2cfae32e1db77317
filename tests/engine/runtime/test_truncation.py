"""What of a conversation is shown: the newest that fits, results with their calls, the same beginning from turn to turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import messages as m
from realtime_server.engine.runtime import truncation as history


def call(number: int) -> m.FunctionCall:
    return m.FunctionCall(f"call{number}", f"id{number}", "get_weather", "{}")


def result(number: int) -> m.FunctionResult:
    return m.FunctionResult(f"result{number}", f"id{number}", "sunny")


def said(number: int, role: str = "user") -> m.Message:
    return m.Message(f"{role}{number}", role, (m.Text("hello"),))  # type: ignore[arg-type]


def order(*items: m.ContextItem) -> list[str]:
    return [item.item_id for part in history.in_order(items) for item in part.items]


def test_a_result_stands_behind_its_own_call() -> None:
    both = (said(0), call(0), said(1), call(1))
    assert order(*both, result(0)) == ["user1", "call1", "user0", "call0", "result0"]
    assert order(*both, result(1)) == ["user0", "call0", "user1", "call1", "result1"]
    assert order(said(0), call(0), call(1), result(1), result(0)) == ["user0", "call1", "result1", "call0", "result0"]
    assert order(said(0), call(0), said(1), said(1, "assistant"), result(0)) == [
        "user1",
        "assistant1",
        "user0",
        "call0",
        "result0",
    ]


ITEMS = st.one_of(st.builds(said, st.integers(0, 3), st.sampled_from(["user", "assistant", "system"])),
                  st.builds(call, st.integers(0, 3)), st.builds(result, st.integers(0, 3)))  # fmt: skip


@given(st.lists(ITEMS, max_size=20))
def test_nothing_is_lost_and_results_keep_their_calls(items: list[m.ContextItem]) -> None:
    parts = history.in_order(items)
    shown = [item for part in parts for item in part.items]
    assert sorted(id(item) for item in shown) == sorted(id(item) for item in items if not history.is_note(item))
    waiting = set[str]()
    for item in items:
        if isinstance(item, m.FunctionCall):
            waiting.add(item.call_id)
        elif isinstance(item, m.FunctionResult) and item.call_id in waiting:
            waiting.remove(item.call_id)
            before = shown[[other is item for other in shown].index(True) - 1]
            assert isinstance(before, m.FunctionCall)
            assert before.call_id == item.call_id
    if items and not history.is_note(items[-1]):
        assert shown[-1] is items[-1]


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(30, 100), st.floats(0.3, 1.0))
def test_truncation_fits_and_is_stable(lengths: list[int], room: int, retention: float) -> None:
    parts = [[n] * length for n, length in enumerate(lengths)]
    truncation = m.Truncation(retention=retention)
    kept = history.fitting(parts, room, truncation)
    assert sum(map(len, kept)) <= room
    assert kept == parts[len(parts) - len(kept) :]
    if sum(lengths) <= room:
        assert kept == parts
    # While there is room, a further part only adds itself: the beginning stays as it was.
    if sum(map(len, kept)) < room:
        assert history.fitting([*parts, [99]], room, truncation) == [*kept, [99]]


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=40), st.integers(1, 60), st.integers(0, 300))
def test_what_is_kept_fits_and_begins_with_a_user(parts: list[tuple[int, bool]], trained: int, room: int) -> None:
    """Also where one part alone is too long."""
    ids, asks = [[n] * length for n, (length, _) in enumerate(parts)], [asks for _, asks in parts]
    kept = history.fitting(ids, room, m.Truncation(), trained, asks)
    assert sum(map(len, kept)) <= min(room, trained)
    assert kept == ids[len(ids) - len(kept) :]
    if len(kept) < len(ids) and len(kept) > 1:
        assert asks[len(ids) - len(kept)] or not any(asks[len(ids) - len(kept) :])


def test_what_was_trained_holds_unless_nothing_may_be_left_out() -> None:
    parts = [[n] * 10 for n in range(10)]
    assert len(history.fitting(parts, 100, m.Truncation(), 50)) < 6
    assert history.fitting(parts, 100, m.Truncation(allowed=False), 50) == parts
    with pytest.raises(history.ContextTooLong, match="100 tokens; 90 fit"):
        history.fitting(parts, 90, m.Truncation(allowed=False), 50)
    assert len(history.fitting(parts, 300, m.Truncation(conversation_tokens=20))) == 2
    assert len(history.fitting(parts, 300, m.Truncation(conversation_tokens=20), 50)) == 2


@given(st.lists(st.integers(1, 500), max_size=60), st.integers(1, 300))
def test_few_are_looked_at_and_all_that_could_fit(sizes: list[int], room: int) -> None:
    first = history.newest(sizes, room)
    assert sum(sizes[first:]) <= 2 * room
    # The part before would make it more than what fits.
    assert first == 0 or sum(sizes[first - 1 :]) > room
    # Further parts seldom change where it begins.
    if first and sum(sizes) % room < room // 2:
        assert history.newest([*sizes, 1], room) == first or room < 3
