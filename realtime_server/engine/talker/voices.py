"""A model's voices: trained speakers in timbres and in shapes of pitch and vocal tract, from `voices.json` of its folder.

The ten names of the protocol are there; any other name is a voice with an id, for `{"id": ...}`. To add one, add a line.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from realtime_server.engine.contract import ModelError
from realtime_server.engine.nets.vocoder import VoiceShape

NAMES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
DEFAULT = "marin"
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Voice(BaseModel):
    """`speaker` is the row of the network's voice embedding. F0 is multiplied by `pitch`, formants by `formants`. `timbre` says
    of which of the decoder's speakers the sound is mixed, and each one's share; none: as the speaker's tokens are, without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    speaker: int = Field(ge=0)
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    formants: float = Field(default=1.0, ge=0.7, le=1.4)
    timbre: dict[str, Share] = {}

    @field_validator("timbre")
    @classmethod
    def _whole(cls, shares: dict[str, float]) -> dict[str, float]:
        if shares and not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-3):
            raise ValueError(f"the shares make {sum(shares.values()):g}, not 1")
        return shares

    @property
    def shape(self) -> VoiceShape:
        return VoiceShape(self.pitch, self.formants)


Voices = dict[str, Voice]
_FILE = TypeAdapter(Voices)


def read(path: Path, speakers: int, timbres: Sequence[str] = ()) -> Voices:
    """ModelError when one of the ten names is missing, or a voice wants a speaker or a timbre that was not trained."""
    try:
        voices = _FILE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelError(f"{path}: {error}") from None
    missing = [name for name in NAMES if name not in voices]
    if missing:
        raise ModelError(f"{path}: the voices {', '.join(missing)} are missing.")
    for name, voice in voices.items():
        if voice.speaker >= speakers:
            raise ModelError(f"{path}: {name} wants speaker {voice.speaker}; there are {speakers}.")
        for timbre in voice.timbre:
            if timbre not in timbres:
                known = ", ".join(timbres) or "none"
                raise ModelError(f"{path}: {name} wants the timbre {timbre}; there are: {known}.")
    return voices


def ids(voices: Voices) -> frozenset[str]:
    """The voices besides the ten names."""
    return frozenset(voices) - set(NAMES)
