"""Everyday questions and requests, spoken."""

import asyncio
from collections import defaultdict
from typing import Any

from realtime_server.training.starling.measures.talking import Judged, Recordings, hold, word_errors
from realtime_server.training.starling.scoring import share
from realtime_server.training.starling.sets import questions
from realtime_server.training.starling.sets.talks import Talk


def spoken_questions(address: str, recordings: Recordings, number: int | None = None) -> dict[str, Any]:
    judged = asyncio.run(_all(address, spread(questions.TALKS, number), recordings))
    return {
        "answered_rightly": share([one.right for one in judged]), "word_errors": word_errors(judged),
        "number": len(judged), **by_kind_and_voice(judged), "turns": [one.detail for one in judged],
    }  # fmt: skip


async def _all(address: str, talks: tuple[Talk, ...], recordings: Recordings) -> list[Judged]:
    return [one for talk in talks for one in await hold(address, talk, recordings)]


def spread(talks: tuple[Talk, ...], number: int | None) -> tuple[Talk, ...]:
    """So many of them, of all kinds."""
    return talks if number is None or number >= len(talks) else tuple(talks[n * len(talks) // number] for n in range(number))


def by_kind_and_voice(judged: list[Judged]) -> dict[str, Any]:
    kinds, voices = defaultdict(list), defaultdict(list)
    for one in judged:
        kinds[one.kind].append(one.right)
        voices[one.voice].append(one.right)
    return {
        "right_by_kind": {kind: share(results) for kind, results in kinds.items()},
        "right_by_voice": {voice: share(results) for voice, results in voices.items()},
    }
