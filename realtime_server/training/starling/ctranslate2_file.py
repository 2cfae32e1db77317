"""A CTranslate2 `model.bin`, read as data: binary version 6, all little-endian.

    u32 version, string spec, u32 revision, u32 number of variables
    variable: string name, u8 rank, u32 shape[rank], u8 type, u32 bytes, the bytes
    string:   u16 length with its closing zero, the bytes

Behind the variables stand aliases, which are not needed here.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VERSION = 6
TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def variables(data: bytes) -> dict[str, NDArray[np.generic]]:
    """By name. Raises ValueError for another version or an unknown type."""
    return dict(_Reader(data).variables())


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def variables(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        version = self._number("I")
        if version != VERSION:
            raise ValueError(f"a file of version {version}, not {VERSION}")
        self._string()
        self._number("I")
        for _ in range(self._number("I")):
            name = self._string()
            shape = [self._number("I") for _ in range(self._number("B"))]
            kind = self._number("B")
            if kind not in TYPES:
                raise ValueError(f"{name} is of the unknown type {kind}")
            raw = self._bytes(self._number("I"))
            yield name, np.frombuffer(raw, TYPES[kind]).reshape(shape)

    def _bytes(self, number: int) -> bytes:
        self._at += number
        if self._at > len(self._data):
            raise ValueError("the file ends too early")
        return self._data[self._at - number : self._at]

    def _number(self, kind: str) -> int:
        return int(struct.unpack(f"<{kind}", self._bytes(struct.calcsize(f"<{kind}")))[0])

    def _string(self) -> str:
        return self._bytes(self._number("H"))[:-1].decode()
