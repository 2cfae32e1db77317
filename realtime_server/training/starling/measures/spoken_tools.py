"""Requests to tools, spoken: the right calls with the right arguments, and none where none fits."""

import asyncio
import json
from typing import Any

from jsonschema import Draft202012Validator

from realtime_server.training.starling.measures.spoken_questions import by_kind_and_voice, spread
from realtime_server.training.starling.measures.talking import Judged, Recordings, hold, word_errors
from realtime_server.training.starling.scoring import share
from realtime_server.training.starling.sets import requests
from realtime_server.training.starling.sets.talks import Json, Talk, Tool


def spoken_tools(address: str, recordings: Recordings, number: int | None = None) -> dict[str, Any]:
    talks = spread(requests.TALKS, number)
    judged = asyncio.run(_all(address, talks, recordings))
    wanting = [one for one in judged if one.turn.calls]
    tools = {tool.name: tool for talk in talks for tool in talk.tools}
    return {
        "right_calls_and_arguments": share([one.right for one in wanting]),
        "right_calls": share([names(one.calls) == sorted(call.name for call in one.turn.calls) for one in wanting]),
        "none_where_none_fits": share([not one.calls for one in judged if not one.turn.calls]),
        "arguments_valid": share([fits(tools, call) for one in judged for call in one.calls]),
        "word_errors": word_errors(judged), "number": len(judged), **by_kind_and_voice(wanting),
        "turns": [one.detail for one in judged],
    }  # fmt: skip


async def _all(address: str, talks: tuple[Talk, ...], recordings: Recordings) -> list[Judged]:
    return [one for talk in talks for one in await hold(address, talk, recordings)]


def names(calls: list[Json]) -> list[str]:
    return sorted(call["name"] for call in calls)


def fits(tools: dict[str, Tool], call: Json) -> bool:
    """Do the arguments satisfy the schema that was shown?"""
    try:
        arguments = json.loads(call["arguments"])
    except ValueError:
        return False
    return call["name"] in tools and bool(Draft202012Validator(tools[call["name"]].schema).is_valid(arguments))
