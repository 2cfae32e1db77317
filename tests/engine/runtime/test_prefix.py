"""What is reused is a common beginning, at most one stream a session, and no slot is lost."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.cache import GrowingCache, Shape, Slots
from realtime_server.engine.runtime.prefix import Prefixes, common

ids = st.lists(st.integers(0, 2), max_size=8)


@given(ids, ids)
def test_common_is_the_longest_beginning_of_both(a: list[int], b: list[int]) -> None:
    length = common(a, b)
    assert a[:length] == b[:length]
    assert a[length : length + 1] != b[length : length + 1] or length == len(a) == len(b)


@given(st.lists(st.tuples(st.sampled_from("ab"), ids.filter(bool), st.booleans()), max_size=12))
def test_the_next_stream_starts_from_the_last(turns: list[tuple[str, list[int], bool]]) -> None:
    slots = Slots(GrowingCache(Shape(1, 1, 1), torch.device("cpu")))
    prefixes, last = Prefixes(slots), dict[str, list[int]]()
    for session_id, wanted, ends in turns:
        stream, cached = prefixes.take(session_id, wanted)
        assert stream.ids == wanted[:cached]
        assert cached == common(last.get(session_id, []), wanted[:-1]) < len(wanted)
        assert prefixes.kept(session_id) is None
        stream.ids += wanted[cached:]
        prefixes.keep(session_id, stream)
        last[session_id] = wanted
        if ends:
            prefixes.end(session_id)
            del last[session_id]
        assert slots.in_use == len(last)
