"""What fails together is tried alone: a bad row costs its own sequence, never another's."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from realtime_server.engine.contract import DeviceLost
from realtime_server.engine.runtime.steps import Broken

log = logging.getLogger(__name__)
Forward = Callable[[list[Any]], list[Any]]
"""Steps of one kind -> their answers. A step leaves no trace in what it continues before it succeeds."""


def run(groups: Iterable[tuple[Forward, Mapping[int, Any]]], device: torch.device) -> list[Any]:
    """The answers to the steps of all groups, in the order of their numbers, 0 to the last; Broken to one that fails by itself.

    Raises DeviceLost where none can be had from this device any more.
    """
    told: dict[int, Any] = {}
    for forward, steps in groups:
        told |= answers(forward, steps)
    if any(isinstance(answer, Broken) for answer in told.values()):
        _check(device)
    return [told[number] for number in range(len(told))]


def answers(forward: Forward, steps: Mapping[int, Any]) -> dict[int, Any]:
    """The answers to these steps, each by its number."""
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


def _check(device: torch.device) -> None:
    try:
        torch.ones(1, device=device).sum().item()
    except RuntimeError as error:
        raise DeviceLost(f"{device} does not compute any more") from error
