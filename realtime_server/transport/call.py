"""One call: a Session, its engine, and the shells through which its client is met. Only this loop ever touches it.

A shell may come and go: each is shown all events from the moment that it is there. Nothing is kept of what was shown before:
the protocol has no way to ask for it (6.4), and items can be retrieved. The call is over when the last one has left.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from realtime_server.engine.contract import EngineClient
from realtime_server.engine.observing import Kind, Observer, observed
from realtime_server.messages import Disconnect, Output, Play, PlayerCommand, ShellOutput, StopPlaying
from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.errors import OUR_FAULT, ClientError
from realtime_server.session.session import Session
from realtime_server.transport.alarm import Alarm
from realtime_server.transport.shells import INTERNAL_ERROR, Shell, Shells

log = logging.getLogger(__name__)
Player = Callable[[PlayerCommand], None]
"""Returns at once."""


class Call:
    """`run` returns when the call is over; further shells are served by `serve`, each in a task of its own."""

    def __init__(
        self, name: str, session: Session, engine: EngineClient, player: Player | None = None, observer: Observer | None = None
    ) -> None:
        """`player`: of a session whose answers a shell plays (`SessionStart.playback`)."""
        self.name, self.session = name, session
        self._engine, self._player, self._observer = engine, player, observer
        self._shells = Shells(name, partial(engine.hold, name))
        self._closing = False
        self._alarm = Alarm()
        self._quiet = asyncio.Event()
        self.ready = asyncio.Event()
        """Set while more may be read from the client."""
        self.ready.set()

    async def run(self, first: Shell) -> None:
        """Until the last shell has left; `first` is there from the beginning."""
        self._observed("opened", "call", lambda: self._engine.open(self.name, self._engine_output))
        log.info("= %s opened", self.name)
        try:
            async with asyncio.TaskGroup() as group:
                clock = group.create_task(self._watch_the_clock(), name=f"{self.name} timer")
                await self.serve(first)
                await self._shells.all_left()
                clock.cancel()
        finally:
            self._quiet.set()
            self._observed("ended", "call", lambda: self._engine.end(self.name))
            self._leave()

    def _leave(self) -> None:
        try:
            self.session.end(_now())
        except Exception:
            log.exception("! %s did not end", self.name)

    async def serve(self, shell: Shell) -> None:
        """Shows it every event from now on, until its client is gone."""
        await self._shells.serve(shell, partial(self._enter, lambda: None))

    async def answered(self) -> None:
        """Returns once no response is running."""
        await self._quiet.wait()

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close once everything before this has been sent."""
        self._shells.say_goodbye(code, reason)

    def hold(self, shell: Shell, held: bool) -> None:
        """Generation waits while a shell that plays is too far behind."""
        self._shells.hold(shell, held)

    # --- in -----------------------------------------------------------------------------------------------------------

    def receive(self, shell: Shell, decode: Callable[[], AnyClientEvent]) -> None:
        """An event of this shell's client, as soon as it is decoded: what is none is told like any other of its faults."""
        if shell in self._shells:
            self._enter(partial(self._receive, decode))

    def _enter(self, work: Callable[[], None]) -> None:
        """The one boundary: every way into the session leads through here, and what comes of it is handed over.

        Their fault is told and the session lives (`ClientError`); ours is logged once, told, and ends this call.
        """
        if self._closing:
            return
        try:
            try:
                work()
            except ClientError as error:
                self.session.refuse(error)
            self._drain()
        except Exception:
            log.exception("! %s broke", self.name)
            self._fail()

    def _fail(self) -> None:
        """Whatever state the session is in: if it cannot even say so, the close code does."""
        try:
            self.session.fail(OUR_FAULT)
            self._drain()
        except Exception:
            log.exception("! %s could not tell that it broke", self.name)
            self.say_goodbye(1011, INTERNAL_ERROR)
        self._closing = True
        self._quiet.set()
        self.ready.set()
        self._alarm.set(None)

    def _receive(self, decode: Callable[[], AnyClientEvent]) -> None:
        event = decode()
        log.debug("< %s %s", self.name, event.type)
        self._observed("received", event.type, lambda: self.session.receive(event, _now()))

    def _engine_output(self, output: Output) -> None:
        name = type(output).__name__
        self._enter(lambda: self._observed("output", name, lambda: self.session.engine_output(output, _now())))

    def shell_output(self, output: ShellOutput) -> None:
        """What a shell has played, or taken in."""
        name = type(output).__name__
        self._enter(lambda: self._observed("output", name, lambda: self.session.shell_output(output, _now())))

    async def _watch_the_clock(self) -> None:
        while True:
            await self._alarm.rung()
            self._enter(lambda: self._observed("deadline", "deadline", lambda: self.session.handle_deadline(_now())))

    def _observed(self, kind: Kind, name: str, work: Callable[[], None]) -> None:
        observed(self._observer, self.name, kind, name, work)

    # --- out ----------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Hands over what the session has to send and to run, and notes when it wants to be woken."""
        for event in self.session.events_to_send():
            log.debug("> %s %s", self.name, event.type)
            self._observed("sent", event.type, partial(self._shells.show, event))
        for command in self.session.commands_to_run():
            match command:
                case Disconnect():
                    self.say_goodbye(command.code, command.reason)
                case Play() | StopPlaying():
                    assert self._player is not None
                    self._player(command)
                case _:
                    self._engine.submit(self.name, command)
        (self._quiet.clear if self.session.answering else self._quiet.set)()
        (self.ready.clear if self.session.behind and not self._closing else self.ready.set)()
        self._alarm.set(self.session.next_deadline())


def _now() -> float:
    return asyncio.get_running_loop().time()
