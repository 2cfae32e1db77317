"""Cached equals offline, batched equals alone, a slot that is reused never saw what was there before."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.nets.transformer import Transformer
from realtime_server.engine.runtime.cache import Branches, FixedCache, GrowingCache, KVCache, Rows

WIDTH, LAYERS, HEADS = 32, 2, 4


def trunk() -> Transformer:
    torch.manual_seed(0)
    return Transformer(WIDTH, LAYERS, HEADS, 48).eval()


def new_cache(net: Transformer, fixed: bool) -> KVCache:
    return FixedCache(net.cached, 4, 400, torch.device("cpu")) if fixed else net.new_cache(torch.device("cpu"))


def rows(cache: KVCache, slots: list[int], starts: list[int]) -> Rows:
    return Rows(cache, list(zip(slots, starts, strict=True)))


@pytest.mark.parametrize("fixed", [False, True])
@torch.inference_mode()
@given(pieces=st.lists(st.integers(1, 9), min_size=1, max_size=6))
@settings(max_examples=30)
def test_in_pieces_equals_at_once(fixed: bool, pieces: list[int]) -> None:
    net = trunk()
    x = torch.randn(1, sum(pieces), WIDTH)
    whole, tapped = net(x, 1)
    cache, at, parts, taps = new_cache(net, fixed), 0, [], []
    for piece in pieces:
        out, tap = net(x[:, at : at + piece], 1, rows(cache, [2], [at]))
        parts.append(out)
        taps.append(tap)
        at += piece
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)
    assert torch.allclose(torch.cat(taps, 1), tapped, atol=1e-5)


@pytest.mark.parametrize("fixed", [False, True])
@torch.inference_mode()
def test_rows_at_different_positions_equal_themselves_alone(fixed: bool) -> None:
    net = trunk()
    lengths = [5, 17, 1, 300]
    sequences = [torch.randn(1, n + 1, WIDTH) for n in lengths]
    alone = [net(x, 1)[0][0, -1] for x in sequences]
    cache = new_cache(net, fixed)
    # Left-overs of an earlier sequence in every slot: a masked row never happened.
    net(torch.randn(4, 350, WIDTH), 1, rows(cache, [0, 1, 2, 3], [0, 0, 0, 0]))
    for slot, x in enumerate(sequences):
        net(x[:, :-1], 1, rows(cache, [slot], [0]))
    last = torch.cat([x[:, -1:] for x in sequences])
    together, _ = net(last, 1, rows(cache, [0, 1, 2, 3], lengths))
    assert torch.allclose(together[:, 0], torch.stack(alone), atol=1e-5)


@pytest.mark.parametrize("fixed", [False, True])
@torch.inference_mode()
def test_a_padded_row_goes_on_as_if_it_had_not_been(fixed: bool) -> None:
    net = trunk()
    long, short = torch.randn(1, 8, WIDTH), torch.randn(1, 5, WIDTH)
    alone = net(short, 1)[0]
    cache = new_cache(net, fixed)
    padded = torch.cat([long, torch.cat([short[:, :3], torch.zeros(1, 5, WIDTH)], 1)])
    net(padded, 1, rows(cache, [0, 1], [0, 0]))
    rest, _ = net(short[:, 3:], 1, rows(cache, [1], [3]))
    assert torch.allclose(rest, alone[:, 3:], atol=1e-5)


@torch.inference_mode()
@given(places=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=4), seed=st.integers(0, 20))
@settings(max_examples=30)
def test_branches_are_as_if_alone_and_leave_no_trace(places: list[tuple[int, int]], seed: int) -> None:
    net = trunk()
    torch.manual_seed(seed)
    row, ways = torch.randn(1, 6, WIDTH), [torch.randn(1, length, WIDTH) for _, length in places]
    alone = [net(torch.cat([row[:, :at], way], 1), 1)[0][0, at:] for (at, _), way in zip(places, ways, strict=True)]
    cache = net.new_cache(torch.device("cpu"))
    net(row[:, :-1], 1, rows(cache, [1], [0]))
    lengths = [length for _, length in places]
    of = torch.arange(len(ways)).repeat_interleave(torch.tensor(lengths))
    at = torch.tensor([at for at, _ in places]).repeat_interleave(torch.tensor(lengths))
    depths = torch.cat([torch.arange(length) for length in lengths])
    sees = (of[:, None] == of[None]) & (depths[None] <= depths[:, None])
    place = Rows(cache, [(1, 5)], Branches(at, depths, sees))
    tried, _ = net(torch.cat(ways, 1), 1, place)
    assert torch.allclose(tried[0], torch.cat(alone), atol=1e-5)
    last, _ = net(row[:, -1:], 1, rows(cache, [1], [5]))
    assert torch.allclose(last, net(row, 1)[0][:, -1:], atol=1e-5)


@torch.inference_mode()
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 40)), min_size=1, max_size=20))
@settings(max_examples=30)
def test_a_slot_grows_by_itself_and_gives_back_all_that_it_took(pieces: list[tuple[int, int]]) -> None:
    net = trunk()
    cache = GrowingCache(net.cached, torch.device("cpu"), least=4)
    ends = [0] * 5
    for slot, length in pieces:
        net(torch.randn(1, length, WIDTH), 1, rows(cache, [slot], [ends[slot]]))
        ends[slot] += length
    for slot, end in enumerate(ends):
        assert end <= cache.length(slot) <= max(4, 2 * end)
    assert cache.positions <= sum(max(4, 2 * end) for end in ends if end)
    for slot in range(5):
        cache.release(slot)
    assert cache.positions == 0
