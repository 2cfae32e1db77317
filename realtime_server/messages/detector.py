"""Between a session and the speech detector."""

from dataclasses import dataclass

from realtime_server.messages.engine import SessionFailed
from realtime_server.messages.samples import Samples


@dataclass(frozen=True, eq=False)
class Detect:
    """The next samples for the speech detector."""

    samples: Samples


@dataclass(frozen=True)
class ResetDetector:
    """Another stream begins: what was sent before is not its past."""


DetectorCommand = Detect | ResetDetector


@dataclass(frozen=True)
class SpeechProbability:
    """The detector's view of the next `samples` samples, at AUDIO_RATE_HZ; `stream` counts the resets before them."""

    stream: int
    samples: int
    probability: float


DetectorOutput = SpeechProbability | SessionFailed
