"""Runs sequences of an ear's steps, alone or together."""

from collections.abc import Generator, Sequence
from typing import Any

from realtime_server.engine.ears.whisper import WhisperEar


def alone(body: Generator[Any, Any, Any], ear: WhisperEar) -> Any:
    return together([body], ear)[0]


def together(bodies: Sequence[Generator[Any, Any, Any]], ear: WhisperEar) -> list[Any]:
    """What each returns; every step of all that go on is one batch."""
    results: dict[int, Any] = {}
    steps = {n: next(body) for n, body in enumerate(bodies)}
    while steps:
        answers = dict(zip(steps, ear.run(list(steps.values())), strict=True))
        steps = {}
        for n, answer in answers.items():
            try:
                steps[n] = bodies[n].send(answer)
            except StopIteration as end:
                results[n] = end.value
    return [results[n] for n in range(len(bodies))]
