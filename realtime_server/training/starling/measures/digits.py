"""Real people who say one digit each, in recordings that nothing is trained on: read back right."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

from realtime_server.training.starling.caller import calling
from realtime_server.training.starling.measures.talking import read
from realtime_server.training.starling.scoring import share, spoken
from realtime_server.training.starling.sets.talks import Json

INSTRUCTIONS = "The caller says one digit. Read it back to him: say that digit and nothing else."
DIGITS = "zero one two three four five six seven eight nine".split()


def digits(address: str, folder: Path, number: int | None = None) -> dict[str, Any]:
    results = asyncio.run(_read_back(address, sorted(folder.glob("*_[0-4].flac"))[:number]))
    speakers = defaultdict(list)
    for one in results:
        speakers[one["speaker"]].append(one["right"])
    return {
        "exact": share([one["right"] for one in results]), "recordings": len(results),
        "exact_by_speaker": {speaker: share(right) for speaker, right in speakers.items()}, "wrong": _wrong(results),
    }  # fmt: skip


def read_back(answer: str, digit: str) -> bool:
    """It names this digit and no other, however often."""
    return {word for word in spoken(answer).split() if word in DIGITS} == {digit}


async def _read_back(address: str, recordings: list[Path]) -> list[Json]:
    results = []
    for path in recordings:
        digit, speaker, _ = path.stem.split("_")
        async with calling(address, INSTRUCTIONS) as caller:
            exchange = await caller.say(read(path))
        right = read_back(exchange.answer, DIGITS[int(digit)])
        result = {"digit": digit, "speaker": speaker, "heard": exchange.heard, "answer": exchange.answer, "right": right}
        results.append(result)
    return results


def _wrong(results: list[Json]) -> list[Json]:
    return [one for one in results if not one["right"]]
