"""What fails together is tried alone: a bad row costs its own sequence, never another's."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from realtime_server.engine.runtime.steps import Broken

log = logging.getLogger(__name__)
Forward = Callable[[list[Any]], list[Any]]
"""Steps of one kind -> their answers. A step leaves no trace in what it continues before it succeeds."""


def answers(forward: Forward, steps: Mapping[int, Any]) -> dict[int, Any]:
    """The answers to these steps, each by its number; Broken to one that fails by itself too."""
    if not steps:
        return {}
    try:
        return dict(zip(steps, forward(list(steps.values())), strict=True))
    except Exception as error:
        if len(steps) == 1:
            log.exception("! a step failed")
            return dict.fromkeys(steps, Broken(error))
    alone = [answers(forward, {number: step}) for number, step in steps.items()]
    return {number: answer for each in alone for number, answer in each.items()}
