"""Instructions say what is asked of them, and what they do not say is not known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.starling import acquaintance, knowledge, notices, personas, spoken
from realtime_server.training.starling.dialogue import Exchange, Say

SEEDS = st.integers(0, 2**32)


def answer(exchange: Exchange) -> str:
    last = exchange.turns[-1]
    assert isinstance(last, Say)
    return last.text


@given(SEEDS)
def test_who_it_is_stands_in_the_instructions(seed: int) -> None:
    persona = personas.sample(random.Random(seed))
    for part in (persona.name, persona.place):
        assert part in (persona.instructions or "")
    told = answer(acquaintance.identity(persona, random.Random(seed)))
    assert persona.name in told
    assert persona.name or persona.role or "the assistant of this service" in told


@given(SEEDS)
def test_each_value_stands_in_the_instructions_and_in_the_answer(seed: int) -> None:
    rng = random.Random(seed)
    persona = personas.sample(rng)
    for fact, value in persona.facts:
        assert value.lower() in (persona.instructions or "").lower()
        assert all("{}" in text for text in fact["answered"]) == bool(value)


@given(SEEDS)
def test_what_is_not_known_is_of_no_topic_that_is(seed: int) -> None:
    persona = personas.sample(random.Random(seed))
    known = [fact for fact, _ in persona.facts]
    topics = {fact.get("topic") for fact in known} - {None, ""}
    assert all(fact not in known and fact.get("topic") not in topics for fact in personas.without(known))
    if known:
        told = answer(acquaintance.unstated(persona, random.Random(seed)))
        assert told.startswith(knowledge.UNKNOWN)


@pytest.mark.parametrize("kind", notices.KINDS)
@given(SEEDS)
def test_lists_are_written_once_and_asked_for_row_by_row(kind: object, seed: int) -> None:
    rows = kind(random.Random(seed))  # type: ignore[operator]
    assert [bool(row["written"][0]) for row in rows] == [True] + [False] * (len(rows) - 1)
    assert all(row["asked"] and row["answered"] for row in rows)
    assert not any("{" in text for row in rows for text in (*row["written"], *row["asked"], *row["answered"]))


def test_a_kind_of_value_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no such kind"):
        personas.value({"value": "colour"}, random.Random(0))


def test_some_instructions_are_long_and_all_of_their_facts_stand_in_them() -> None:
    rng = random.Random(0)
    drawn = [personas.sample(rng) for _ in range(400)]
    long = [persona for persona in drawn if len(persona.facts) > 15]
    assert 0.2 < len(long) / len(drawn) < 0.4
    lengths = sorted(len(persona.instructions or "") / 4.2 for persona in long)
    assert lengths[len(lengths) // 2] > 350
    assert lengths[-1] < 1800
    for persona in long:
        assert all(
            spoken.sentence(fact["written"][0]) in (persona.instructions or "") for fact, value in persona.facts if not value
        )


def test_of_one_topic_there_is_one_fact_alone() -> None:
    rng = random.Random(1)
    for _ in range(200):
        topics = [fact["topic"] for fact, value in personas.sample(rng).facts if value and fact.get("topic")]
        once = [topic for topic in topics if topic != "hours"]
        assert len(once) == len(set(once))
