"""Tokens as a grammar sees them are the bytes that a tokenizer makes of them."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from realtime_server.engine.grammar.tokens import vocabulary
from tests.engine.grammar.writing import MARKERS, TOKENIZERS, VOCABULARIES, byte_level


@pytest.mark.parametrize("name", VOCABULARIES)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_the_bytes_of_tokens_are_the_text(name: str, text: str) -> None:
    tokens = TOKENIZERS[name]().encode(text, add_special_tokens=False).ids
    assert b"".join(VOCABULARIES[name]().bytes_of(token) for token in tokens) == text.encode()


@pytest.mark.parametrize("name", VOCABULARIES)
def test_markers_of_calls_stand_for_themselves(name: str) -> None:
    made = VOCABULARIES[name]()
    assert made.special.keys() >= set(MARKERS)
    assert [TOKENIZERS[name]().token_to_id(marker) for marker in MARKERS] == [made.special[marker] for marker in MARKERS]


def test_one_is_made_once() -> None:
    tokenizer = byte_level()
    assert vocabulary(tokenizer, 400, [0]) is vocabulary(tokenizer, 400, [0])
    assert vocabulary(tokenizer, 400, [0]).size == 400


def test_a_tokenizer_of_transformers_is_taken_without_its_limits() -> None:
    fast = PreTrainedTokenizerFast(tokenizer_object=byte_level(), eos_token="<|end|>")  # type: ignore[no-untyped-call]
    fast.backend_tokenizer.enable_truncation(3)
    assert vocabulary(fast, 400, [0]).special == vocabulary(byte_level(), 400, [0]).special


def test_llguidance_is_loaded_where_it_is_used() -> None:
    """A server whose model writes no JSON does without."""
    rooms = ", ".join(f"realtime_server.engine.grammar.{room}" for room in ("schema", "calls", "mask", "parsing", "tokens"))
    check = f"import sys, {rooms}; assert not {{'llguidance', 'transformers'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_what_is_no_tokenizer_is_told() -> None:
    class Broken:
        def to_str(self) -> str:
            return '{"model": {}}'

    with pytest.raises(ValueError):
        vocabulary(Broken(), 10, [0])
