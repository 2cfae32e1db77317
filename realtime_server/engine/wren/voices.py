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
    "ash": Voice(1, VoiceShape(0.92, 0.95)),
    "ballad": Voice(1, VoiceShape(1.12, 1.02)),
    "cedar": Voice(1, VoiceShape(1.0, 1.0)),
    "coral": Voice(0, VoiceShape(1.1, 1.03)),
    "echo": Voice(1, VoiceShape(1.25, 1.08)),
    "marin": Voice(0, VoiceShape(1.0, 1.0)),
    "sage": Voice(0, VoiceShape(0.94, 1.06)),
    "shimmer": Voice(0, VoiceShape(1.2, 1.1)),
    "verse": Voice(1, VoiceShape(0.82, 0.9)),
}
DEFAULT = "marin"


def voice_of(name: str) -> Voice:
    """Names that the model does not have speak as the default."""
    return VOICES.get(name, VOICES[DEFAULT])
