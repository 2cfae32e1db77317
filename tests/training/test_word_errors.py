"""Word errors, by hand and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.training.word_errors import word_errors

sentences = st.lists(st.sampled_from("abc"), max_size=8).map(" ".join)


@pytest.mark.parametrize(("wanted", "got", "errors"), [
    ("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x b c", 1), ("a b", "", 2), ("", "a", 1), ("a b", "b a", 2),
])  # fmt: skip
def test_examples(wanted: str, got: str, errors: int) -> None:
    assert word_errors(wanted, got) == errors


@given(sentences, sentences, sentences)
def test_it_is_a_distance(a: str, b: str, c: str) -> None:
    assert word_errors(a, a) == 0
    assert word_errors(a, b) == word_errors(b, a)
    assert word_errors(a, c) <= word_errors(a, b) + word_errors(b, c)
