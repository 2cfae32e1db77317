"""Forty turns in one session with long instructions and tools: are the later ones as right as the first?"""

import asyncio
from typing import Any

from realtime_server.training.starling.measures.talking import Recordings, hold, word_errors
from realtime_server.training.starling.scoring import share
from realtime_server.training.starling.sets.conversation import TALK

TEN = 10


def long_conversation(address: str, recordings: Recordings) -> dict[str, Any]:
    judged = asyncio.run(hold(address, TALK, recordings))
    right = [one.right for one in judged]
    return {
        "right": share(right), "first_ten_right": share(right[:TEN]), "later_thirty_right": share(right[TEN:]),
        "last_ten_right": share(right[-TEN:]), "word_errors": word_errors(judged), "number": len(judged),
        "turns": [one.detail for one in judged],
    }  # fmt: skip
