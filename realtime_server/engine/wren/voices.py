"""The ten voice names: two trained speakers, each in five shapes of pitch and vocal tract (see the model's card)."""

from dataclasses import dataclass

from realtime_server.engine.nets.vocoder import VoiceShape


@dataclass(frozen=True)
class Voice:
    """`speaker` is the row of the network's voice embedding: 0 the woman, 1 the man."""

    speaker: int
    shape: VoiceShape


VOICES: dict[str, Voice] = {
    "alloy": Voice(0, VoiceShape(0.88, 0.95)),
    "ash": Voice(1, VoiceShape(0.9, 0.97)),
    "ballad": Voice(1, VoiceShape(1.12, 1.0)),
    "cedar": Voice(1, VoiceShape(1.0, 1.0)),
    "coral": Voice(0, VoiceShape(1.1, 0.96)),
    "echo": Voice(1, VoiceShape(1.25, 1.0)),
    "marin": Voice(0, VoiceShape(1.0, 0.97)),
    "sage": Voice(0, VoiceShape(0.8, 0.92)),
    "shimmer": Voice(0, VoiceShape(1.2, 0.98)),
    "verse": Voice(1, VoiceShape(0.8, 0.94)),
}
"""A longer tract (formants below 1) is understood better in the woman's voice, a shorter one worse in both."""
DEFAULT = "marin"


def voice_of(name: str) -> Voice:
    """Names that the model does not have speak as the default."""
    return VOICES.get(name, VOICES[DEFAULT])
