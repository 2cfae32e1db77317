"""An answer's sound as `response.output_audio.delta` brings it: base64 of the client's format, in pieces."""

from realtime_server.audio.formats import FORMATS
from realtime_server.audio.resample import PcmResampler
from realtime_server.messages import AUDIO_RATE_HZ, Samples
from realtime_server.protocol import audio
from realtime_server.session.recording import SILENCE

LONGEST_DELTA_MS = 500
"""Some clients drop the connection at frames of 1 MiB; and shorter pieces start to play sooner."""


class DeltaEncoder:
    """Of the answers' sound, one after the other."""

    def __init__(self, audio_format: str) -> None:
        shape = FORMATS[audio_format]
        self._encode = shape.encode
        self._most_samples = shape.rate_hz * LONGEST_DELTA_MS // 1000
        self._resampler = PcmResampler(AUDIO_RATE_HZ, shape.rate_hz)

    def push(self, samples: Samples) -> list[str]:
        """int16 at AUDIO_RATE_HZ."""
        return self._deltas(self._resampler.push(samples))

    def end(self) -> list[str]:
        """What the resampler still holds; the next sound begins anew."""
        return self._deltas(self._resampler.push(SILENCE, last=True))

    def _deltas(self, samples: Samples) -> list[str]:
        starts = range(0, len(samples), self._most_samples)
        return [audio.encode(self._encode(samples[start : start + self._most_samples])) for start in starts]
