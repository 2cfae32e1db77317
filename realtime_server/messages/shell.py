"""Between a session and the shells through which its client is met.

A shell that plays the sound itself (WebRTC, SIP) is told what to play, and tells how much of it has been, in
samples at AUDIO_RATE_HZ.
"""

from dataclasses import dataclass

from realtime_server.messages.samples import Samples


@dataclass(frozen=True)
class Disconnect:
    """Send what is waiting, then close."""

    code: int
    reason: str


@dataclass(frozen=True, eq=False)
class Play:
    """More of the item's sound, behind all that waits to be played."""

    item_id: str
    samples: Samples


@dataclass(frozen=True)
class StopPlaying:
    """At once; what waits is thrown away, and nothing is told of it any more."""


PlayerCommand = Play | StopPlaying
ShellCommand = Disconnect | PlayerCommand


@dataclass(frozen=True)
class Played:
    """So much of the item has been played by now, from its beginning."""

    item_id: str
    samples: int


@dataclass(frozen=True)
class Drained:
    """All that was to be played has been."""


@dataclass(frozen=True, eq=False)
class UserAudio:
    """What the user's microphone has taken in, as samples."""

    samples: Samples


ShellOutput = Played | Drained | UserAudio
