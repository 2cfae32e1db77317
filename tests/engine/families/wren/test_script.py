"""Ids and text, there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_server.engine.families.wren.script import END, LONGEST_KEPT, MARKS, REPLY, USER, Script
from realtime_server.training.wren import vocabulary

SCRIPT = Script(vocabulary.fit(600))


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126) | st.just(" "), max_size=60))
def test_any_plain_text_comes_back(text: str) -> None:
    text = " ".join(text.split())
    assert SCRIPT.decode(SCRIPT.encode(text)) == text


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_that_is_written_is_text(mark: str) -> None:
    ids = SCRIPT.encode(mark)
    assert min(ids) >= len(MARKS)
    assert SCRIPT.decode(ids) == mark


def test_a_turn() -> None:
    ids = SCRIPT.user("Hello!") + SCRIPT.say("Hello, I am Wren.")
    assert ids[0] == USER
    assert ids[-1] == END
    assert REPLY in ids
    assert SCRIPT.decode(ids) == "hello Hello, I am Wren."


def test_the_domains_words_are_short() -> None:
    assert len(SCRIPT.encode("what is the capital of france")) <= 10


@given(st.lists(st.integers(1, 6000), max_size=12))
@settings(max_examples=20)
def test_long_texts_are_not_kept(lengths: list[int]) -> None:
    script = Script(vocabulary.fit(600))
    for n, length in enumerate(lengths):
        text = (f"{n} " * length)[:length]
        assert script.encode(text) == script.encode(text)
    assert all(len(text) <= LONGEST_KEPT for text in script._encoded._kept)
