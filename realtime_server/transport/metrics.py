"""What happens in the server, as Prometheus counts it. No label holds a key, a name of a session, or a word that was said."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from realtime_server.engine.observing import Noted, Observer

SPEECH_S = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Bounds of buckets: what a person does not notice, what he does, what makes him ask whether somebody is there."""
WORK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Of work that others wait for."""
LOOK_EVERY_S = 0.25
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _Turn:
    """Where a session stands, in seconds of the monotonic clock; None where that has not happened."""

    stopped_at: float | None = None
    """The user stopped speaking, and no answer is heard yet."""
    asked_at: float | None = None
    """A response was asked for by an event, and is not heard yet."""
    answering: bool = False
    interrupted_at: float | None = None
    sounded_at: float = 0.0
    """The latest piece of sound."""


@dataclass
class Metrics:
    """An observer that counts. `note` may be called on any thread; what is sent and received is noted on the loop's alone."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        made = self.registry
        self._sessions = Gauge("realtime_sessions", "Sessions that are open.", registry=made)
        self._opened = Counter("realtime_sessions_opened", "Sessions that were opened.", registry=made)
        self._refused = Counter("realtime_refusals", "Sessions that were refused, by reason.", ["reason"], registry=made)
        self._events = Counter("realtime_events", "Events of the protocol.", ["direction", "type"], registry=made)
        self._turns = Counter("realtime_turns", "Turns of users that were complete.", registry=made)
        self._responses = Counter("realtime_responses", "Responses that are done, however they ended.", registry=made)
        self._interruptions = Counter("realtime_interruptions", "Responses that a user spoke into.", registry=made)
        self._first_audio = Histogram(
            "realtime_first_audio_seconds", "To the first sound of an answer, from where the user stopped or it was asked for.",
            ["after"], registry=made, buckets=SPEECH_S,
        )  # fmt: skip
        self._stopped = Histogram(
            "realtime_interruption_seconds", "From where a user spoke into an answer to its last sound.",
            registry=made, buckets=SPEECH_S,
        )  # fmt: skip
        self._step = Histogram("realtime_engine_step_seconds", "A step of a model.", registry=made, buckets=WORK_S)
        self._commands = Counter("realtime_engine_commands", "What models were told to do.", ["command"], registry=made)
        self._delay = Histogram(
            "realtime_event_loop_delay_seconds", "How late the event loop comes to what is due.", registry=made, buckets=WORK_S
        )
        self._where: dict[str, _Turn] = {}

    def note(self, noted: Noted) -> None:
        match noted.kind:
            case "opened":
                self._where[noted.session_id] = _Turn()
                self._sessions.inc()
                self._opened.inc()
            case "ended":
                if self._where.pop(noted.session_id, None) is not None:
                    self._sessions.dec()
            case "refused":
                self._refused.labels(noted.name).inc()
            case "sent" | "received":
                self._events.labels(noted.kind, noted.name).inc()
                if noted.session_id in self._where:
                    self._follow(self._where[noted.session_id], noted)
            case "step":
                self._step.observe(noted.took_s)
            case "command":
                self._commands.labels(noted.name).inc()

    def _follow(self, turn: _Turn, noted: Noted) -> None:
        match noted.name:
            case "input_audio_buffer.speech_started":
                if turn.answering:
                    turn.interrupted_at = noted.at
            case "input_audio_buffer.speech_stopped":
                turn.stopped_at, turn.asked_at = noted.at, None
            case "input_audio_buffer.committed":
                self._turns.inc()
            case "response.create":
                turn.asked_at = noted.at
            case "response.created":
                turn.answering, turn.interrupted_at = True, None
            case "response.output_audio.delta":
                turn.sounded_at = noted.at
                self._sounds(turn, noted.at)
            case "response.done":
                self._done(turn)

    def _sounds(self, turn: _Turn, now: float) -> None:
        """The first sound is counted once, from the latest cause."""
        if turn.stopped_at is not None:
            self._first_audio.labels("speech").observe(now - turn.stopped_at)
        elif turn.asked_at is not None:
            self._first_audio.labels("request").observe(now - turn.asked_at)
        turn.stopped_at = turn.asked_at = None

    def _done(self, turn: _Turn) -> None:
        self._responses.inc()
        if turn.interrupted_at is not None:
            self._interruptions.inc()
            self._stopped.observe(max(0.0, turn.sounded_at - turn.interrupted_at))
        turn.answering, turn.interrupted_at = False, None

    def text(self) -> bytes:
        """All of it, as it is scraped."""
        return generate_latest(self.registry)

    def watch(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """From now on the loop's delays are measured; the result ends that."""
        handle: list[asyncio.TimerHandle] = []

        def look(due: float) -> None:
            now = loop.time()
            self._delay.observe(max(0.0, now - due))
            handle[:] = [loop.call_at(now + LOOK_EVERY_S, look, now + LOOK_EVERY_S)]

        handle[:] = [loop.call_later(LOOK_EVERY_S, look, loop.time() + LOOK_EVERY_S)]
        return lambda: handle[0].cancel()


@dataclass(frozen=True)
class Both:
    """Two observers as one."""

    first: Observer
    second: Observer

    def note(self, noted: Noted) -> None:
        self.first.note(noted)
        self.second.note(noted)
