"""Recordings of real people ordering coffee: labels with slots, but no transcripts. The sentence is found by ear.

The grammar of the orders is known, so every sentence that fits the slots is listed, and the one that the model's own
CTC head finds most likely is taken as the transcript.
"""

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import numpy as np
import soundfile

from realtime_server.audio.mel import FloatArray, LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine.families.wren.letters import log_likelihoods
from realtime_server.engine.families.wren.script import NOT_UNDERSTOOD, Script
from realtime_server.engine.families.wren.words import DIGITS, plain
from realtime_server.engine.nets.wren import Wren
from realtime_server.training.wren import tools
from realtime_server.training.wren.alignment import Aligner, Times, heard_letters
from realtime_server.training.wren.dataset import Heard
from realtime_server.training.wren.dialogue import Call, Dialogue, Say
from realtime_server.training.wren.synthesis import VOICE_RATE_HZ, WREN_VOICES

FOLDS = 5
SPEAKERS = Path(__file__).with_name("coffee-speakers.txt")
COPIES = frozenset({"3dd7fde3", "c7ab3dfb", "d7128a8c", "f6d40e0c"})
"""Recordings that are there under another name, too: they are taken once."""


def left_out(names: Collection[str], fold: int | None) -> frozenset[str]:
    """Of these recordings, the ones that are not trained on: all that a fifth of the speakers say, as far as can be told who
    speaks, or where no fold is given every fifth recording. Of each name the first eight letters count."""
    if fold is None:
        return frozenset(sorted(names)[::FOLDS])
    lines = [line.split() for line in SPEAKERS.read_text().splitlines() if not line.startswith("#")]
    speaker = {name: str(n) for n, line in enumerate(lines) for name in line}
    spoken = defaultdict(list)
    for name in sorted(names):
        spoken[speaker.get(name[:8], name)].append(name)
    folds: list[list[str]] = [[] for _ in range(FOLDS)]
    for of_one in sorted(spoken.values(), key=len, reverse=True):
        min(folds, key=len).extend(of_one)
    return frozenset(folds[fold])


def recordings(folder: Path, held_out: bool, fold: int | None = None) -> list[tuple[FloatArray, dict[str, str]]]:
    """(mel, slots) of what is left out of training, or of the rest."""
    labels = json.loads((folder / "labels.json").read_text())
    unknown, result = left_out(labels, fold), []
    for name, label in sorted(labels.items()):
        if name[:8] not in COPIES and (name in unknown) == held_out:
            audio, rate = soundfile.read(folder / name, dtype="float32")
            result.append((mel_of(audio, rate), label["slots"]))
    return result


def sentences(slots: dict[str, str]) -> list[str]:
    """Every sentence of the grammar with these slots."""
    before = [slots[s] for s in ("size", "roast", "numberOfShots") if s in slots]
    after = [slots[s] for s in ("milkAmount", "sugarAmount") if s in slots]
    ways = itertools.product(
        tools.ORDER_OPENINGS, ("", "a", "an"), itertools.permutations(before), itertools.permutations(after)
    )
    return [tools.order_sentence(o, a, list(b), slots["coffeeDrink"], list(c)) for o, a, b, c in ways]


def transcribed(folder: Path, model: Wren, script: Script, fold: int | None = None) -> list[Heard]:
    """Each recording to be trained on, with its most likely sentence and the call that it asks for."""
    context = script.system("Wren", (), [(tools.ORDER.name, tools.ORDER.shown())])
    result = []
    for mel, slots in recordings(folder, False, fold):
        texts = sentences(slots)
        text = texts[int(log_likelihoods(heard_letters(model, mel, context), texts).argmax())]
        call = Call(tools.ORDER.name, tuple((key, slots[key]) for key in tools.ORDER.parameters if key in slots))
        dialogue = Dialogue("order", text, call, tools=(tools.ORDER,))
        result.append(Heard(mel.astype(np.float16), dialogue, "people"))
    return result


LONGEST_READING_S = 10.0


def heard(path: Path, dialogue: Dialogue, speaker: str) -> Heard:
    """A recording of any rate, at the level that training has."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Heard(mel_of(audio.mean(1), rate).astype(np.float16), dialogue, speaker)


def mel_of(audio: FloatArray, rate_hz: int) -> FloatArray:
    """Mono samples -> [n, 80] at the level that training has."""
    loud = np.float32(0.3 / max(1e-4, float(np.abs(audio).max())))
    return LogMel().push(Resampler(rate_hz, 16_000).push((audio * loud).astype(np.float32), last=True))


def readings(folder: Path) -> list[Heard]:
    """Sentences read aloud (`transcripts.json`: file -> words), outside the domain: heard, written, and not understood."""
    texts = sorted(json.loads((folder / "transcripts.json").read_text()).items())
    short = [(folder / name, text) for name, text in texts if soundfile.info(folder / name).duration <= LONGEST_READING_S]
    return [heard(path, Dialogue("reading", plain(text), Say(NOT_UNDERSTOOD)), "reader") for path, text in short]


LONGEST_EXCERPT, EXCERPT_MARGIN_S = 4, 0.04
DIGIT_EXCERPTS = 4
"""How often a digit is taken alone: turns of one word are mostly digits, and few real ones are there to learn from."""


def excerpts(recordings: list[Heard], aligner: Aligner, each: int, rng: random.Random) -> list[Heard]:
    """A few words in a row of each recording, `each` times: of whole sentences that come again and again, the ear learns the
    sentence instead of the sounds."""
    result = []
    for recording in recordings:
        times = aligner.times(recording.mel, recording.dialogue.transcript)
        if not times:
            continue
        drawn = [(rng.randrange(len(times)), rng.randint(1, LONGEST_EXCERPT)) for _ in range(each)]
        drawn += [(n, 1) for n, (word, _, _) in enumerate(times) if word in DIGITS] * DIGIT_EXCERPTS
        for first, words in drawn:
            part = times[first : first + words]
            start, end = max(0.0, part[0][1] - EXCERPT_MARGIN_S), part[-1][2] + EXCERPT_MARGIN_S
            said = " ".join(word for word, _, _ in part)
            mel = recording.mel[round(100 * start) : round(100 * end)]
            dialogue = Dialogue("excerpt", said, Say(NOT_UNDERSTOOD), tools=recording.dialogue.tools)
            result.append(Heard(mel, dialogue, recording.speaker))
    return result


def timed(voices: Path, number: int = 40) -> list[tuple[FloatArray, Times]]:
    """Sentences of a synthesiser that tells when it says each word, of its first file in this folder: (mel, times)."""
    data = np.load(min(voices.glob(f"{WREN_VOICES[0]}-????.npz")))
    ends, pcm = np.cumsum(data["lengths"][:number]), data["pcm"]
    rows = json.loads(str(data["rows"]))[:number]
    sounds = [pcm[a:b].astype(np.float32) / 32767 for a, b in zip([0, *ends], ends, strict=False)]
    return [(mel_of(s, VOICE_RATE_HZ), [tuple(word) for word in row["words"]]) for s, row in zip(sounds, rows, strict=True)]
