"""The shells of one call: who is shown what happens, who is too far behind, and who is still to leave.

They come and go. What one breaks costs itself alone, and each has its own backlog, so that none waits for another.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from realtime_server.protocol import server_events as ev
from realtime_server.protocol.errors import OUR_FAULT
from realtime_server.protocol.ids import new_id

log = logging.getLogger(__name__)
INTERNAL_ERROR = "server_error.internal_error"


class ShellLost(Exception):
    """Raised by `Shell.show`: it has sent its client away by itself, and is shown nothing more."""


class Shell(Protocol):
    """A way to the client. It gives what comes to `Call.receive`, and tells `Call.hold` how far it is behind."""

    @property
    def plays(self) -> bool:
        """Does the client hear the answers through it? Then generation waits for it."""
        ...

    def show(self, event: ev.AnyServerEvent) -> None:
        """One more event; returns at once. What it raises costs this shell alone."""
        ...

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close once everything before this has been sent."""
        ...

    async def run(self) -> None:
        """Returns when its client is gone, whichever side ended it."""
        ...


class Shells:
    """`serve` each of them in a task of its own; `all_left` returns when the last one's has ended."""

    def __init__(self, call: str, hold: Callable[[bool], None]) -> None:
        """`call` is its name, in the log; `hold` is told whether generation is to wait."""
        self._call, self._hold = call, hold
        self._shown: list[Shell] = []
        """Those that are shown what happens."""
        self._serving = 0
        """Those, and the ones that only take their leave."""
        self._holding: set[Shell] = set()
        """Of those that play, the ones that are too far behind."""
        self._goodbye: tuple[int, str] | None = None
        """With which all have been sent home, so that who comes now is too."""
        self._deserted = asyncio.Event()

    def __contains__(self, shell: Shell) -> bool:
        """Is it shown what happens?"""
        return shell in self._shown

    async def serve(self, shell: Shell, welcome: Callable[[], None]) -> None:
        """Until its client is gone; `welcome` is called once it is shown what happens."""
        self._shown.append(shell)
        self._serving += 1
        self._deserted.clear()
        try:
            if self._goodbye is None:
                welcome()
            else:
                shell.say_goodbye(*self._goodbye)
            await shell.run()
        # Whatever a shell breaks, there may be others.
        except Exception:
            log.exception("! a shell of %s broke", self._call)
        finally:
            self._show_no_more(shell)
            self.hold(shell, False)
            self._serving -= 1
            if not self._serving:
                self._deserted.set()

    async def all_left(self) -> None:
        """Who comes later is sent home."""
        while self._serving:
            await self._deserted.wait()
        self.say_goodbye(1000, "")

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close once everything before this has been sent; also to those who come after this."""
        self._goodbye = self._goodbye or (code, reason)
        for shell in self._shown:
            shell.say_goodbye(code, reason)

    def hold(self, shell: Shell, held: bool) -> None:
        """Generation waits while a shell that plays is too far behind."""
        if not shell.plays:
            return
        before = bool(self._holding)
        (self._holding.add if held else self._holding.discard)(shell)
        if bool(self._holding) != before:
            self._hold(not before)

    def show(self, event: ev.AnyServerEvent) -> None:
        """To each that is there."""
        for shell in list(self._shown):
            self._show(shell, event)

    def _show(self, shell: Shell, event: ev.AnyServerEvent) -> None:
        try:
            shell.show(event)
        except ShellLost:
            self._show_no_more(shell)
        except Exception:
            log.exception("! a shell of %s broke at %s", self._call, event.type)
            self._show_no_more(shell)
            self._tell_that_it_broke(shell)

    def _show_no_more(self, shell: Shell) -> None:
        if shell in self._shown:
            self._shown.remove(shell)

    def _tell_that_it_broke(self, shell: Shell) -> None:
        """What happens in the session is not its fault; this shell's client can see no more of it."""
        details = ev.ErrorDetails(type="server_error", code="internal_error", message=OUR_FAULT, param=None, event_id=None)
        try:
            shell.show(ev.Error(event_id=new_id("event"), error=details))
        except Exception:
            log.exception("! %s could not tell that a shell broke", self._call)
        shell.say_goodbye(1011, INTERNAL_ERROR)
