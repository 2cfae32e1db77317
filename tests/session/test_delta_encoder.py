"""However the engine cuts its sound, the client gets all of it, in pieces that are never long, and nothing of the one before."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server.audio.formats import FORMATS
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.session.delta_encoder import LONGEST_DELTA_MS, DeltaEncoder

SOUND = (8000 * np.sin(np.arange(2 * AUDIO_RATE_HZ) / 40)).astype(np.int16)


def encoded(encoder: DeltaEncoder, cuts: list[int]) -> list[bytes]:
    deltas = [delta for piece in np.split(SOUND, sorted(cuts)) for delta in encoder.push(piece)]
    return [base64.b64decode(delta) for delta in [*deltas, *encoder.end()]]


@pytest.mark.parametrize("audio_format", sorted(FORMATS))
@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=5))
def test_in_pieces_as_at_once(audio_format: str, cuts: list[int]) -> None:
    shape, encoder = FORMATS[audio_format], DeltaEncoder(audio_format)
    whole, again, pieces = encoded(DeltaEncoder(audio_format), []), encoded(encoder, cuts), encoded(encoder, cuts)
    assert b"".join(pieces) == b"".join(whole) == b"".join(again)
    assert len(b"".join(whole)) == 2 * shape.rate_hz * shape.bytes_per_sample
    longest = shape.rate_hz * LONGEST_DELTA_MS // 1000 * shape.bytes_per_sample
    assert all(0 < len(piece) <= longest for piece in pieces)
