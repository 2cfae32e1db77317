"""A transcript that was not sure is searched anew from its first word that was not."""

import math

from hypothesis import given
from hypothesis import strategies as st

from realtime_server.engine.families.wren.policy.reconsidering import first_doubtful
from realtime_server.engine.families.wren.script import whole_words

SURE = 0.9


@given(
    st.lists(st.tuples(st.sampled_from((" a", "b", " cd", "e")), st.sampled_from((0.0, -0.06, -0.2)))),
    st.integers(0, 6),
)
def test_others_are_followed_from_the_first_word_that_was_not_sure(said: list[tuple[str, float]], told: int) -> None:
    pieces, logprobs = [piece for piece, _ in said], [nats for _, nats in said]
    first = first_doubtful(pieces, logprobs, told, SURE)
    begins = [n for n in range(told, len(said)) if n == 0 or pieces[n].startswith(" ")]
    if first < len(said):
        assert first in begins
        assert whole_words(pieces[first:], logprobs[first:])[0][1] < math.log(SURE)
    before = whole_words(pieces[begins[0] : first], logprobs[begins[0] : first]) if begins else []
    assert all(nats >= math.log(SURE) for _, nats in before)
