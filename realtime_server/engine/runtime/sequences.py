"""Sequences as coroutines: each yields the step that it needs next and is sent the answer; every step moves all that can move.

A body yields None where it has nothing to do before something else happens: a command, or what another sequence does.
"""

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from realtime_server.engine.runtime.scheduler import Granted, Scheduler, Sequence, Status
from realtime_server.engine.runtime.steps import Broken, Step
from realtime_server.messages import Output

log = logging.getLogger(__name__)
Body = Generator[Step | None, Any, None]
Run = Callable[[list[Any]], list[Any]]
"""A batch of steps -> their answers, Broken where there is none."""


def _nothing() -> None: ...


@dataclass(frozen=True)
class Work:
    """A sequence's body, and what becomes of it. `outputs`: where it puts what it tells, which every step empties; `failure`:
    what is told where it breaks; `free`: called once when it is over, however it ended."""

    body: Body
    outputs: list[Output]
    failure: Callable[[Exception], Output]
    free: Callable[[], None] = _nothing


@dataclass
class _Running:
    work: Work
    step: Step | None = None
    later: Step | None = None
    """The part of the step that the last batch had no room for."""
    started: bool = False

    def advance(self, answer: Any) -> None:
        """To the step that it needs next, None where it has to wait. StopIteration at its end."""
        if isinstance(answer, Broken):
            self.step, self.later = self.work.body.throw(answer.error), None
        elif self.later is not None:
            self.step, self.later = self.later, None
        else:
            started, self.started = self.started, True
            self.step = self.work.body.send(answer if started else None)

    def grant(self, positions: int) -> Step:
        """What of its step is done now."""
        assert self.step is not None
        if self.step.divisible:
            self.step, self.later = self.step.split(positions)
        return self.step


class Sequences:
    """`run`: runs a batch. `refusals`: errors that are the client's, of which nobody needs a log line."""

    def __init__(self, run: Run, refusals: tuple[type[Exception], ...] = (), scheduler: Scheduler | None = None) -> None:
        self._run, self._refusals = run, refusals
        self._scheduler = scheduler or Scheduler()
        self._running: dict[int, _Running] = {}
        self._delivered: list[tuple[str, Output]] = []

    def start(self, session_id: str, key: str, work: Work) -> None:
        """It moves with the next step. Whatever has its key is dropped with it, and fails with it."""
        self._running[self._scheduler.add(session_id, key).number] = _Running(work)

    def hold(self, session_id: str, held: bool) -> None:
        """A held session's sequences stand still."""
        self._scheduler.hold(session_id, held)

    def drop(self, session_id: str, key: str | None = None) -> None:
        """Ends a session's sequences, or those of one key, without a word."""
        for sequence in self._scheduler.of(session_id, key):
            self._remove(sequence)

    def end(self, session_id: str) -> None:
        """The session is over."""
        self.drop(session_id)
        self._scheduler.hold(session_id, False)

    def step(self) -> list[tuple[str, Output]] | None:
        """One batch; what it told, as (session_id, output). None where nothing can move before another command."""
        self._wake()
        batch = self._scheduler.next_batch()
        for granted, answer in zip(batch, self._run(self._steps(batch)) if batch else (), strict=True):
            self._advance(granted.sequence, answer)
        return self._told() if batch else self._told() or None

    def abandon(self) -> list[tuple[str, Output]]:
        """Ends every sequence, each with its failure: nobody knows what they are worth."""
        for sequence in self._scheduler.all():
            failure = self._running[sequence.number].work.failure(RuntimeError("abandoned"))
            self._delivered.append((sequence.session_id, failure))
            self._remove(sequence)
        return self._told()

    def _wake(self) -> None:
        """What waits may have been given what it waits for, also by a sequence that ended a moment ago."""
        running = -1
        while running != len(self._running):
            running = len(self._running)
            for sequence in self._scheduler.waiting():
                self._advance(sequence, None)

    def _steps(self, batch: list[Granted]) -> list[Step]:
        return [self._running[granted.sequence.number].grant(granted.positions) for granted in batch]

    def _told(self) -> list[tuple[str, Output]]:
        told, self._delivered = self._delivered, []
        return told

    def _advance(self, sequence: Sequence, answer: Any) -> None:
        running = self._running.get(sequence.number)
        if running is None:
            return
        try:
            running.advance(answer)
            step = running.step
            sequence.status = Status.WAITING if step is None else Status.READY
            if step is not None:
                sequence.positions, sequence.divisible = step.positions, step.divisible
        except StopIteration:
            sequence.status = Status.DONE
        # What one sequence breaks is its own failure, never another's.
        except Exception as error:
            if not isinstance(answer, Broken) and not isinstance(error, self._refusals):
                log.exception("! %s %s", sequence.session_id, sequence.key)
            running.work.outputs.append(running.work.failure(error))
            sequence.status = Status.FAILED
        self._delivered += [(sequence.session_id, output) for output in running.work.outputs]
        running.work.outputs.clear()
        if sequence.status is Status.DONE:
            self._remove(sequence)
        elif sequence.status is Status.FAILED:
            # What thinks an answer would wait for ever for what speaks it.
            self.drop(sequence.session_id, sequence.key)

    def _remove(self, sequence: Sequence) -> None:
        self._scheduler.remove(sequence)
        running = self._running.pop(sequence.number, None)
        if running is not None:
            running.work.body.close()
            running.work.free()
