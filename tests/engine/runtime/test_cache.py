"""Slots of either kind hold what was written behind each position, whoever else is written beside it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.cache import CacheFull, FixedCache, GrowingCache, KVCache, Rows, Shape, Slots

SHAPE, CPU = Shape(layers=2, heads=2, head_dim=4), torch.device("cpu")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
SLOTS, LENGTH = 4, 24
steps = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(0, 3)), min_size=1, max_size=SLOTS, unique_by=lambda p: p[0]), st.integers(1, 5)),
    max_size=8,
)  # fmt: skip


def caches(device: torch.device = CPU) -> list[KVCache]:
    return [GrowingCache(SHAPE, device, least=2), FixedCache(SHAPE, SLOTS, LENGTH, device)]


@pytest.mark.parametrize("name", DEVICES)
@given(steps=steps)
def test_each_row_holds_what_it_was_given(name: str, steps: list[tuple[list[tuple[int, int]], int]]) -> None:
    """Every step crops each row by some positions and writes `time` new ones."""
    device = torch.device(name)
    for cache in caches(device):
        held = {slot: torch.zeros(2, SHAPE.layers, SHAPE.heads, 0, SHAPE.head_dim, device=device) for slot in range(SLOTS)}
        for rows, time in steps:
            places = [(slot, max(0, held[slot].shape[3] - back)) for slot, back in rows]
            if any(start + time > LENGTH for _, start in places):
                continue
            new = torch.randn(2, SHAPE.layers, len(places), SHAPE.heads, time, SHAPE.head_dim, device=device)
            window = cache.open(places, time)
            shown = torch.stack([torch.stack(window.through(layer, *new[:, layer])) for layer in range(2)], 1)
            for n, (slot, start) in enumerate(places):
                held[slot] = torch.cat([held[slot][..., :start, :], new[:, :, n]], 3)
                assert torch.equal(shown[:, :, n, :, : start + time], held[slot])


@pytest.mark.parametrize("name", DEVICES)
@given(places=st.lists(st.integers(0, LENGTH - 1), min_size=1, max_size=SLOTS), time=st.integers(1, 5))
def test_a_row_sees_what_stands_before_it(name: str, places: list[int], time: int) -> None:
    for cache in caches(torch.device(name)):
        positions, sees, _ = Rows(cache, list(enumerate(places))).enter(time, torch.device(name))
        assert positions.tolist() == [[start + n for n in range(time)] for start in places]
        for row, start in enumerate(places):
            for n in range(time):
                assert sees[row, 0, n].nonzero().flatten().tolist() == list(range(min(start + n + 1, sees.shape[-1])))


def test_padding_behind_the_end_of_a_fixed_slot_harms_nothing() -> None:
    cache = FixedCache(SHAPE, SLOTS, LENGTH, CPU)
    k = torch.randn(1, SHAPE.heads, LENGTH, SHAPE.head_dim)
    cache.open([(1, 0)], LENGTH).through(0, k, k)
    new = torch.randn(2, SHAPE.heads, 4, SHAPE.head_dim)
    keys, _ = cache.open([(1, LENGTH - 1), (0, 0)], 4).through(0, new, new)
    assert torch.equal(keys[0, :, : LENGTH - 1], k[0, :, : LENGTH - 1])
    assert torch.equal(keys[0, :, -1], new[0, :, 0])
    with pytest.raises(CacheFull):
        cache.open([(SLOTS, 0)], 1)
    with pytest.raises(CacheFull):
        cache.open([(0, LENGTH)], 1)


def test_a_step_over_all_slots_of_a_fixed_cache_copies_nothing() -> None:
    cache = FixedCache(SHAPE, SLOTS, LENGTH, CPU)
    new, everyone = torch.randn(SLOTS, SHAPE.heads, 1, SHAPE.head_dim), [(slot, slot) for slot in range(SLOTS)]
    first, _ = cache.open(everyone, 1).through(1, new, new)
    again, _ = cache.open(everyone, 1).through(1, new, new)
    assert first.data_ptr() == again.data_ptr()


@given(st.lists(st.booleans(), max_size=20))
def test_slots_are_used_again(taken: list[bool]) -> None:
    cache = GrowingCache(SHAPE, CPU)
    slots, held, most = Slots(cache), set[int](), 0
    for take in taken:
        if take:
            slot = slots.take()
            assert slot not in held
            assert cache.length(slot) == 0
            cache.open([(slot, 0)], 3)
            held.add(slot)
        elif held:
            slots.give_back(held.pop())
        most = max(most, len(held))
        assert slots.in_use == len(held)
        assert all(slot < most for slot in held)
