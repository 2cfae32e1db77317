"""Text is what stands between marks, and what may follow is text, the end, or a timestamp."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from realtime_server.engine.ears.vocabulary import TIMESTAMPS, Vocabulary
from tests.engine.ears.tiny import vocabulary

WORDS = vocabulary()


@given(st.text(max_size=20))
def test_text_is_encoded_and_told_again(text: str) -> None:
    ids = WORDS.encode(text)
    assert WORDS.text([WORDS.start, *ids, WORDS.first_timestamp + 7, WORDS.end]) == text


@given(st.text(max_size=12))
def test_pieces_are_whole_characters(text: str) -> None:
    ids = WORDS.encode(text)
    assert "".join(WORDS.text(ids[begin:end]) for begin, end in WORDS.pieces(ids)) == text


def test_a_prompt_names_the_language_or_english() -> None:
    assert WORDS.prompt("de")[1] == WORDS.languages["de"]
    assert WORDS.prompt("xx") == WORDS.prompt()
    assert WORDS.prompt()[-1] == WORDS.first_timestamp


def test_only_text_the_end_and_timestamps_may_follow() -> None:
    assert WORDS.size == WORDS.first_timestamp + TIMESTAMPS
    closed = (~WORDS.open).nonzero().flatten().tolist()
    assert closed == list(range(WORDS.end + 1, WORDS.first_timestamp))
    assert not WORDS.open_first[WORDS.end]
    assert WORDS.seconds(WORDS.first_timestamp + 50) == pytest.approx(1.0)


def test_another_tokenizer_is_refused() -> None:
    with pytest.raises(ValueError, match="endoftext"):
        Vocabulary(Tokenizer(models.BPE()))
