"""Whether an answer is right: by its words, however numbers are written; by its calls, however strings are."""

import json
import re
from itertools import pairwise
from typing import Any

from realtime_server.engine.families.wren.words import ONES, TENS, plain
from realtime_server.engine.talker.spoken_form import read_out
from realtime_server.training.starling.sets.talks import Call, Turn
from realtime_server.training.word_errors import word_errors

NUMBERS = frozenset({*ONES, *TENS[2:], "hundred", "thousand", "point"})
ARTICLES = frozenset({"a", "an", "the"})
SPELLINGS = {
    "ok": "okay", "mr": "mister", "mrs": "missus", "color": "colour", "favorite": "favourite", "theater": "theatre",
    "i'm": "i am", "it's": "it is", "what's": "what is", "who's": "who is", "we're": "we are", "that's": "that is",
    "you're": "you are", "i've": "i have", "i'd": "i would", "i'll": "i will", "there's": "there is",
}  # fmt: skip
"""Of one word that is said alike, or as good as alike."""


def spoken(text: str) -> str:
    """'It's $4.50' -> 'it is four dollars fifty cents': words as they are said."""
    return _alike(read_out(text))


def _alike(text: str) -> str:
    return " ".join(SPELLINGS.get(word, word) for word in plain(text).split() if word != "and")


def transcript_errors(said: str, heard: str) -> tuple[int, int]:
    """(word errors, words said), whatever is written as digits or in one word; figures are read as what suits, 1990 as a year
    or as a number."""
    wanted = _alike(said)
    readings = [reading for text in (spoken(heard), _alike(heard)) for reading in (text, _as_in(wanted, text))]
    errors = min(word_errors(wanted, reading) for reading in readings)
    return errors, len(wanted.split())


def _as_in(wanted: str, got: str) -> str:
    """Compounds as the other has them: 'dish soap' where 'dishsoap' was heard, and the other way round."""
    got = f" {got} "
    words = wanted.split()
    for left, right in pairwise(words):
        got = got.replace(f" {left}{right} ", f" {left} {right} ")
    heard = got.split()
    for left, right in pairwise(heard):
        if left + right in words:
            got = got.replace(f" {left} {right} ", f" {left}{right} ")
    return got.strip()


def answered_rightly(turn: Turn, answer: str) -> bool:
    """All of `right` and nothing of `wrong`, in its words or as it is written."""
    forms = (answer.lower().replace("\u2019", "'").replace("-", " "), plain(answer), plain(read_out(answer)))
    readings = [re.sub(r"\b(hundred|thousand) and\b", r"\1", form) for form in forms]

    def found(pattern: str) -> bool:
        return any(_found(pattern, reading) for reading in readings)

    return bool(answer.strip()) and all(map(found, turn.right)) and not (turn.wrong and found(turn.wrong))


def _found(pattern: str, reading: str) -> bool:
    """As whole words, and no number as a part of a larger one."""
    for match in re.finditer(rf"(?<!\w)(?<!\d[.,:])(?:{pattern})(?!\w)(?![.,:]\d)", reading):
        before, after = reading[: match.start()].split()[-1:], reading[match.end() :].split()[:1]
        inside = match[0].split()
        larger = ({*inside[:1], *before} <= NUMBERS and before) or ({*inside[-1:], *after} <= NUMBERS and after)
        if not larger:
            return True
    return False


def called_rightly(wanted: tuple[Call, ...], got: list[dict[str, Any]]) -> bool:
    """Each wanted one once and no other, in any order; `got` as {"name", "arguments": JSON text}."""
    left = list(got)
    for call in wanted:
        matching = [one for one in left if one["name"] == call.name and same_arguments(call.arguments, one["arguments"])]
        if not matching:
            return False
        left.remove(matching[0])
    return not left


def same_arguments(wanted: dict[str, Any], got: str) -> bool:
    """An argument that is null counts as left out."""
    try:
        arguments = json.loads(got)
    except ValueError:
        return False
    if not isinstance(arguments, dict):
        return False
    given = {key: value for key, value in arguments.items() if value is not None}
    return given.keys() == wanted.keys() and all(_same(wanted[key], given[key]) for key in wanted)


def _same(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, tuple):
        return any(_same(one, got) for one in wanted)
    if isinstance(wanted, list):
        return isinstance(got, list) and len(got) == len(wanted) and all(any(_same(w, g) for g in got) for w in wanted)
    if isinstance(wanted, str):
        return isinstance(got, str) and words_of(got) == words_of(wanted)
    # Python takes True for 1, and JSON does not.
    return isinstance(got, bool) == isinstance(wanted, bool) and bool(got == wanted)


def words_of(text: str) -> list[str]:
    return [word for word in plain(text).split() if word not in ARTICLES]


def share(results: list[bool]) -> float:
    return round(sum(results) / max(len(results), 1), 3)
