"""English with the sounds of other languages. Needs the synthesiser."""

import random
import shutil

import pytest

from realtime_server.engine.families.wren.words import DIGITS
from realtime_server.training.wren.accents import LANGUAGES, accented, espeak, sound

pytestmark = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")
SENTENCE = "I would like a large house coffee with her share of sour oranges, bird and boy, on the other tour near here"


def sounds(mnemonics: str) -> str:
    """Without stress, length and variants, which a language may leave out."""
    return "".join(c for c in mnemonics if c.isalpha() or c in "@0 ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sound_is_lost(language: str) -> None:
    """espeak-ng leaves out what it does not know and all behind it; some languages say two sounds as one."""
    for seed in range(3):
        english = accented(SENTENCE, language, random.Random(seed))
        assert english.startswith("[[") and english.endswith("]]")
        words, said = sounds(english).split(), sounds(espeak("-v", language, english)).split()
        assert len(said) == len(words)
        for word, heard in zip(words, said, strict=True):
            assert len(heard) >= 0.7 * len(word), (word, heard)


def test_a_language_has_its_own_sound_for_what_it_lacks() -> None:
    assert sound("de", "b") == "b"
    assert sound("es", "I") == "i"
    assert sound("en-us", "3:") == "3:"


def test_speakers_differ_and_a_seed_decides() -> None:
    said = {accented(" ".join(DIGITS), "pl", random.Random(seed)) for seed in range(8)}
    assert len(said) > 4
    assert accented("three", "el", random.Random(1)) == accented("three", "el", random.Random(1))
