"""Fits the decoder: audio tokens -> the whole spectral envelope, in the timbre of whoever spoke them or of another speaker.

    python -m realtime_server.training.wren.decoder WORK

Other speakers say what Wren's two say in `voices/`, and each frame of theirs is found by dynamic time warping: first by what
sounds alike once each speaker's mean is taken off, then, with half of the steps done, by what the decoder makes of it.
Reads `voices/*.npz` and `codec.safetensors`; writes `decoder.safetensors` and `decoder.json`. The envelope to be given is
CheapTrick's (Morise 2015), which has no harmonics in it.
"""

import argparse
import json
import math
import random
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyworld
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.nets import vocoder
from realtime_server.engine.nets.codec import STACK, Codec
from realtime_server.engine.nets.decoder import Decoder, with_those_before
from realtime_server.training.wren.codec import analyse, read_audio
from realtime_server.training.wren.parallel import Features, features, warped, without_silence
from realtime_server.training.wren.synthesis import Speaker, load, speak_files

TIMBRES = {"hts": "hts", "rms": "rms", "awb": "rms", "ked": "rms", "lh": "hts", "kh": "hts"}
"""Each speaker's name, and whose tokens it is given in: one of Wren's two, `synthesis.WREN_VOICES`. The voice in which
questions are asked for evaluation is not among them, though a decoder hears nothing."""
OTHERS = {
    "awb": Speaker("awb"), "ked": Speaker("ked", ("1.0",)), "lh": Speaker("lh", ("en-US", "1.0", "1.0")),
    "kh": Speaker("kh", ("en-GB", "1.0", "1.0")),
}  # fmt: skip
SENTENCES = 600
"""Of each speaker; one in so many is never trained on:"""
HELD_OUT_EVERY = 20
FLOOR = 1e-9
"""Power below which it does not matter how quiet it is."""
STEPS, ROWS, RATE = 4000, 384, 1.5e-3


@dataclass(frozen=True)
class Sentence:
    """`parameters` [n, PARAMETERS] of the vocoder, n a multiple of STACK; `power` [n, BINS] is log, in half precision."""

    text: str
    parameters: FloatArray
    power: np.ndarray


def voiced(parameters: FloatArray) -> np.ndarray:
    return parameters[:, vocoder.ENVELOPE_MELS + 1] > 0.5


def sentence(text: str, audio: FloatArray) -> Sentence:
    """Samples at 24 kHz."""
    parameters = analyse(audio)
    f0 = np.where(voiced(parameters), np.exp(parameters[:, vocoder.ENVELOPE_MELS]), 0.0)
    times = np.arange(len(f0)) * vocoder.HOP / vocoder.RATE_HZ
    samples = np.pad(audio.astype(np.float64), (0, len(f0) * vocoder.HOP))
    power = pyworld.cheaptrick(samples, f0.astype(np.float64), times, vocoder.RATE_HZ, fft_size=vocoder.FFT_SIZE)
    return Sentence(text, parameters, np.log(power + 1e-13).astype(np.float16))


def sentences_of(shard: Path) -> list[Sentence]:
    return [sentence(text, audio) for text, audio, _ in read_audio(shard)]


def spoken_by(name: str, texts: list[str]) -> list[Sentence]:
    """The same sentences by another speaker, as loud."""
    with tempfile.TemporaryDirectory() as folder:
        paths = speak_files([(text.replace('"', ""), OTHERS[name]) for text in texts], Path(folder))
        every = [load(path, vocoder.RATE_HZ) for path in paths]
    return [sentence(text, without_silence(audio)) for text, audio in zip(texts, every, strict=True)]


class Parallel:
    """One timbre: what is said in tokens, [T] frames of all sentences, and what it is to sound like."""

    def __init__(self, row: int, codec: Codec, base: list[Sentence], target: list[Sentence]) -> None:
        self.row, self.base, self.target, self.itself = row, base, target, base is target
        codes = [codec.encode(torch.from_numpy(s.parameters).view(len(s.parameters) // STACK, -1)) for s in base]
        self.lengths = [len(c) for c in codes]
        self.points = torch.cat([with_those_before(codec.points(c)) for c in codes])
        held = torch.tensor([n % HELD_OUT_EVERY == 0 for n in range(len(base))])
        self.held = held.repeat_interleave(torch.tensor(self.lengths))

    def first_features(self) -> list[tuple[Features, Features]]:
        """Both speakers' without what is always theirs."""
        sides = []
        for side in (self.base, self.target):
            every = [features(s.power) for s in side]
            mean, spread = np.concatenate(every).mean(0), np.concatenate(every).std(0)
            sides.append([(f - mean) / spread for f in every])
        return list(zip(*sides, strict=True))

    @torch.no_grad()
    def converted_features(self, decoder: Decoder) -> list[tuple[Features, Features]]:
        """The decoder's and the speaker's."""
        rows = torch.full((len(self.points),), self.row)
        power = torch.cat([decoder(p, r)[0] for p, r in zip(self.points.split(2048), rows.split(2048), strict=True)])
        given = [features(p.flatten(0, 1).numpy()) for p in power.split(self.lengths)]
        wanted = [features(s.power) for s in self.target]
        spread = np.concatenate(wanted).std(0)
        return [(g / spread, w / spread) for g, w in zip(given, wanted, strict=True)]

    def take(self, places: list[np.ndarray]) -> None:
        """Of each sentence, which frame of the speaker's goes with each one of the tokens'."""
        pairs = list(zip(self.target, places, strict=True))
        self.power = torch.from_numpy(np.concatenate([s.power[at] for s, at in pairs])).unflatten(0, (-1, STACK))
        noise = np.concatenate([s.parameters[at, vocoder.ENVELOPE_MELS + 2 :] for s, at in pairs])
        self.noise = torch.from_numpy(noise).unflatten(0, (-1, STACK))
        # The tokens say where there is a pitch.
        self.voiced = torch.from_numpy(np.concatenate([voiced(s.parameters) for s in self.base])).unflatten(0, (-1, STACK))


def level_of(sentences: list[Sentence]) -> float:
    """How much more power a plain spectrum has than CheapTrick's, log: the vocoder is used to the former."""
    plain = sum(float(np.exp(s.parameters[:, : vocoder.ENVELOPE_MELS]).sum()) for s in sentences)
    smooth = sum(float((np.exp(s.power.astype(np.float32)) @ vocoder.envelope_filters()).sum()) for s in sentences)
    return math.log(plain / smooth)


def wanted(power: Tensor, level: float) -> Tensor:
    return torch.log((power.float() + level).exp() + FLOOR)


def begun(power: Tensor, timbres: list[str], points: int) -> Decoder:
    """A decoder whose basis is the principal components of what it shall give, [n, BINS]."""
    decoder = Decoder(timbres, points)
    with torch.no_grad():
        decoder.mean.copy_(power.mean(0))
        _, vectors = torch.linalg.eigh((power - decoder.mean).T @ (power - decoder.mean) / len(power))
        # As large as what is written at first: eight times, since neither shall have to grow.
        decoder.basis.copy_(8 * vectors.T.flip(0)[: decoder.components])
    return decoder


def errors(decoder: Decoder, points: Tensor, row: Tensor, power: Tensor, noise: Tensor, voiced: Tensor) -> Tensor:
    """[N, STACK]: nats of envelope, where there is a pitch four times as heavy, and its aperiodicity."""
    given_power, given_noise = decoder(points, row)
    weight = 0.3 + voiced.float()
    return weight * (given_power - power).abs().mean(-1) + 2 * voiced * (given_noise - noise).abs().mean(-1)


def fit(parallels: list[Parallel], timbres: list[str], level: float, pool: ProcessPoolExecutor, steps: int) -> Decoder:
    torch.manual_seed(0)
    rng = random.Random(0)

    def realign(pairs_of: Callable[[Parallel], list[tuple[Features, Features]]]) -> None:
        for parallel in parallels:
            own = [np.arange(STACK * length) for length in parallel.lengths]
            parallel.take(own if parallel.itself else list(pool.map(warped, pairs_of(parallel), chunksize=20)))

    realign(Parallel.first_features)
    some = torch.cat([p.power.flatten(0, 1)[torch.randperm(p.power.shape[0] * STACK)[:8000]] for p in parallels])
    decoder = begun(wanted(some, level), timbres, parallels[0].points.shape[-1])
    optimizer = torch.optim.AdamW(decoder.parameters(), RATE, weight_decay=0.02)
    trained = [(~p.held).nonzero()[:, 0] for p in parallels]
    # Wren's two speakers are learned as much as all others together.
    weights = [2.0 if p.itself else 1.0 for p in parallels]
    for step in range(steps):
        if step == steps // 2:
            realign(partial(Parallel.converted_features, decoder=decoder))
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 100) * (1 - step / steps) + 1e-6
        counts = np.bincount(rng.choices(range(len(parallels)), weights, k=ROWS), minlength=len(parallels))
        batch = []
        for parallel, rows, count in zip(parallels, trained, counts, strict=True):
            at = rows[torch.randint(len(rows), (int(count),))]
            timbre = torch.full((len(at),), parallel.row)
            batch.append((parallel.points[at], timbre, parallel.power[at], parallel.noise[at], parallel.voiced[at]))
        points, timbre, power, noise, voiced = (torch.cat(parts) for parts in zip(*batch, strict=True))
        loss = errors(decoder, points, timbre, wanted(power, level), noise, voiced).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        if step % 400 == 399 or step + 1 == steps:
            print(f"step {step + 1}: {float(loss):.3f}; left out: {left_out(decoder, parallels, level)}", flush=True)
    return decoder


@torch.no_grad()
def left_out(decoder: Decoder, parallels: list[Parallel], level: float) -> dict[str, float]:
    """By timbre, the mean error of what is never trained on."""
    return {
        decoder.timbres[p.row]: round(float(errors(
            decoder, p.points[p.held], torch.full((int(p.held.sum()),), p.row), wanted(p.power[p.held], level),
            p.noise[p.held], p.voiced[p.held],
        ).mean()), 3)
        for p in parallels
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--sentences", type=int, default=SENTENCES, help="of each speaker")
    options = parser.parse_args()
    work: Path = options.work
    codec = Codec.of(load_file(work / "codec.safetensors"))
    spoken: dict[str, list[Sentence]] = {}
    parallels: list[Parallel] = []
    with ProcessPoolExecutor() as pool:
        for row, (name, base) in enumerate(TIMBRES.items()):
            if base not in spoken:
                # A few of a shard's 200 sentences are left out where their words are not known.
                shards = sorted((work / "voices").glob(f"{base}-????.npz"))[: 1 + options.sentences // 150]
                every = (s for part in pool.map(sentences_of, shards) for s in part)
                spoken[base] = [s for _, s in zip(range(options.sentences), every, strict=False)]
            if name not in spoken:
                texts = [s.text for s in spoken[base]]
                parts = [texts[first : first + 25] for first in range(0, len(texts), 25)]
                spoken[name] = [s for part in pool.map(partial(spoken_by, name), parts) for s in part]
            parallels.append(Parallel(row, codec, spoken[base], spoken[name]))
            print(f"{name}: {len(spoken[name])} sentences", flush=True)
        level = level_of([s for parallel in parallels if parallel.itself for s in parallel.base])
        decoder = fit(parallels, list(TIMBRES), level, pool, options.steps)
    save_file({name: tensor.contiguous() for name, tensor in decoder.state_dict().items()}, work / "decoder.safetensors")
    (work / "decoder.json").write_text(json.dumps(decoder.to_dict()))


if __name__ == "__main__":
    main()
