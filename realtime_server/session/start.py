"""What is known when a session begins."""

from dataclasses import dataclass, field
from typing import Any, Literal

from realtime_server import messages as m
from realtime_server.session.limits import Limits
from realtime_server.session.quota import Quota


@dataclass(frozen=True)
class SessionStart:
    """`expires_at` is unix time, `now` the session's own clock.

    `initial` is the session that a client secret brought along, with its `type`; `quota` is shared with the key's others.
    """

    model: str
    transcription_only: bool
    expires_at: int
    now: float
    initial: dict[str, Any] | None = None
    temperature: float | None = None
    """What a beta client's secret brought along."""
    abilities: m.Abilities = m.Abilities()
    playback: Literal["client", "shell"] = "client"
    """Who plays the answers: the client, from what `response.output_audio.delta` brings, or a shell on this side, which tells
    what has been played."""
    judge: m.SchemaJudge = m.honours_everything
    """Of functions' schemas, for the dialect that the abilities name."""
    quota: Quota = field(default_factory=lambda: Quota(Limits.requests_per_minute, Limits.tokens_per_minute))
