"""What Starling's ear hears, in real turns: chunks of 50 ms, committed half a second behind the last word.

    python -m realtime_server.training.starling.measures.hearing EAR SPEECH [--threads 1] [--number 100]

EAR is the folder that `pack_ear` made. SPEECH has `ljspeech/` and `librivox/` (sentences with transcripts), `coffee/` (orders
with slots) and `digits/` (single ones); none of it was trained on.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from realtime_server.audio.formats import FloatArray
from realtime_server.audio.resample import Resampler
from realtime_server.engine.ears.hearing import Hearing
from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.ears.turn import Turn
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.training.starling.measures.word_errors import UNITS, word_error_rate, words

CHUNK = AUDIO_RATE_HZ // 20
SILENCE = AUDIO_RATE_HZ // 2
"""Behind the last word, before a turn is complete."""
ORDERED = (
    "americano,cappuccino,espresso,iced mocha,latte,mocha,drip coffee,house coffee,iced coffee,light roast,medium roast,"
    "dark roast,single shot,double shot,triple shot,skim milk,whole milk,soy milk,almond milk,cream,brown sugar,sweetener,"
    "small,medium,large,eight ounce,twelve ounce,sixteen ounce,twenty ounce"
).split(",")
DIGITS = UNITS[:10]


@dataclass(frozen=True, eq=False)
class Heard:
    """cpu_ms: of the whole turn; late_ms: of that, what was left when the turn was complete."""

    said: Transcript
    cpu_ms: float
    late_ms: float


def read(path: Path) -> FloatArray:
    samples, rate_hz = soundfile.read(path, dtype="float32")
    return Resampler(rate_hz, AUDIO_RATE_HZ).push(samples, last=True)


def listen(ear: WhisperEar, samples: FloatArray, keywords: Sequence[str] = ()) -> Heard:
    """One turn, as a session would hear it."""
    turn = Turn(keywords=Keywords.of(keywords, ear.vocabulary))
    pcm = np.concatenate([(samples.clip(-1, 1) * 32_767).astype(np.int16), np.zeros(SILENCE, np.int16)])
    body = Hearing(turn, ear).hear()
    begun = late = time.process_time()
    step, at = next(body), 0
    while True:
        if step is None and at < len(pcm):
            turn.waiting.append(pcm[at : at + CHUNK])
            at += CHUNK
        elif step is None:
            turn.committed, late = True, time.process_time()
        try:
            step = body.send(None if step is None else ear.run([step])[0])  # type: ignore[list-item]
        except StopIteration as end:
            now = time.process_time()
            return Heard(end.value, 1000 * (now - begun), 1000 * (now - late))


def sentences(ear: WhisperEar, folder: Path, number: int) -> dict[str, Any]:
    transcripts = json.loads((folder / "transcripts.json").read_text())
    names = sorted(transcripts)[:number]
    heard = [listen(ear, read(folder / name)) for name in names]
    pairs = [(transcripts[name], one.said.text) for name, one in zip(names, heard, strict=True)]
    return {"word_errors": round(word_error_rate(pairs), 4), "recordings": len(names), **costs(heard)}


def orders(ear: WhisperEar, folder: Path, number: int) -> dict[str, Any]:
    """Every slot's words stand in what was heard; also where the words of the menu are keywords."""
    labels = json.loads((folder / "labels.json").read_text())
    names = sorted(labels)[:number]

    def whole(keywords: Sequence[str]) -> float:
        right = 0
        for name in names:
            text = f" {' '.join(words(listen(ear, read(folder / name), keywords).said.text))} "
            right += all(f" {' '.join(words(value))} " in text for value in labels[name]["slots"].values())
        return round(right / len(names), 3)

    return {"every_slot_heard": whole(()), "with_keywords": whole(ORDERED), "recordings": len(names)}


def digits(ear: WhisperEar, folder: Path, number: int) -> dict[str, Any]:
    """One alone in a turn; also where the ten are keywords."""
    paths = sorted(folder.glob("*.flac"))
    random.Random(1).shuffle(paths)

    def right(keywords: Sequence[str]) -> float:
        told = [words(listen(ear, loud(read(path)), keywords).said.text) for path in paths[:number]]
        return round(sum(one == [DIGITS[int(path.name[0])]] for one, path in zip(told, paths, strict=False)) / len(told), 3)

    return {"right": right(()), "with_keywords": right(DIGITS), "recordings": min(number, len(paths))}


def loud(samples: FloatArray) -> FloatArray:
    """Half of full scale, behind 300 ms of silence."""
    silence = np.zeros(3 * AUDIO_RATE_HZ // 10, np.float32)
    return np.concatenate([silence, samples / np.abs(samples).max() * np.float32(0.5)])


def nothing_said(ear: WhisperEar) -> dict[str, Any]:
    told = {name: listen(ear, samples).said.text for name, samples in noises(np.random.default_rng(0))}
    return {"written": {name: text for name, text in told.items() if text}, "probes": len(told)}


def noises(rng: np.random.Generator) -> Iterator[tuple[str, FloatArray]]:
    """Two seconds each: hiss and rumble, tones, bursts, waves, chords, clicks."""
    number = 2 * AUDIO_RATE_HZ
    at = np.arange(number) / AUDIO_RATE_HZ
    for level in (0.001, 0.01, 0.1, 0.3):
        for slope in (0.0, 0.5, 1.0):
            yield f"noise {level} {slope}", level * coloured(rng, number, slope)
    for hz in (100, 440, 1500):
        yield f"tone {hz}", (0.2 * np.sin(2 * np.pi * hz * at)).astype(np.float32)
    for n in range(6):
        bursts = np.repeat(rng.random(20) > 0.5, number // 20)
        yield f"bursts {n}", (0.3 * coloured(rng, number, n / 4) * bursts).astype(np.float32)
        waves = (1 + np.sin(2 * np.pi * (n + 1) * at)) / 2
        yield f"waves {n}", (0.3 * coloured(rng, number, 0.5) * waves).astype(np.float32)
        yield f"chords {n}", chords(rng, number)
        clicks = np.convolve(rng.random(number) > 0.9998, np.exp(-np.arange(400) / 60), "same")
        yield f"clicks {n}", (0.8 * clicks).astype(np.float32)


def coloured(rng: np.random.Generator, number: int, slope: float) -> FloatArray:
    """Noise that falls with frequency, its peak at full scale."""
    spectrum = np.fft.rfft(rng.standard_normal(number)) * np.maximum(np.arange(number // 2 + 1), 1.0) ** -slope
    noise = np.fft.irfft(spectrum, number)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def chords(rng: np.random.Generator, number: int) -> FloatArray:
    at = np.arange(number // 8) / AUDIO_RATE_HZ
    keys = rng.integers(0, 24, 8)
    chord = [
        sum(np.sin(2 * np.pi * 220 * 2 ** ((key + third) / 12) * at) for third in (0, 4, 7)) * np.exp(-6 * at) for key in keys
    ]
    return np.asarray(0.1 * np.concatenate(chord), np.float32)


def speed(ear: WhisperEar, folder: Path) -> dict[str, Any]:
    """CPU of a turn of so many seconds, and wall time of the transcription alone, the least of five."""
    paths = sorted(folder.glob("*.flac"))[:4]
    samples = np.concatenate([read(path) for path in paths])
    told = {}
    for seconds in (3, 5, 10):
        turns = [listen(ear, samples[: seconds * AUDIO_RATE_HZ]) for _ in range(5)]
        told[f"{seconds} s"] = {"turn_cpu_ms": round(min(t.cpu_ms for t in turns), 1), "tokens": len(turns[0].said.tokens)}
    return told


def costs(heard: Sequence[Heard]) -> dict[str, float]:
    return {
        "turn_cpu_ms": round(float(np.mean([one.cpu_ms for one in heard])), 1),
        "late_ms_p95": round(float(np.quantile([one.late_ms for one in heard], 0.95)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ear", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--number", type=int, default=100, help="recordings of each kind")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ear, speech = WhisperEar.load(options.ear, torch.device("cpu")), options.speech
    told = {
        "ljspeech": sentences(ear, speech / "ljspeech", options.number),
        "librivox": sentences(ear, speech / "librivox", options.number),
        "coffee": orders(ear, speech / "coffee", options.number),
        "digits": digits(ear, speech / "digits", options.number),
        "nothing_said": nothing_said(ear),
        "speed": speed(ear, speech / "ljspeech"),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
