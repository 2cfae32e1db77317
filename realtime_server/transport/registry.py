"""Everyone who is connected: admission counts them, shutting down waits for their answers and sends them home."""

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from realtime_server.engine import dialects
from realtime_server.engine.contract import EngineClient
from realtime_server.engine.observing import Observer
from realtime_server.messages import Abilities, SchemaJudge
from realtime_server.session.quota import Quota
from realtime_server.settings import Settings
from realtime_server.transport import memory
from realtime_server.transport.call import Call
from realtime_server.transport.secrets import ClientSecrets
from realtime_server.transport.shells import Shell

log = logging.getLogger(__name__)
TIDY_AFTER_S = 3.0
"""After a session has ended; once for all that end meanwhile."""
HOSTED_PREFIXES = ("gpt-realtime", "gpt-4o-realtime", "gpt-4o-mini-realtime", "gpt-audio", "gpt-4o-audio", "gpt-4o-mini-audio")
"""The hosted models' names are aliases of whatever is loaded, so that existing code runs unchanged."""


@dataclass(frozen=True)
class Served:
    """A loaded model, and the way to it."""

    name: str
    abilities: Abilities
    engine: EngineClient

    @property
    def judge(self) -> SchemaJudge:
        """Of functions' schemas."""
        return dialects.JUDGES[self.abilities.schemas]


class Registry:
    """The loaded models, the calls that run, and what each key has used."""

    def __init__(self, settings: Settings, *served: Served, observer: Observer | None = None) -> None:
        self.settings, self.observer = settings, observer
        self.models = {model.name: model for model in served}
        self.default = served[0]
        self.secrets = ClientSecrets()
        self.calls: dict[str, Call] = {}
        self._sessions: Counter[int | None] = Counter()
        self._quotas: dict[int | None, Quota] = {}
        self.draining = False
        self._numbers = itertools.count(1)
        self._empty = asyncio.Event()
        self._tidying: asyncio.TimerHandle | None = None

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    @property
    def alive(self) -> bool:
        """Do the threads of every model do their work?"""
        return all(model.engine.alive for model in self.models.values())

    def find(self, model: str | None) -> Served | None:
        """By its own name; a hosted name, or none at all, is the default."""
        if model is None or (model not in self.models and model.startswith(HOSTED_PREFIXES)):
            return self.default
        return self.models.get(model)

    def sessions_of(self, who: int | None) -> int:
        return self._sessions[who]

    def quota(self, who: int | None) -> Quota:
        limits = self.settings.limits
        return self._quotas.setdefault(who, Quota(limits.requests_per_minute, limits.tokens_per_minute))

    async def serve(self, make: Callable[[str], Call], shell: Callable[[Call], Shell], who: int | None = None) -> None:
        """A new call from its first shell on; returns when it is over."""
        name = f"session-{next(self._numbers)}"
        call = self.calls[name] = make(name)
        self._sessions[who] += 1
        try:
            await call.run(shell(call))
        finally:
            del self.calls[name]
            self._sessions[who] -= 1
            if not self.calls:
                self._empty.set()
            self.tidy_soon()

    def tidy_soon(self) -> None:
        """After a session, and after a stranger: he may have begun a message of 20 MB before he was sent away."""
        if self._tidying is None:
            self._tidying = asyncio.get_running_loop().call_later(TIDY_AFTER_S, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        asyncio.get_running_loop().run_in_executor(None, memory.give_back)

    async def drain(self) -> None:
        """No one new; running answers finish (for at most `drain_s`); then everyone is closed with 1001."""
        self.draining = True
        try:
            async with asyncio.timeout(self.settings.drain_s):
                for call in list(self.calls.values()):
                    await call.answered()
        except TimeoutError:
            log.warning("! some answers were still running after %s s", self.settings.drain_s)
        for call in list(self.calls.values()):
            call.say_goodbye(1001, "server_error.server_shutting_down")
        if self.calls:
            self._empty.clear()
            try:
                async with asyncio.timeout(5):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("! %d calls did not end", len(self.calls))
