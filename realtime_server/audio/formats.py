"""Bytes on the wire <-> 16-bit samples: PCM and G.711 (ITU-T G.711, 1988). Float in -1..1 is made at the ears only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Pcm = NDArray[np.int16]
FULL_SCALE = 32768


@dataclass(frozen=True)
class Format:
    """One wire format; the table below is the only place that knows rates and widths."""

    rate_hz: int
    bytes_per_sample: int
    decode: Callable[[bytes], Pcm]
    """Whole samples only."""
    encode: Callable[[Pcm], bytes]


def as_pcm(samples: NDArray[np.floating[Any]]) -> Pcm:
    """-1..1 -> 16 bits; what is louder is clipped."""
    return np.asarray(np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1), np.int16)


def as_float(samples: Pcm) -> FloatArray:
    """16 bits -> -1..1."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def decode_pcm16(data: bytes) -> Pcm:
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def encode_pcm16(samples: Pcm) -> bytes:
    return samples.astype("<i2", copy=False).tobytes()


def _mu_law_table() -> Pcm:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_table() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest_codes(table: Pcm) -> NDArray[np.uint8]:
    """[65536] the code whose value is nearest to each 16-bit sample."""
    order = np.argsort(table, kind="stable")
    values = table[order].astype(np.int32)
    borders = (values[1:] + values[:-1]) / 2
    return order[np.searchsorted(borders, np.arange(-FULL_SCALE, FULL_SCALE), side="right")].astype(np.uint8)


def _g711(table: Pcm) -> tuple[Callable[[bytes], Pcm], Callable[[Pcm], bytes]]:
    codes = _nearest_codes(table)

    def decode(data: bytes) -> Pcm:
        return table[np.frombuffer(data, np.uint8)]

    def encode(samples: Pcm) -> bytes:
        return codes[samples.astype(np.int32) + FULL_SCALE].tobytes()

    return decode, encode


FORMATS: dict[str, Format] = {
    "audio/pcm": Format(24_000, 2, decode_pcm16, encode_pcm16),
    "audio/pcmu": Format(8_000, 1, *_g711(_mu_law_table())),
    "audio/pcma": Format(8_000, 1, *_g711(_a_law_table())),
}
