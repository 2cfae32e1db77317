"""How long a caller waits, at the pace of speech: alone, and among others."""

import asyncio
from typing import Any

import numpy as np

from realtime_server.training.starling.caller import Exchange, calling
from realtime_server.training.starling.measures.spoken_questions import spread
from realtime_server.training.starling.measures.talking import Recordings
from realtime_server.training.starling.sets import questions
from realtime_server.training.starling.sets.talks import Talk

NUMBER = 24
SESSIONS = 4
IN_REAL_TIME_MS = 100
"""What a client's jitter buffer bears."""


def latency(address: str, recordings: Recordings, number: int | None = None) -> dict[str, Any]:
    return figures(asyncio.run(_questions(address, recordings, min(number or NUMBER, NUMBER))))


def sessions(address: str, recordings: Recordings, number: int | None = None) -> dict[str, Any]:
    """Four at once, each with as many questions as a quarter of the above, begun at different moments."""
    return {**figures(asyncio.run(_at_once(address, recordings, min(number or NUMBER, NUMBER)))), "sessions": SESSIONS}


def figures(exchanges: list[Exchange]) -> dict[str, Any]:
    waits = [one.first_audio_ms for one in exchanges if one.first_audio_ms is not None]
    behind = [one.behind_s * 1000 for one in exchanges if one.first_audio_ms is not None]
    if not waits:
        return {"questions": len(exchanges), "unanswered": len(exchanges)}
    p50, p95 = np.percentile(waits, (50, 95))
    return {
        "first_audio_p50_ms": round(float(p50)), "first_audio_p95_ms": round(float(p95)),
        "latest_piece_behind_playing_ms": round(max(behind)),
        "in_real_time": round(sum(late <= IN_REAL_TIME_MS for late in behind) / len(exchanges), 3),
        "questions": len(exchanges), "unanswered": len(exchanges) - len(waits),
    }  # fmt: skip


async def _questions(address: str, recordings: Recordings, number: int) -> list[Exchange]:
    return [await _one(address, talk, recordings) for talk in spread(questions.TALKS, number)]


async def _at_once(address: str, recordings: Recordings, number: int) -> list[Exchange]:
    talks = spread(questions.TALKS, number)

    async def session(n: int) -> list[Exchange]:
        await asyncio.sleep(0.7 * n)
        return [await _one(address, talk, recordings) for talk in talks[n::SESSIONS]]

    return [one for some in await asyncio.gather(*map(session, range(SESSIONS))) for one in some]


async def _one(address: str, talk: Talk, recordings: Recordings) -> Exchange:
    async with calling(address, talk.instructions, talk.tools) as caller:
        return await caller.say_live(recordings.samples(talk.turns[0].said))
