"""What is chosen: by each row's own rules, in any batch; the field's own processors say what the rules are."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.runtime.sampling import NothingAllowed, Sampler, choose, penalised
from realtime_server.messages import GREEDY, Sampling

VOCABULARY = 12
tokens = st.lists(st.integers(0, VOCABULARY - 1), max_size=6)
samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    top_p=st.sampled_from([0.05, 0.5, 0.9, 1.0]),
    repetition_penalty=st.sampled_from([0.8, 1.0, 1.5]),
    presence_penalty=st.sampled_from([0.0, 1.0]),
    frequency_penalty=st.sampled_from([0.0, -0.5, 2.0]),
    seed=st.integers(0, 99),
)
masks = st.none() | st.sets(st.integers(0, VOCABULARY - 1), min_size=1)


def random(seed: int, rows: int) -> torch.Tensor:
    return 3 * torch.randn(rows, VOCABULARY, generator=torch.Generator().manual_seed(seed))


def sampler(sampling: Sampling, prompt: list[int], written: list[int]) -> Sampler:
    made = Sampler(sampling, prompt)
    for token in written:
        made.take(token)
    return made


def mask(allowed: set[int] | None) -> torch.Tensor | None:
    return None if allowed is None else torch.tensor([token in allowed for token in range(VOCABULARY)])


@given(seed=st.integers(0, 999), rows=st.lists(st.tuples(samplings, tokens, tokens, masks), min_size=1, max_size=6))
def test_batched_equals_alone_and_keeps_to_the_mask(
    seed: int, rows: list[tuple[Sampling, list[int], list[int], set[int] | None]]
) -> None:
    logits = random(seed, len(rows))
    samplers = [sampler(*row[:3]) for row in rows]
    allowed = [mask(row[3]) for row in rows]
    together = choose(logits, samplers, allowed)
    assert together == choose(logits, samplers, allowed)
    for n, row in enumerate(rows):
        assert [together[n]] == choose(logits[n : n + 1], [sampler(*row[:3])], [allowed[n]])
        assert row[3] is None or together[n] in row[3]


@given(seed=st.integers(0, 999), prompt=tokens.filter(bool), written=tokens, penalty=st.sampled_from([0.5, 1.2, 3.0]))
def test_repetition_is_penalised_as_the_library_does(seed: int, prompt: list[int], written: list[int], penalty: float) -> None:
    from transformers import RepetitionPenaltyLogitsProcessor

    logits, processor = random(seed, 1), RepetitionPenaltyLogitsProcessor(penalty)
    expected = processor(torch.tensor([prompt + written]), logits.clone())
    assert torch.equal(penalised(logits, [sampler(Sampling(repetition_penalty=penalty), prompt, written)]), expected)


@given(seed=st.integers(0, 999), written=tokens, presence=st.floats(-2, 2), frequency=st.floats(-2, 2))
def test_presence_counts_once_and_frequency_each_time(seed: int, written: list[int], presence: float, frequency: float) -> None:
    logits = random(seed, 1)
    sampling = Sampling(presence_penalty=presence, frequency_penalty=frequency)
    expected = [
        float(logits[0, token]) - (presence if token in written else 0.0) - frequency * written.count(token)
        for token in range(VOCABULARY)
    ]
    assert torch.allclose(penalised(logits, [sampler(sampling, [], written)])[0], torch.tensor(expected), atol=1e-5)


@given(seed=st.integers(0, 999), top_p=st.sampled_from([0.05, 0.3, 0.6, 0.95]), temperature=st.sampled_from([0.5, 1.0, 2.0]))
def test_only_the_likeliest_tokens_are_drawn(seed: int, top_p: float, temperature: float) -> None:
    from transformers import TopPLogitsWarper

    logits = random(seed, 1)
    nothing: Any = None
    kept = TopPLogitsWarper(top_p)(nothing, logits / temperature)[0].isfinite()
    drawn = {choose(logits, [Sampler(Sampling(temperature, top_p, seed=n))])[0] for n in range(60)}
    assert drawn <= set(kept.nonzero().flatten().tolist())
    assert int(logits.argmax()) in drawn or kept.sum() > 5


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_probable(temperature: float) -> None:
    number = 6000
    logits = random(1, 1)
    samplers = [Sampler(Sampling(temperature, seed=n)) for n in range(number)]
    drawn = torch.bincount(torch.tensor(choose(logits.expand(number, -1), samplers)), minlength=VOCABULARY) / number
    assert torch.allclose(drawn, (logits[0] / temperature).softmax(-1), atol=0.02)


def test_a_seed_gives_the_same_tokens_again_and_none_gives_others() -> None:
    logits = torch.zeros(1, VOCABULARY)

    def said(seed: int | None) -> list[int]:
        one = Sampler(Sampling(seed=seed))
        written = list[int]()
        for _ in range(30):
            written += choose(logits, [one])
            one.take(written[-1])
        return written

    assert said(7) == said(7)
    assert said(7) != said(8)
    assert said(None) != said(None)
    assert len(set(said(7))) > VOCABULARY / 2


def test_nothing_allowed_and_out_of_range() -> None:
    with pytest.raises(NothingAllowed):
        choose(torch.zeros(1, 3), [Sampler(GREEDY)], [torch.zeros(3, dtype=torch.bool)])
    for wrong in (
        {"temperature": -1.0},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"repetition_penalty": 0.0},
        {"temperature": float("nan")},
    ):
        with pytest.raises(ValueError, match="out of range"):
            Sampling(**wrong)  # type: ignore[arg-type]
