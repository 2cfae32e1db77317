"""Whatever is asked for, what is kept stays within its room."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.caching import Cache


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30))), st.integers(0, 60))
def test_it_answers_rightly_and_keeps_to_its_room(asked: list[tuple[int, int]], room: int) -> None:
    sizes: dict[int, int] = {}
    cache = Cache[int, str](room)
    for key, size in asked:
        size = sizes.setdefault(key, size)
        assert cache.get(key, size, lambda key=key: f"value {key}") == f"value {key}"  # type: ignore[misc]
        assert sum(size for _, size in cache._kept.values()) == cache._taken <= room


def test_what_was_asked_for_lately_is_made_once() -> None:
    made = list[str]()

    def get(key: str) -> None:
        cache.get(key, 1, lambda: made.append(key))

    cache = Cache[str, None](2)
    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]
