"""Stock models of `transformers`, driven through slots, write what `generate()` writes: whoever joins, pauses, goes back or
leaves beside them."""

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.runtime.causal_lm import CausalLM, Unsupported
from realtime_server.engine.runtime.prefix import Prefixes
from realtime_server.engine.runtime.sampling import Sampler
from realtime_server.engine.runtime.scheduler import Limits, Scheduler
from realtime_server.engine.runtime.sequences import Body, Sequences, Work
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import FRAME, Broken, Decode, Stream, Think
from realtime_server.messages import ResponseFailed, Sampling

VOCABULARY = 97
ODD = torch.arange(VOCABULARY) % 2 == 1
SHAPES = ("llama", "qwen2")
SEEDS = range(5)
tokens = st.integers(1, VOCABULARY - 1)
prompts = st.lists(tokens, min_size=1, max_size=40)


@cache
def tiny(shape: str, seed: int) -> Any:
    """Grouped heads; weights so wide that many different tokens come out."""
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    config: Any = {"llama": LlamaConfig, "qwen2": Qwen2Config}[shape]
    sizes = config(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.3, bos_token_id=None, eos_token_id=None,
        pad_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(seed)
    return {"llama": LlamaForCausalLM, "qwen2": Qwen2ForCausalLM}[shape](sizes).eval()


@cache
def generated(shape: str, seed: int, prompt: tuple[int, ...], number: int) -> list[int]:
    """Greedily, by the library itself."""
    ids = torch.tensor([prompt])
    whole = tiny(shape, seed).generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=number, do_sample=False, pad_token_id=0
    )
    return list(map(int, whole[0, len(prompt) :]))


def lm(shape: str, seed: int, fixed: bool) -> CausalLM:
    return CausalLM(tiny(shape, seed), *((8, 200) if fixed else ()))


def writing(stream: Stream, unread: list[int], number: int, written: list[int]) -> Body:
    """Reads what is unread and writes so many tokens behind it; the last is not read."""
    logits = yield Think(stream, unread)
    written.append(int(logits.argmax()))
    while len(written) < number:
        logits = yield Think(stream, [written[-1]])
        written.append(int(logits.argmax()))


def sampled(stream: Stream, prompt: list[int], number: int, sampling: Sampling, written: list[int]) -> Body:
    sampler, unread = Sampler(sampling, prompt), prompt
    while len(written) < number:
        written.append((yield Decode(stream, unread, sampler=sampler, allowed=ODD if sampling.seed == 1 else None)))
        sampler.take(written[-1])
        unread = written[-1:]


def work(body: Body) -> Work:
    return Work(body, [], lambda error: ResponseFailed("r", "server_error", repr(error)))


def run(sequences: Sequences) -> None:
    while (outputs := sequences.step()) is not None:
        assert outputs == []


def test_the_models_say_many_different_things() -> None:
    said = [generated(shape, seed, (1, 2, 3), 40) for shape in SHAPES for seed in SEEDS]
    assert all(len(set(ids)) > 10 for ids in said)
    assert len({tuple(ids) for ids in said}) == len(said)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
@given(data=st.data())
@settings(max_examples=6)
def test_whoever_joins_pauses_and_leaves(shape: str, seed: int, fixed: bool, data: st.DataObject) -> None:
    model = lm(shape, seed, fixed)
    limits = Limits(budget=data.draw(st.integers(1, 60)), chunk=data.draw(st.integers(1, 20)), share=1)
    sequences = Sequences(model.run, (), Scheduler(limits))
    wanted: dict[str, tuple[list[int], int, list[int]]] = {}
    live: list[str] = []
    for n in range(data.draw(st.integers(2, 20))):
        match data.draw(st.sampled_from(["join", "pause", "leave", "step", "step", "step"])):
            case "join" if len(live) < 8:
                name, prompt, number, written = str(n), data.draw(prompts), data.draw(st.integers(1, 12)), list[int]()
                stream = Stream(model.slots.take(), [])
                body = writing(stream, list(prompt), number, written)
                sequences.start(
                    name, "k", Work(body, [], lambda error: ResponseFailed("r", "", repr(error)), _freed(model, stream))
                )
                wanted[name] = (prompt, number, written)
                live.append(name)
            case "pause" if live:
                sequences.hold(data.draw(st.sampled_from(live)), data.draw(st.booleans()))
            case "leave" if live:
                name = data.draw(st.sampled_from(live))
                live.remove(name)
                sequences.end(name)
            case _:
                assert not sequences.step()
    for name in wanted:
        sequences.hold(name, False)
    run(sequences)
    assert model.slots.in_use == 0
    for name, (prompt, number, written) in wanted.items():
        assert written == generated(shape, seed, tuple(prompt), number)[: len(written)]
        assert len(written) == number or name not in live


def _freed(model: CausalLM, stream: Stream) -> Any:
    return lambda: model.slots.give_back(stream.slot)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@given(
    seed=st.sampled_from(SEEDS),
    prompt=prompts,
    number=st.integers(1, 12),
    heard=st.integers(0, 12),
    asked=prompts,
    other=prompts,
)
@settings(max_examples=20)
def test_a_reply_that_is_broken_off_is_cropped_to_what_was_heard(
    shape: str, seed: int, fixed: bool, prompt: list[int], number: int, heard: int, asked: list[int], other: list[int]
) -> None:
    model = lm(shape, seed, fixed)
    sequences, prefixes = Sequences(model.run, (), Scheduler(Limits(chunk=7))), Prefixes(model.slots)
    first, beside, second = list[int](), list[int](), list[int]()
    stream, cached = prefixes.take("s", prompt)
    assert cached == 0
    sequences.start("s", "k", work(writing(stream, prompt, number, first)))
    sequences.start("t", "k", work(writing(Stream(model.slots.take(), []), other, 12, beside)))
    run(sequences)
    prefixes.keep("s", stream)
    # The next turn's prompt has of the reply what was played before the user spoke, and the user's words.
    ids = [*prompt, *first[:heard], *asked]
    again, cached = prefixes.take("s", ids)
    assert again is stream
    assert cached >= min(len(prompt) + min(heard, number - 1), len(ids) - 1)
    sequences.start("s", "k", work(writing(again, ids[cached:], 10, second)))
    run(sequences)
    assert first == generated(shape, seed, tuple(prompt), number)
    assert beside == generated(shape, seed, tuple(other), 12)
    assert second == generated(shape, seed, tuple(ids), 10)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@given(
    model_seed=st.sampled_from(SEEDS),
    asked=st.lists(st.tuples(prompts, st.sampled_from([0.7, 1.5]), st.sampled_from([1, 2, 3])), min_size=2, max_size=5),
)
@settings(max_examples=10)
def test_who_samples_samples_the_same_in_any_batch(
    shape: str, fixed: bool, model_seed: int, asked: list[tuple[list[int], float, int]]
) -> None:
    said: list[list[list[int]]] = []
    for together in (True, False):
        model = lm(shape, model_seed, fixed)
        sequences, written = Sequences(model.run, (), Scheduler(Limits(chunk=9))), [list[int]() for _ in asked]
        for n, (prompt, temperature, seed) in enumerate(asked):
            sampling = Sampling(temperature, top_p=0.9, repetition_penalty=1.2, frequency_penalty=0.5, seed=seed)
            stream = Stream(model.slots.take(), [])
            sequences.start(str(n), "k", work(sampled(stream, prompt, 8, sampling, written[n])))
            if not together:
                run(sequences)
        run(sequences)
        assert all(len(ids) == 8 for ids in written)
        assert all(token % 2 for ids, (_, _, seed) in zip(written, asked, strict=True) if seed == 1 for token in ids)
        said.append(written)
    assert said[0] == said[1]


@pytest.mark.parametrize("shape", SHAPES)
@given(seed=st.sampled_from(SEEDS), prompt=prompts, penalty=st.sampled_from([0.7, 1.3]))
@settings(max_examples=10)
def test_a_penalty_is_the_library_s(shape: str, seed: int, prompt: list[int], penalty: float) -> None:
    model, written, ids = lm(shape, seed, True), list[int](), torch.tensor([prompt])
    sequences = Sequences(model.run)
    sampling = Sampling(temperature=0.0, repetition_penalty=penalty)
    sequences.start("s", "k", work(sampled(Stream(0, []), prompt, 10, sampling, written)))
    run(sequences)
    expected = tiny(shape, seed).generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False, pad_token_id=0, repetition_penalty=penalty
    )
    assert written == expected[0, len(prompt) :].tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_grammar_that_allows_nothing_breaks_its_own_row(shape: str) -> None:
    model = lm(shape, 0, False)
    good, bad = Sampler(Sampling(seed=5)), Sampler()
    alone = lm(shape, 0, False).run([Decode(Stream(0, []), [1, 2], sampler=Sampler(Sampling(seed=5)))])
    nothing = torch.zeros(VOCABULARY, dtype=torch.bool)
    answers = model.run(
        [Decode(Stream(0, []), [1, 2], sampler=good), Decode(Stream(1, []), [3, 4], sampler=bad, allowed=nothing)]
    )
    assert answers[:1] == alone
    assert isinstance(answers[1], Broken)


@pytest.mark.parametrize("shape", SHAPES)
@given(seed=st.sampled_from(SEEDS), prompt=prompts, right=st.integers(0, 8), wrong=st.lists(tokens, max_size=4))
@settings(max_examples=15)
def test_drafts_save_steps_and_change_nothing(shape: str, seed: int, prompt: list[int], right: int, wrong: list[int]) -> None:
    expected = generated(shape, seed, tuple(prompt), 10)
    model, steps, written = lm(shape, seed, False), 0, list[int]()

    def drafted() -> Iterator[Think]:
        line = Drafted(Stream(model.slots.take(), []), [*expected[:right], *wrong], prompt[:-1])
        logits = yield from line.take(prompt[-1])
        while len(written) < 10:
            written.append(int(logits.argmax()))
            logits = yield from line.take(written[-1])

    body: Any = drafted()
    step = next(body)
    while True:
        steps += 1
        try:
            step = body.send(model.run([step])[0])
        except StopIteration:
            break
    assert written == expected
    assert steps <= 11 - right


@pytest.mark.gpu
@pytest.mark.parametrize("shape", SHAPES)
def test_on_another_device_it_writes_the_same(shape: str) -> None:
    """In slots of a fixed shape, drawn and under a mask, beside a row of another length."""
    written: dict[str, list[list[int]]] = {}
    for device in ("cpu", "cuda"):
        model = CausalLM(deepcopy(tiny(shape, 0)).to(device), 4, 100)
        sequences, written[device] = Sequences(model.run), [[], []]
        for n, sampling in enumerate((Sampling(temperature=0.0), Sampling(seed=1))):
            body = sampled(Stream(model.slots.take(), []), [5, 8, 13][: n + 2], 12, sampling, written[device][n])
            sequences.start(f"s{n}", "r", work(body))
        while sequences.step() is not None:
            pass
    assert written["cpu"] == written["cuda"]


@pytest.mark.parametrize("shape", SHAPES)
def test_embeddings_stand_in_for_tokens(shape: str) -> None:
    model, prompt = lm(shape, 0, True), [5, 6, 7, 8]
    embedded = tiny(shape, 0).get_input_embeddings()(torch.tensor(prompt)).detach()
    by_ids, by_frames = Stream(0, []), Stream(1, [])
    one, other = model.run([Think(by_ids, prompt), Think(by_frames, [FRAME] * 4, embedded)])
    assert torch.allclose(one, other, atol=1e-5)
    assert by_frames.ids == [FRAME] * 4


def test_what_does_not_fit_breaks_alone() -> None:
    model = CausalLM(tiny("llama", 0), slots=2, length=8)
    long, short, nowhere = Stream(0, []), Stream(1, []), Stream(2, [])
    answers = model.run([Think(long, [1] * 9), Think(short, [1, 2, 3]), Think(nowhere, [1, 2])])
    assert [isinstance(answer, Broken) for answer in answers] == [True, False, True]
    # Padding of a neighbour that has more to read goes beyond the end of a slot that is almost full.
    (alone,) = model.run([Think(short, [4, 5, 6])])
    full = Stream(0, [])
    model.run([Think(full, [1, 2, 3, 4, 5, 6])])
    del short.ids[3:]
    both = model.run([Think(short, [4, 5, 6]), Think(full, [7, 8])])
    assert torch.allclose(both[0], alone, atol=1e-4)
    assert full.ids == [1, 2, 3, 4, 5, 6, 7, 8]
    assert int(both[1].argmax()) == generated("llama", 0, tuple(full.ids), 1)[0]


def test_windowed_attention_is_refused() -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        use_sliding_window=True, sliding_window=4, max_window_layers=1,
    )  # fmt: skip
    with pytest.raises(Unsupported, match="sliding"):
        CausalLM(Qwen2ForCausalLM(config))


def test_the_library_is_imported_by_nobody_who_does_not_use_it() -> None:
    modules = "realtime_server.engine.runtime.causal_lm, realtime_server.engine.families.wren.model, realtime_server.cli"
    code = f"import sys, {modules}; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
