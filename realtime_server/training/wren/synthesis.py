"""Speaks the domain's sentences with free synthesisers: espeak-ng, flite and festival as programs, SVOX Pico as a library.

    python -m realtime_server.training.wren.synthesis users  WORK --number 24000 [--own FOLDER] [--foreign]
    python -m realtime_server.training.wren.synthesis voices WORK --number 2400 [--own FOLDER]

`users` writes log-mel shards of what people say; `voices` writes 24 kHz audio of what Wren says, with word times.
Both are seeded, restartable (a finished shard is kept) and use every core.
"""

import argparse
import json
import random
import re
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from realtime_server.audio.mel import LogMel
from realtime_server.engine.families.wren.words import plain
from realtime_server.training.wren import domain, talk
from realtime_server.training.wren.accents import LANGUAGES, accented, espeak
from realtime_server.training.wren.channels import some_room
from realtime_server.training.wren.dialogue import Dialogue, dump
from realtime_server.training.wren.own import Own
from realtime_server.training.wren.own import load as load_own

USER_RATE_HZ = 16_000
VOICE_RATE_HZ = 24_000
IN_A_ROOM = 0.35
"""Of what users say, how much is spoken some steps away from the microphone."""
HELD_OUT_EVERY = 40
"""Of the users' recordings, one in so many is never trained on. These are clean: what they measure is how much is learned."""
SHARD, VOICE_SHARD = 400, 200
"""Utterances in one file."""
assert SHARD % HELD_OUT_EVERY == 0
FOREIGN = 0.4
"""Of espeak-ng's English, how much has another language's accent."""
ESPEAK_ACCENTS = ("en-us", "en-us", "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us-nyc")
ESPEAK_VARIANTS = ("klatt", "klatt2", "klatt3", "klatt4", "klatt5", "klatt6") * 5 + (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "Alex", "Alicia", "Andrea", "Andy", "Annie",
    "Diogo", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "adam", "anika",
    "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "edward2", "grandma", "grandpa",
    "gustave", "iven", "iven2", "iven3", "john", "kaukovalta", "linda", "marcelo", "max", "michel", "miguel", "norbert",
    "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "steph3", "travis", "victor",
    "zac",
)  # fmt: skip
FESTIVAL_VOICES = {"ked": "voice_ked_diphone", "kal": "voice_kal_diphone", "hts": "voice_cmu_us_slt_arctic_hts"}
PICO_RATE_HZ = 16_000
PICO_VOICES = {"lh": "en-US", "kh": "en-GB"}
"""SVOX Pico's women; it speaks other languages too."""
PICO_LANGUAGES = {"de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT"}
PICO_ENGINES = (*PICO_VOICES, "pico")
ENGINES = (
    ("espeak", 0.30), ("awb", 0.13), ("rms", 0.11), ("slt", 0.10), ("kal16", 0.05), ("ked", 0.07), ("hts", 0.06),
    ("lh", 0.09), ("kh", 0.09),
)  # fmt: skip


@dataclass(frozen=True)
class Speaker:
    """One way of speaking: a program's voice and its settings; `stretch` > 1 is a longer vocal tract and lower pitch; `accent`
    is the language whose sounds its English has."""

    engine: str
    options: tuple[str, ...] = ()
    stretch: float = 1.0
    accent: str = ""


def draw_speaker(dialogue: Dialogue, rng: random.Random, foreign: bool = False) -> Speaker:
    """Anyone who speaks the dialogue's language; `foreign`: somebody with an accent."""
    names, weights = zip(*ENGINES, strict=True)
    engine = "espeak" if foreign else rng.choices(names, weights)[0]
    if dialogue.language != "en":
        engine = rng.choice(("espeak", "pico")) if dialogue.language in PICO_LANGUAGES else "espeak"
    stretch, accent = rng.uniform(0.88, 1.14) if rng.random() < 0.6 else 1.0, ""
    if engine == "espeak":
        voice = dialogue.language
        if voice == "en":
            accent = rng.choice(LANGUAGES) if foreign or rng.random() < FOREIGN else ""
            voice = accent or rng.choice(ESPEAK_ACCENTS)
        voice = f"{voice}+{rng.choice(ESPEAK_VARIANTS)}"
        options: tuple[str, ...] = ("-v", voice, "-p", str(rng.randint(15, 85)), "-s", str(rng.randint(120, 210)))
    elif engine in FESTIVAL_VOICES:
        options = (f"{rng.uniform(0.8, 1.25):.2f}",)
    elif engine in PICO_ENGINES:
        options = (PICO_VOICES.get(engine) or PICO_LANGUAGES[dialogue.language],)
        options += (f"{rng.uniform(0.78, 1.25):.2f}", f"{rng.uniform(0.7, 1.25):.2f}")
    else:
        options = ("--setf", f"duration_stretch={rng.uniform(0.78, 1.25):.2f}")
        if rng.random() < 0.5:
            options += ("--setf", f"int_f0_target_mean={rng.randint(85, 200)}")
            options += ("--setf", f"int_f0_target_stddev={rng.randint(5, 40)}")
    return Speaker(engine, options, stretch, accent)


def speak_files(jobs: list[tuple[str, Speaker]], folder: Path) -> list[Path]:
    """One WAV per job, in order, at whatever rate its program writes."""
    paths = [folder / f"{n}.wav" for n in range(len(jobs))]
    for (text, speaker), path in zip(jobs, paths, strict=True):
        if speaker.engine == "espeak":
            said = accented(text, speaker.accent, random.Random(text)) if speaker.accent else text
            command = ["espeak-ng", *speaker.options, "-w", str(path), said]
        elif speaker.engine in FESTIVAL_VOICES:
            continue
        elif speaker.engine in PICO_ENGINES:
            speak_pico(text, speaker, path)
            continue
        else:
            command = ["flite", *speaker.options, "-voice", speaker.engine, "-t", text, "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
    for engine, voice in FESTIVAL_VOICES.items():
        mine = [(t, s, p) for (t, s), p in zip(jobs, paths, strict=True) if s.engine == engine]
        lines = [f"({voice})"]
        for text, speaker, path in mine:
            lines.append(f"(Parameter.set 'Duration_Stretch {speaker.options[0]})")
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}")')
        if mine:
            run_festival(lines, folder)
    return paths


@cache
def pico() -> Any:
    # One of the packages of training, which this file's names do not need.
    from py_nanotts import NanoTTS

    return NanoTTS()


def speak_pico(text: str, speaker: Speaker, path: Path) -> None:
    voice, speed, pitch = speaker.options
    pcm = np.frombuffer(pico().speak(text, voice, float(speed), float(pitch)), np.int16)
    soundfile.write(path, pcm, PICO_RATE_HZ)


def run_festival(lines: list[str], folder: Path) -> str:
    script = folder / "festival.scm"
    script.write_text("\n".join(lines))
    return subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True, text=True).stdout


def phonemes(text: str) -> str:
    """How espeak-ng pronounces it, without stress."""
    said = espeak("-v", "en-us", plain(text))
    return "".join(said.split()).translate({ord("'"): None, ord(","): None})


def load(path: Path, rate_hz: int, stretch: float = 1.0) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32")
    return np.asarray(soxr.resample(audio, rate, rate_hz * stretch), np.float32)


def user_shard(number: int, work: Path, foreign: bool) -> str:
    rng = random.Random(f"users {number}")
    intents = domain.OPEN if number % 2 else domain.INTENTS
    return spoken_shard([domain.sample(rng, intents) for _ in range(SHARD)], work / "users" / f"{number:04d}.npz", rng, foreign)


def alone_shard(number: int, work: Path) -> str:
    rng = random.Random(f"alone {number}")
    return spoken_shard([talk.alone(rng) for _ in range(SHARD)], work / "alone" / f"{number:04d}.npz", rng)


def own_shard(number: int, dialogues: list[Dialogue], work: Path) -> str:
    return spoken_shard(dialogues, work / "own" / f"{number:04d}.npz", random.Random(f"own {number}"))


def spoken_shard(dialogues: list[Dialogue], target: Path, rng: random.Random, foreign: bool = False) -> str:
    if target.exists():
        return f"{target} kept"
    jobs = [(str(d.user), draw_speaker(d, rng, foreign)) for d in dialogues]
    with tempfile.TemporaryDirectory() as name:
        frames, random_ = [], np.random.default_rng(rng.getrandbits(64))
        for n, (path, (_, speaker)) in enumerate(zip(speak_files(jobs, Path(name)), jobs, strict=True)):
            audio = load(path, USER_RATE_HZ, speaker.stretch)
            if n % HELD_OUT_EVERY and random_.random() < IN_A_ROOM:
                audio = some_room(audio, random_)
            loud = np.abs(audio).max() or 1.0
            frames.append(LogMel().push((audio * (0.3 / loud)).astype(np.float32)).astype(np.float16))
    rows = [{"dialogue": dump(d), "engine": s.engine} for d, (_, s) in zip(dialogues, jobs, strict=True)]
    np.savez(target.with_suffix(".part.npz"), mel=np.concatenate(frames), lengths=[len(f) for f in frames],
             rows=json.dumps(rows))  # fmt: skip
    target.with_suffix(".part.npz").rename(target)
    return str(target)


# --- Wren's own voices ------------------------------------------------------------------------------------------------

WREN_VOICES = ("hts", "rms")
OFTEN_SAID = 10
"""Shards of what Wren says that every run has: the sentences come as they are drawn, so that half of all replies are there, and
later shards have hardly any."""
LOUDNESS = 0.08
"""Root mean square of what Wren learns to say."""


def word_times_festival(texts: list[str], folder: Path) -> list[list[tuple[str, float, float]]]:
    lines = [f"({FESTIVAL_VOICES['hts']})"]
    for n, text in enumerate(texts):
        lines.append(f'(set! u (utt.synth (Utterance Text "{text}"))) (utt.save.wave u "{folder}/{n}.wav")')
        lines.append(
            '(mapcar (lambda (w) (format t "%s %f %f\\n" (item.name w) (item.feat w "word_start")'
            ' (item.feat w "word_end"))) (utt.relation.items u \'Word)) (format t "--\\n")'
        )
    blocks = run_festival(lines, folder).split("--\n")[: len(texts)]
    return [[(w, float(a), float(b)) for w, a, b in (line.split() for line in block.splitlines())] for block in blocks]


def flite_phones(text: str, *options: str) -> list[tuple[str, float]]:
    out = subprocess.run(
        ["flite", "-voice", "rms", "-psdur", *options, "-t", text, *(() if "-o" in options else ("-o", "none"))],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [(name, float(end)) for name, end in re.findall(r"(\S+?):([\d.]+)", out)]


@cache
def phone_count(word: str) -> int:
    return sum(name != "pau" for name, _ in flite_phones(word))


def word_times_flite(texts: list[str], folder: Path) -> list[list[tuple[str, float, float]] | None]:
    """flite tells phones, not words: a word's phones are counted where it is spoken alone. None where they disagree."""
    result: list[list[tuple[str, float, float]] | None] = []
    for n, text in enumerate(texts):
        phones = flite_phones(text, "-o", f"{folder}/{n}.wav")
        starts = [0.0] + [end for _, end in phones[:-1]]
        voiced = [(start, end) for (name, end), start in zip(phones, starts, strict=True) if name != "pau"]
        words = plain(text).split()
        counts = [phone_count(word) for word in words]
        if sum(counts) != len(voiced):
            result.append(None)
            continue
        times, at = [], 0
        for word, count in zip(words, counts, strict=True):
            times.append((word, voiced[at][0], voiced[at + count - 1][1]))
            at += count
        result.append(times)
    return result


def voice_shard(voice: str, number: int, texts: list[str], work: Path) -> str:
    target = work / "voices" / f"{voice}-{number:04d}.npz"
    if target.exists():
        return f"{target} kept"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = word_times_festival(texts, folder) if voice == "hts" else word_times_flite(texts, folder)
        kept = [(n, text, t) for n, (text, t) in enumerate(zip(texts, times, strict=True)) if t]
        audio = [load(folder / f"{n}.wav", VOICE_RATE_HZ) for n, _, _ in kept]
    level = [a * (LOUDNESS / max(1e-4, float(np.sqrt(np.mean(a**2))))) for a in audio]
    pcm = [np.round(np.clip(a, -1, 1) * 32767).astype(np.int16) for a in level]
    rows = [{"text": text, "words": t} for _, text, t in kept]
    np.savez(target.with_suffix(".part.npz"), pcm=np.concatenate(pcm), lengths=[len(p) for p in pcm], rows=json.dumps(rows))
    target.with_suffix(".part.npz").rename(target)
    return f"{target}: {len(kept)} of {len(texts)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("users", "alone", "voices"))
    parser.add_argument("work", type=Path)
    parser.add_argument("--number", type=int, required=True, help="how many utterances (per voice)")
    parser.add_argument("--first", type=int, default=0, help="the first shard's number: others are other sentences")
    parser.add_argument("--own", type=Path, help="what a user wants to add: see own.py")
    parser.add_argument("--foreign", action="store_true", help="all users have foreign accents")
    parser.add_argument("--processes", type=int, default=None)
    options = parser.parse_args()
    for folder in (options.what, "own"):
        (options.work / folder).mkdir(parents=True, exist_ok=True)
    own = load_own(options.own) if options.own else Own()
    with ProcessPoolExecutor(options.processes) as pool:
        if options.what == "alone":
            last = options.first + -(-options.number // SHARD)
            jobs = [pool.submit(alone_shard, n, options.work) for n in range(options.first, last)]
        elif options.what == "users":
            spoken = own.to_speak(random.Random("own"))
            jobs = [pool.submit(own_shard, n, spoken[first : first + SHARD], options.work)
                    for n, first in enumerate(range(0, len(spoken), SHARD))]  # fmt: skip
            last = options.first + -(-options.number // SHARD)
            jobs += [pool.submit(user_shard, n, options.work, options.foreign) for n in range(options.first, last)]
        else:
            number = options.first * VOICE_SHARD + options.number
            texts = domain.spoken_texts(random.Random("voices"), number) + own.replies()
            jobs = [
                pool.submit(voice_shard, voice, n, texts[n * VOICE_SHARD : (n + 1) * VOICE_SHARD], options.work)
                for n in range(-(-len(texts) // VOICE_SHARD))
                if n < OFTEN_SAID or n >= options.first
                for voice in WREN_VOICES
            ]
        for job in jobs:
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()
