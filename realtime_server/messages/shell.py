"""From a session to the shells through which its client is met."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Disconnect:
    """Send what is waiting, then close."""

    code: int
    reason: str


ShellCommand = Disconnect
