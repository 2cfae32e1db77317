"""Bytes on the wire <-> float32 samples in -1..1: 16-bit PCM and G.711 (ITU-T G.711, 1988)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Format:
    """One wire format; the table below is the only place that knows rates and widths."""

    rate_hz: int
    bytes_per_sample: int
    decode: Callable[[bytes], FloatArray]
    encode: Callable[[FloatArray], bytes]


def decode_pcm16(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)


def encode_pcm16(samples: FloatArray) -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def _mu_law_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_table() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _nearest_codes(table: NDArray[np.int16]) -> NDArray[np.uint8]:
    """[65536] the code whose value is nearest to each 16-bit sample."""
    order = np.argsort(table, kind="stable")
    values = table[order].astype(np.int32)
    borders = (values[1:] + values[:-1]) / 2
    return order[np.searchsorted(borders, np.arange(-32768, 32768), side="right")].astype(np.uint8)


def _g711(table: NDArray[np.int16]) -> tuple[Callable[[bytes], FloatArray], Callable[[FloatArray], bytes]]:
    values = table.astype(np.float32) / np.float32(32768)
    codes = _nearest_codes(table)

    def decode(data: bytes) -> FloatArray:
        return values[np.frombuffer(data, np.uint8)]

    def encode(samples: FloatArray) -> bytes:
        whole = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int32)
        return codes[whole + 32768].tobytes()

    return decode, encode


FORMATS: dict[str, Format] = {
    "audio/pcm": Format(24_000, 2, decode_pcm16, encode_pcm16),
    "audio/pcmu": Format(8_000, 1, *_g711(_mu_law_table())),
    "audio/pcma": Format(8_000, 1, *_g711(_a_law_table())),
}
