"""Which rows of the ablation are measured, and with which rules off."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.policy.rules import RULES
from realtime_server.training.wren.evaluate import rows_of

rules = st.lists(st.sampled_from(sorted(RULES)), unique=True, max_size=3)


@given(st.lists(rules, max_size=4))
def test_every_set_of_rules_has_its_row(sets: list[list[str]]) -> None:
    rows = rows_of(sets)
    assert {frozenset(off) for off in rows.values()} == set(map(frozenset, sets))
    assert all(name == (" ".join(sorted(off)) or "none") for name, off in rows.items())


@given(rules)
def test_each_is_all_of_them_alone_and_together(names: list[str]) -> None:
    rows = rows_of([["each"], names])
    assert rows["none"] == []
    assert rows["all"] == list(RULES)
    assert all(rows[rule] == [rule] for rule in RULES)
