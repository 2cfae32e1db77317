"""Where a session's events and commands wait, and where ids are made."""

import random
from typing import Any

from realtime_server.messages import Command
from realtime_server.protocol.ids import new_id
from realtime_server.protocol.server_events import AnyServerEvent


class Outbox:
    """`randomness` is an argument so that a test's transcript can be repeated."""

    def __init__(self, randomness: random.Random) -> None:
        self._random = randomness
        self._events: list[AnyServerEvent] = []
        self._commands: list[Command] = []

    def new_id(self, prefix: str) -> str:
        return new_id(prefix, self._random)

    def send(self, kind: type[Any], **fields: Any) -> None:
        """One server event of this class, with an id of its own."""
        self._events.append(kind(event_id=self.new_id("event"), **fields))

    def run(self, command: Command) -> None:
        self._commands.append(command)

    def take_events(self) -> list[AnyServerEvent]:
        events, self._events = self._events, []
        return events

    def take_commands(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands
