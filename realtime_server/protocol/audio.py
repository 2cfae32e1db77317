"""Audio in JSON: base64 of raw bytes in one of the wire's formats.

`input_audio_buffer.append` brings it, `response.output_audio.delta` takes it away (protocol sections 1 and 2).
"""

from typing import Any

import pybase64

from realtime_server.protocol.errors import ClientError

_DESCRIPTIONS = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "G.711 mu-law at 8kHz",
    "audio/pcma": "G.711 A-law at 8kHz",
}


def decode(text: str, audio_format: str, param: str, limit: int) -> bytes:
    """At least one byte and at most `limit`; ClientError in the hosted service's words."""
    expected = f"Invalid '{param}'. Expected base64-encoded audio bytes ({_DESCRIPTIONS[audio_format]}) but got"
    if len(text) > limit * 4 // 3 + 4:
        raise ClientError(f"Invalid '{param}': more than {limit} bytes of audio in one event.", "invalid_value", param)
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        raise ClientError(f"{expected} an invalid value.", "invalid_value", param) from None
    if not data:
        raise ClientError(f"{expected} empty bytes.", "invalid_value", param)
    return data


def encode(data: Any) -> str:
    """`data`: bytes, or any contiguous array of samples as they are on the wire."""
    return str(pybase64.b64encode_as_string(data))
