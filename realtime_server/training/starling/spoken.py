"""Words as people say them and as a speech recogniser writes them down."""

import random
import re

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
DIGITS = ONES[:10]
FILLERS = ("um, ", "uh, ", "well, ", "so ", "okay, ", "hey, ", "hm, ", "oh, ", "please, ", "I mean, ", "alright, ")
MISHEARD = {
    "two": "to", "to": "two", "for": "four", "their": "there", "your": "you're", "right": "write", "by": "buy", "know": "no",
    "weather": "whether", "hour": "our", "meet": "meat", "week": "weak", "a": "the", "in": "and", "is": "its", "the": "a",
    "for a": "for", "are": "our", "would": "wood", "and": "in", "can": "could", "will": "would",
}  # fmt: skip
"""What a recogniser writes instead: short words, so that the sense stays."""


def words(number: int) -> str:
    """From -999999 to 999999."""
    if number < 0:
        return f"minus {words(-number)}"
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, one = divmod(number, 10)
        return TENS[tens] + (f"-{ONES[one]}" if one else "")
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    high, low = divmod(number, size)
    return f"{words(high)} {name}" + (f" {'and ' if low < 100 else ''}{words(low)}" if low else "")


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """With a capital in front, and one full stop where an abbreviation ends it."""
    return upper_first(text.replace("m..", "m."))


def _misheard(text: str, rng: random.Random) -> str:
    parts = text.split(" ")
    places = [n for n, part in enumerate(parts) if part.lower() in MISHEARD]
    if places:
        n = rng.choice(places)
        parts[n] = MISHEARD[parts[n].lower()]
    return " ".join(parts)


def heard(text: str, rng: random.Random, errors: float = 0.05) -> str:
    """The sentence as a recogniser may write it: with or without capitals and marks, with fillers, rarely misheard."""
    if rng.random() < 0.12:
        filler = rng.choice(FILLERS)
        text = upper_first(filler) + (text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:])
    if rng.random() < errors:
        text = _misheard(text, rng)
    style = rng.random()
    if style < 0.12:
        return re.sub(r"[,!?;]|\.(?!\d)", "", text).lower()
    if style < 0.2:
        return text.rstrip(".!?")
    return text
