"""How a text is read out while it is still being written: numbers, times, money and abbreviations as words (text normalisation,
by WeTextProcessing's grammars: Zhang et al. 2022), in letters that the talker knows.

A piece of the text is read once no more of it can change how: between two plain words. Digits, signs and abbreviations wait for
the plain word behind them.
"""

import re
from bisect import bisect_right
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise

from anyascii import anyascii
from wetext import Normalizer

_WORD = re.compile(r"\S+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_PARTS = re.compile(r"\d+|[A-Za-z]+")
_CLOSING = ',;:!?)"”'
_UNSPOKEN = re.compile(r"[^\x00-\u2fff\u3040-\uffff]|[*_#`~|<>]")
"""Pictures, and the marks of a text that is laid out."""
_INITIALS = re.compile(r"\b[A-Z]{2,3}\b")
"""As the grammars leave them (PM): their letters are said one by one."""
LONGEST_ABBREVIATION = 4
"""Letters of a capitalised word whose full stop may belong to it (Prof., Capt.)."""
LONGEST_PIECE = 200
"""Characters that may wait for a plain word."""


@cache
def _normalizer() -> Normalizer:
    return Normalizer(lang="en", operator="tn")


def read_out(text: str) -> str:
    """A text that is whole, as it is read out."""
    plain = " ".join(_UNSPOKEN.sub(" ", text).split())
    spoken = anyascii(_normalised(plain)) if plain else ""
    if any(character.isdigit() for character in spoken):
        # Such as those of what was one character (¼).
        spoken = _normalised(spoken)
    return _INITIALS.sub(lambda initials: " ".join(initials[0]), spoken)


def _normalised(text: str) -> str:
    """The grammars fail at what none of them knows ("é6", "2+"): then each word by itself is tried, and at last its parts."""
    try:
        return str(_normalizer().normalize(text))
    except AssertionError:
        words = text.split()
    parts = words if len(words) > 1 else _PARTS.findall(anyascii(text))
    return " ".join(part if part == text else _normalised(part) for part in parts)


class SpokenForm:
    """`letters` grow at their end with the text."""

    def __init__(self) -> None:
        self.letters = ""
        self.closed = False
        self._text = ""
        self._read = 0
        self._letters_at, self._characters_at = [0], [0]

    def add(self, text: str) -> None:
        """More of the text."""
        self._text += text
        self._read_to(self._read + certain(self._text[self._read :]))

    def close(self) -> None:
        """There is no more of it."""
        self._read_to(len(self._text))
        self.closed = True

    def characters(self, letter: int) -> int:
        """Of the text, when so many of the letters have been read out: up to the end of a word."""
        if self.closed and letter >= len(self.letters):
            return len(self._text)
        return self._characters_at[bisect_right(self._letters_at, letter) - 1]

    def _read_to(self, end: int) -> None:
        written = self._text[self._read : end]
        spoken = read_out(written)
        if spoken:
            space = " " if self.letters else ""
            for letter, character in _word_ends(written, spoken):
                self._letters_at.append(len(self.letters) + len(space) + letter)
                self._characters_at.append(self._read + character)
            self.letters += space + spoken
        self._read = end


def certain(text: str) -> int:
    """How many characters may be read before the rest is known: up to the last space that stands between two plain words."""
    words = list(_WORD.finditer(text))
    for word, following in reversed(list(pairwise(words))):
        if _PLAIN.match(following[0]) and _may_end(word[0]):
            return word.end()
    return len(text) if len(text) > LONGEST_PIECE and text[-1:].isspace() else 0


def _may_end(word: str) -> bool:
    """Is it the same whatever follows?"""
    plain = word.lstrip('("“').rstrip(_CLOSING)
    if plain.endswith("."):
        plain = plain[:-1]
        if plain[:1].isupper() and len(plain) <= LONGEST_ABBREVIATION:
            return False
    return _PLAIN.fullmatch(plain) is not None


def _word_ends(written: str, spoken: str) -> list[tuple[int, int]]:
    """(letters, characters) where both have come equally far: behind each word that is read as it is written, and last."""
    there, here = list(_WORD.finditer(written)), list(_WORD.finditer(spoken))
    match = SequenceMatcher(None, [w[0] for w in there], [w[0] for w in here], autojunk=False)
    ends = [
        (here[block.b + n].end(), there[block.a + n].end()) for block in match.get_matching_blocks() for n in range(block.size)
    ]
    return [*(end for end in ends if end[0] < len(spoken)), (len(spoken), len(written))]
