"""The rules are read from a model's config, and each can be switched off by its name."""

from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.contract import ModelError
from realtime_server.engine.families.wren.policy.rules import RULES, Policy, read

names = st.sets(st.sampled_from(sorted(RULES)))


def described(policy: Policy) -> dict[str, Any]:
    return {**asdict(policy.transcribing), **asdict(policy.answering)}


def test_what_is_not_described_is_as_it_is_by_default() -> None:
    assert read({}) == Policy()


@given(names)
def test_what_is_switched_off_is_off_and_nothing_else(off: set[str]) -> None:
    policy = Policy().without(off)
    assert {name for name, rule in described(policy).items() if rule is None} == off
    assert read(dict.fromkeys(off)) == policy
    assert policy.without(RULES) == Policy().without(RULES)


@given(st.sampled_from([(name, field.name) for name, rule in RULES.items() for field in fields(rule)]), st.integers(1, 99))
def test_a_threshold_is_what_the_config_says(key: tuple[str, str], value: int) -> None:
    name, threshold = key
    assert described(read({name: {threshold: value}}))[name][threshold] == value


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"beam_serch": {}}, "policy.beam_serch"), ({"beam_search": {"bean": 8}}, "policy.beam_search.bean"),
        ({"beam_search": 8}, "policy.beam_search"), ({"beam_search": {"beam": "8"}}, "policy.beam_search.beam"),
        ({"beam_search": {"beam": 8.5}}, "policy.beam_search.beam"), ({"n_best": {"sure": True}}, "policy.n_best.sure"),
        ([], "policy"), ({"copying": {"sure": 0.5}}, "policy.copying.sure"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_refused_by_its_name(policy: object, told: str) -> None:
    with pytest.raises(ModelError, match=rf"^{told} is no|^{told} is neither"):
        read(policy)


def test_a_rule_that_there_is_not_cannot_be_switched_off() -> None:
    with pytest.raises(ModelError, match=r"policy\.luck"):
        Policy().without(["luck"])
