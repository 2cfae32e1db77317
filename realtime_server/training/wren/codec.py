"""Fits the codec on Wren's voices and writes their tokens, each frame with the letter that it is speaking.

    python -m realtime_server.training.wren.codec WORK [--of MODEL [--own FOLDER]]

With `--of` the tokens of that model are used as they are: what it has learned to say stays of use. It also hears where the
words of a user's voices are.
Reads `voices/*.npz`; writes `codec.safetensors`, `speech.npz` (tokens, letter pointers, texts) and `speakers.json`.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import torch
from safetensors.torch import load_file, save_file

from realtime_server.audio.mel import FloatArray
from realtime_server.audio.resample import Resampler
from realtime_server.engine import loader
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.words import TEXT_NUMBER, number_in_words
from realtime_server.engine.nets import vocoder
from realtime_server.engine.nets.codec import STACK, Codec
from realtime_server.training.wren import people
from realtime_server.training.wren.alignment import Aligner, Times
from realtime_server.training.wren.export import speaker_rows
from realtime_server.training.wren.own import Own, Readings
from realtime_server.training.wren.own import load as load_own
from realtime_server.training.wren.synthesis import LOUDNESS

ENVELOPE_WINDOW = 720
"""30 ms: two periods of a low voice."""
FITTED_POINTS = 80_000
MARKS = '.,;:?!()"-–—…'
"""Around a word, not of it."""
FRAME_S = STACK * vocoder.HOP / vocoder.RATE_HZ


def analyse(audio: FloatArray) -> FloatArray:
    """Samples at 24 kHz -> [n, PARAMETERS], n a multiple of STACK (WORLD: DIO, D4C; the envelope is a plain spectrum's)."""
    samples = np.ascontiguousarray(audio, dtype=np.float64)
    # DIO is 30 times faster than Harvest, and clean synthetic speech does not need more.
    f0, times = pyworld.dio(samples, vocoder.RATE_HZ, f0_floor=65.0, f0_ceil=400.0, frame_period=10.0)
    f0 = pyworld.stonemask(samples, f0, times, vocoder.RATE_HZ)
    # Every other frame is enough for what changes as slowly as this, and costs half of the longest step.
    aperiodicity = pyworld.d4c(samples, f0[::2].copy(), times[::2].copy(), vocoder.RATE_HZ, fft_size=vocoder.FFT_SIZE)
    aperiodicity = aperiodicity.repeat(2, axis=0)[: len(f0)]
    log_envelope = np.log(envelope(audio, len(f0)) @ vocoder.envelope_filters() + vocoder.ENVELOPE_FLOOR)
    voiced = f0 > 0
    frames = np.arange(len(f0))
    log_f0 = np.interp(frames, frames[voiced], np.log(f0[voiced])) if voiced.any() else np.full(len(f0), 4.8)
    bins = [round(hz * vocoder.FFT_SIZE / vocoder.RATE_HZ) for hz in (3000, 6000, 9000)]
    parts = [log_envelope, log_f0[:, None], voiced[:, None], aperiodicity[:, bins]]
    rows = np.concatenate(parts, axis=1).astype(np.float32)
    missing = -len(rows) % STACK
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])


def envelope(audio: FloatArray, frames: int) -> FloatArray:
    """[frames, BINS] power spectrum around each frame; judged better than CheapTrick's (see the model's log)."""
    window = np.hanning(ENVELOPE_WINDOW)
    window /= np.sqrt(np.sum(window**2))
    half = ENVELOPE_WINDOW // 2
    padded = np.pad(audio, (half, half + max(0, frames * vocoder.HOP - len(audio))))
    starts = np.arange(frames)[:, None] * vocoder.HOP + np.arange(ENVELOPE_WINDOW)
    return np.asarray(np.abs(np.fft.rfft(padded[starts] * window, vocoder.FFT_SIZE)) ** 2)


def pointers(text: str, words: list[tuple[str, float, float]], frames: int) -> np.ndarray:
    """[frames] index of the letter of `text` being spoken at the middle of each 80 ms frame; never goes back.

    A word's letters share its time evenly; between words the pointer waits on what stands between them.
    """
    marks: list[tuple[float, float]] = [(0.0, 0.0)]
    at = 0
    for word, start, end in words:
        first = text.lower().index(word.lower(), at)
        marks += [(start, float(first)), (max(end - 1e-3, start), first + len(word) - 1e-3)]
        at = first + len(word)
        marks.append((end, float(at)))
    middle = (np.arange(frames) + 0.5) * FRAME_S
    times, letters = zip(*marks, strict=True)
    result = np.floor(np.interp(middle, times, letters)).astype(np.int64)
    result[middle >= words[-1][2]] = len(text) - 1
    result[middle < words[0][1]] = 0
    return np.maximum.accumulate(np.minimum(result, len(text) - 1))


def read_audio(path: Path) -> list[tuple[str, FloatArray, Times]]:
    """A shard's sentences: text, samples at 24 kHz, when its words are said."""
    shard = np.load(path)
    # An archive reads an array anew at each look.
    pcm, result, at = shard["pcm"], list[tuple[str, FloatArray, Times]](), 0
    for row, length in zip(json.loads(str(shard["rows"])), shard["lengths"], strict=True):
        result.append((row["text"], *cut(pcm[at : at + length].astype(np.float32) / 32767, row["words"])))
        at += length
    return result


def cut(audio: FloatArray, words: Times) -> tuple[FloatArray, Times]:
    """Wren starts to speak at once: the silence before the first word is cut to 40 ms."""
    first = max(0.0, words[0][1] - 0.04)
    last = min(words[-1][2] + 0.12, len(audio) / vocoder.RATE_HZ)
    inner = audio[int(first * vocoder.RATE_HZ) : int(last * vocoder.RATE_HZ)]
    return inner, [(word, start - first, end - first) for word, start, end in words]


def read_shard(path: Path) -> list[tuple[str, str, np.ndarray, FloatArray]]:
    voice = path.name.split("-")[0]
    return [(voice, text, *analysed(audio, text, words)) for text, audio, words in read_audio(path)]


def analysed(audio: FloatArray, text: str, words: Times) -> tuple[np.ndarray, FloatArray]:
    """The sentence's pointers and its vocoder parameters. Samples at 24 kHz, already `cut`."""
    frames = analyse(audio)
    return pointers(text, words, len(frames) // STACK), frames


def readings(name: str, read: Readings, aligner: Aligner) -> list[tuple[str, str, np.ndarray, FloatArray]]:
    """A voice's own recordings, those left out whose text cannot be followed."""
    result = []
    for path, text in read:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = audio.mean(1)
        said = TEXT_NUMBER.sub(lambda match: f" {number_in_words(int(match[0]))} ", text).strip()
        times = aligner.times(people.mel_of(mono, rate), said)
        if times is None:
            print(f"{path}: left out, '{text}' is too long for it")
            continue
        samples = Resampler(rate, vocoder.RATE_HZ).push(mono, last=True)
        loud = LOUDNESS / max(1e-4, float(np.sqrt(np.mean(samples**2))))
        bare = [(word.strip(MARKS), start, end) for word, start, end in times]
        inner, words = cut((samples * loud).astype(np.float32), bare)
        result.append((name, said, *analysed(inner, said, words)))
    return result


def kmeans(points: torch.Tensor, codes: int, rounds: int, seed: int) -> torch.Tensor:
    """[n, d] -> [codes, d] by Lloyd's iterations; an empty cluster restarts at a random point."""
    generator = torch.Generator().manual_seed(seed)
    centres = points[torch.randperm(len(points), generator=generator)[:codes]].clone()
    for _ in range(rounds):
        nearest = torch.cat([torch.cdist(part, centres).argmin(1) for part in points.split(8192)])
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=codes)
        centres = sums / counts.clamp(min=1)[:, None]
        empty = (counts == 0).nonzero()[:, 0]
        centres[empty] = points[torch.randint(len(points), (len(empty),), generator=generator)]
    return centres


def fit(stacked: torch.Tensor, codebooks: int = 6, codes: int = 1024) -> Codec:
    """[n, STACK * PARAMETERS] -> a codec for it; a semitone of F0 and a voicing error weigh as much as some dB of envelope."""
    codec = Codec(codebooks, codes)
    weight = torch.cat([torch.full((vocoder.ENVELOPE_MELS,), 1.0), torch.tensor([16.0, 4.0]), torch.full((3,), 2.0)])
    codec.weight.copy_(weight.repeat(STACK))
    codec.mean.copy_(stacked.mean(0))
    centred = (stacked - codec.mean) * codec.weight
    _, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    codec.basis.copy_(vectors.T.flip(0)[: codec.basis.shape[0]])
    chosen = torch.randperm(len(stacked), generator=torch.Generator().manual_seed(0))[:FITTED_POINTS]
    left = codec.project(stacked[chosen])
    print(f"components keep {float(left.var(0).sum() / centred.var(0).sum()):.3f} of the variance")
    for k in range(codec.codebooks):
        table = kmeans(left, codec.codes, 12, k)
        codec.table[k].copy_(table)
        nearest = torch.cat([torch.cdist(part, table).argmin(1) for part in left.split(8192)])
        left = left - table[nearest]
        print(f"book {k}: {float(left.var(0).sum() / centred.var(0).sum()):.3f} of the variance is left", flush=True)
    return codec


def codec_of(model: Path) -> Codec:
    """The frozen codec that a finished model has."""
    tensors = load_file(model / "model.safetensors")
    fitted = {name.removeprefix("codec."): tensor.float() for name, tensor in tensors.items() if name.startswith("codec.")}
    return Codec.of(fitted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--of", type=Path, help="a model's folder")
    parser.add_argument("--own", type=Path, help="what a user wants to add: see own.py")
    options = parser.parse_args()
    work: Path = options.work
    own = load_own(options.own) if options.own else Own()
    rows = speaker_rows(options.of, own)
    with ProcessPoolExecutor() as pool:
        parts = pool.map(read_shard, sorted((work / "voices").glob("*-????.npz")))
        utterances = [utterance for part in parts for utterance in part]
    if own.voices:
        model = loader.load(str(options.of), "cpu")
        assert isinstance(model, WrenModel)
        aligner = Aligner(model.runner.net).measured(people.timed(work / "voices"))
        utterances += [utterance for name, read in own.voices for utterance in readings(name, read, aligner)]
    stacks = [torch.from_numpy(u[3]).view(len(u[3]) // STACK, -1) for u in utterances]
    codec = codec_of(options.of) if options.of else fit(torch.cat(stacks))
    save_file(codec.state_dict(), work / "codec.safetensors")
    codes = [codec.encode(stack).to(torch.int16).numpy() for stack in stacks]
    np.savez(
        work / "speech.npz", codes=np.concatenate(codes), lengths=[len(c) for c in codes],
        pointers=np.concatenate([u[2] for u in utterances]).astype(np.int16), texts=json.dumps([u[1] for u in utterances]),
        voices=[rows[u[0]] for u in utterances],
    )  # fmt: skip
    (work / "speakers.json").write_text(json.dumps(rows))
    print(f"{len(utterances)} utterances, {sum(map(len, codes)) * FRAME_S / 3600:.2f} h")


if __name__ == "__main__":
    main()
