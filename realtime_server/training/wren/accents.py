"""English with a foreign accent: espeak-ng's English phonemes, said with the sounds of another language.

A synthesiser's English is that of its few voices, and people's is not: what they bring from other languages are other vowels,
another r, hard final consonants. espeak-ng's mnemonics are the same for all languages, and each has its own sound for them.
"""

import random
import subprocess
from functools import cache

from realtime_server.engine.families.wren.words import plain

LANGUAGES = (
    "de", "fr-fr", "es", "it", "pl", "pt-br", "nl", "sv", "el", "hi", "bn", "ta", "tr", "ro", "hu", "cs", "ru", "fi",
)  # fmt: skip
_NEAREST = {
    "I": "i", "V": "a", "0": "o", "O": "o", "O:": "o", "E": "e", "U": "u", "A:": "a", "3": "er", "3:": "er", "A@": "ar",
    "O@": "or", "U@": "ur", "aI": "aj", "eI": "ej", "OI": "oj", "aU": "au", "oU": "o", "aI3": "ajer",
}  # fmt: skip
"""Of sounds that a language may lack, those that its speakers put in their place."""
_HEARD_AS = (("T", "tsf"), ("D", "dz"), ("w", "v"), ("z", "s"), ("a", "E"), ("V", "a"), ("I", "i"), ("@", "e"))
"""What speakers of many languages take for another sound that they know."""
_STRESS, _VARIANT = "',%=", str.maketrans("", "", "#2-;|")


def espeak(*options: str) -> str:
    return subprocess.run(["espeak-ng", "-q", "-x", *options], check=True, capture_output=True, text=True).stdout.strip()


@cache
def sound(language: str, mnemonic: str) -> str:
    """That of the language for an English sound, as mnemonics. What espeak-ng does not know, it leaves out with the rest of the
    word."""
    said = espeak("-v", language, f"[[{mnemonic}]]").translate(_VARIANT)
    return mnemonic if said.strip(_STRESS) == mnemonic else _NEAREST.get(mnemonic, mnemonic)


def accented(text: str, language: str, rng: random.Random) -> str:
    """What makes espeak-ng's voice of that language say an English text."""
    taken = {english: rng.choice(others) for english, others in _HEARD_AS if rng.random() < 0.4}
    words = []
    for word in espeak("--sep=_", "-v", "en-us", plain(text)).split():
        sounds = []
        for marked in word.translate(_VARIANT).split("_"):
            mnemonic = marked.lstrip(_STRESS)
            stress = marked[: len(marked) - len(mnemonic)]
            sounds.append(stress + sound(language, taken.get(mnemonic, mnemonic)))
        words.append("".join(sounds))
    return f"[[{' '.join(words)}]]"
