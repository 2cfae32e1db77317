"""Numbers and punctuation to the plain lower-case words that Wren reads."""

import re
from unicodedata import normalize

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
DIGITS = ONES[:10]
TENS = ("_ _ twenty thirty forty fifty sixty seventy eighty ninety").split()
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ACCENT = re.compile("[\u0300-\u036f]")
TEXT_NUMBER = re.compile(r"\d+")
LONGEST_NUMBER = 15
"""Digits; longer numbers are read digit by digit, however long they are."""
_PLAIN = re.compile(r"[a-z']+(?: [a-z']+)*")
_SIGNED = re.compile(r"(?<![\w.])-(?=\d)")
_POINT = re.compile(r"(?<=\d)\.(?=\d)(\d+)")


def number_in_words(number: int) -> str:
    """English words of 0..999999; larger numbers are read digit by digit."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + ("" if number % 10 == 0 else " " + ONES[number % 10])
    if number < 1000:
        rest = number % 100
        return f"{ONES[number // 100]} hundred" + (f" {number_in_words(rest)}" if rest else "")
    if number < 1_000_000:
        rest = number % 1000
        return f"{number_in_words(number // 1000)} thousand" + (f" {number_in_words(rest)}" if rest else "")
    return in_digits(str(number))


def _number(digits: str) -> str:
    return number_in_words(int(digits)) if len(digits) <= LONGEST_NUMBER else in_digits(digits)


def in_digits(digits: str) -> str:
    return " ".join(ONES[int(digit)] for digit in digits)


def signed(number: int) -> str:
    return f"minus {number_in_words(-number)}" if number < 0 else number_in_words(number)


def with_signs(text: str) -> str:
    """'-5' -> 'minus 5', '19.95' -> '19 point nine five': what `plain` would leave out of figures. No range, date or time
    loses its hyphens by it."""
    return _POINT.sub(lambda match: f" point {in_digits(match[1])} ", _SIGNED.sub("minus ", text))


def plain(text: str) -> str:
    """Lower-case words with single spaces: digits spelled out, punctuation and accents gone, apostrophes kept."""
    if _PLAIN.fullmatch(text):
        return text
    text = TEXT_NUMBER.sub(lambda match: f" {_number(match[0])} ", text.lower().replace("\u2019", "'"))
    text = _ACCENT.sub("", normalize("NFD", text))
    return " ".join(re.sub(r"[^a-z']+", " ", text).split())


def identifier_words(identifier: str) -> str:
    """'numberOfShots', 'number_of_shots', 'number-of-shots' -> 'number of shots': names as they are spoken."""
    return plain(_HUMP.sub(" ", identifier).replace("_", " "))
