"""What is no speech: silence, noises, hum, tones as of music, knocks, and many voices at once that nobody can follow."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from realtime_server.audio.mel import FloatArray
from realtime_server.training.starling.caller import RATE_HZ, calling
from realtime_server.training.starling.measures.talking import Recordings
from realtime_server.training.starling.scoring import share
from realtime_server.training.starling.sets.questions import ASSISTANT
from realtime_server.training.starling.sets.requests import HOME
from realtime_server.training.starling.sets.spoken import TURNS

NUMBER = 84
SECONDS = 4.0
LIMIT_S = 10.0
"""A model that finds that nothing was said need not answer."""
BABBLE = 12
"""Voices at once, each backwards."""
Random = np.random.Generator
Sound = Callable[[Random, Recordings], FloatArray]


def silence(random: Random, _: Recordings) -> FloatArray:
    return random.normal(0, 1e-4, _length()).astype(np.float32)


def white(random: Random, _: Recordings) -> FloatArray:
    return _level(random.normal(0, 1, _length()), random)


def pink(random: Random, _: Recordings) -> FloatArray:
    """Power falls with frequency, as of traffic and rain."""
    spectrum = np.fft.rfft(random.normal(0, 1, _length()))
    return _level(np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), _length()), random)


def hum(random: Random, _: Recordings) -> FloatArray:
    mains, time = random.choice([50.0, 60.0]), _time()
    return _level(sum((np.sin(2 * np.pi * mains * n * time) / n for n in range(1, 8)), np.zeros(_length())), random)


def tones(random: Random, _: Recordings) -> FloatArray:
    """A tune: notes of the scale with overtones, each dying away."""
    tune, time = np.zeros(_length()), _time()
    for start in np.arange(0, SECONDS - 0.5, 0.25):
        note = 220.0 * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        after = np.maximum(time - start, 0)
        decay = np.exp(-4 * after) * (time >= start)
        tune += decay * sum(np.sin(2 * np.pi * note * n * after) / n**2 for n in (1, 2, 3))
    return _level(tune, random)


def knocks(random: Random, _: Recordings) -> FloatArray:
    sound = np.zeros(_length())
    for start in random.uniform(0, SECONDS - 0.2, 6):
        at = int(start * RATE_HZ)
        sound[at : at + 2400] += random.normal(0, 1, 2400) * np.exp(-np.arange(2400) / 300)
    return _level(sound, random)


def babble(random: Random, recordings: Recordings) -> FloatArray:
    sound = np.zeros(_length())
    for n in random.choice(len(TURNS), BABBLE, replace=False):
        voice = recordings.samples(TURNS[int(n)].said)[::-1]
        sound += np.resize(np.roll(voice, int(random.integers(len(voice)))), _length())
    return _level(sound, random)


KINDS: tuple[Sound, ...] = (silence, white, pink, hum, tones, knocks, babble)


def no_speech(address: str, recordings: Recordings, number: int | None = None) -> dict[str, Any]:
    """A sound counts as answered where anything is said or called."""
    answered, called, kinds = asyncio.run(_all(address, recordings, min(number or NUMBER, NUMBER)))
    return {
        "answered": share(answered), "calls": share(called), "sounds": len(answered),
        "answered_by_kind": {kind: share(results) for kind, results in kinds.items()},
    }  # fmt: skip


async def _all(address: str, recordings: Recordings, number: int) -> tuple[list[bool], list[bool], dict[str, list[bool]]]:
    answered, called, kinds = list[bool](), list[bool](), defaultdict[str, list[bool]](list)
    for n in range(number):
        kind = KINDS[n % len(KINDS)]
        async with calling(address, ASSISTANT, HOME) as caller:
            exchange = await caller.say(kind(np.random.default_rng(n), recordings), LIMIT_S)
        answered.append(bool(exchange.answer or exchange.calls or exchange.audio_s))
        called.append(bool(exchange.calls))
        kinds[kind.__name__].append(answered[-1])
    return answered, called, kinds


def _length() -> int:
    return round(SECONDS * RATE_HZ)


def _time() -> FloatArray:
    return (np.arange(_length()) / RATE_HZ).astype(np.float32)


def _level(sound: np.ndarray[Any, np.dtype[Any]], random: Random) -> FloatArray:
    """Peaks between -34 and -6 dB."""
    return (sound * (10 ** random.uniform(-1.7, -0.3) / np.abs(sound).max())).astype(np.float32)
