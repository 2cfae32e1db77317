"""Word errors as listeners count them: numbers, however they are written, are their words, and marks say nothing."""

import re
from collections.abc import Sequence

UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
WRITTEN = {"mr.": "mister", "mrs.": "missus", "messrs.": "messieurs", "oz": "ounce", "&": "and"}


def cardinal(number: int) -> str:
    """0 to 999,999 in words, years as they are read."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        return f"{TENS[number // 10 - 2]} {cardinal(number % 10) if number % 10 else ''}".strip()
    if 1100 <= number < 2000:
        return f"{cardinal(number // 100)} {cardinal(number % 100) if number % 100 else 'hundred'}"
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = f" {cardinal(number % size)}" if number % size else ""
    return f"{cardinal(number // size)} {name}{rest}"


def ordinal(number: int) -> str:
    *before, last = cardinal(number).split()
    return " ".join([*before, ORDINALS.get(last, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")])


def words(text: str) -> list[str]:
    text = re.sub(r"(\d),(\d{3})", r"\1\2", text.lower().replace("’", "'"))
    text = " ".join(WRITTEN.get(word, word) for word in text.split())
    text = re.sub(r"(\d{1,6})(?:st|nd|rd|th)\b", lambda found: f" {ordinal(int(found[1]))} ", text)
    text = re.sub(r"\d{1,6}", lambda found: f" {cardinal(int(found[0]))} ", text)
    text = re.sub(r"\boz\b", "ounce", text)
    return re.sub(r"[^a-z']", " ", text).split()


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words to be changed, added or left out (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for n, word in enumerate(said, 1):
        before, row[0] = row[0], n
        for m, other in enumerate(heard, 1):
            before, row[m] = row[m], min(row[m] + 1, row[m - 1] + 1, before + (word != other))
    return row[-1]


def word_error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Of (said, heard), all together."""
    total = sum(len(words(said)) for said, _ in pairs)
    return sum(errors(words(said), words(heard)) for said, heard in pairs) / max(1, total)
