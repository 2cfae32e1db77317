"""Ids as the protocol writes them: a prefix that names the kind, and base62 behind it."""

import random
import string

_BASE62 = string.digits + string.ascii_letters
UNGUESSABLE = random.SystemRandom()


def new_id(prefix: str, randomness: random.Random = UNGUESSABLE, length: int = 21) -> str:
    return f"{prefix}_" + "".join(randomness.choices(_BASE62, k=length))
