"""What a call may be made of, and what refers to something before it."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.policy.argument_grounding import Said, refers_back
from realtime_server.engine.families.wren.policy.thresholds import ArgumentGrounding


@given(
    st.sampled_from(["", "please "]),
    st.sampled_from(["make it", "change that to", "turn them"]),
    st.sampled_from(["large", "off"]),
)
def test_changing_it_refers_back(please: str, verb: str, rest: str) -> None:
    assert refers_back(f"{please}{verb} {rest}")
    assert not refers_back(f"{rest} {verb}")
    assert not any(map(refers_back, ("is it raining in paris", "make items large", "turn the kitchen light on")))


words = st.lists(st.sampled_from("large roast dark two sugar".split()), min_size=1, max_size=3).map(" ".join)


@given(words, words, st.floats(-20, 20))
def test_said_is_what_was_written_or_named_or_sounds_alike(text: str, value: str, nats: float) -> None:
    written = set(value.split()) <= set(text.split())
    assert Said(text)("size", [value]) == written
    assert Said(f"{text} size")("size", [value])
    assert Said(text, lambda ways: [nats] * len(ways))("size", [value]) == (written or nats > -ArgumentGrounding.misheard)


def test_one_of_several_is_said_without_its_s() -> None:
    said = Said("set a timer for one minute")
    assert said("unit", ["minutes"])
    assert Said("set it to ten minutes")("unit", ["minute"])
    assert not said("unit", ["hours"])
