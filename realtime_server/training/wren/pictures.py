"""Draws what the card shows: the learning curves, and a sentence beside its audio tokens decoded.

    python -m realtime_server.training.wren.pictures models/wren --work WORK

Writes `learning.png` from `WORK/log.jsonl` and `tokens.png` from a recording in `WORK/voices`, into the model's folder.
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch

from realtime_server.audio.mel import FloatArray
from realtime_server.engine import loader
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.nets import vocoder
from realtime_server.engine.nets.codec import STACK
from realtime_server.engine.nets.decoder import with_those_before
from realtime_server.training.wren.codec import analyse, envelope

mpl.use("Agg")
from matplotlib import pyplot as plt

CURVES = {
    "text": "heard: words and replies", "ctc": "heard: letters (CTC)", "written": "read: replies",
    "codes": "spoken: audio tokens", "advance": "spoken: the pointer",
}  # fmt: skip
SMOOTHED = 5
"""Lines of the log."""
SENTENCE = 3


def learning_curves(log: Path, target: Path) -> None:
    # A run that was taken up again from a checkpoint has some steps twice: the later ones count.
    told = {row["step"]: row for row in map(json.loads, log.read_text().splitlines())}
    rows = [told[step] for step in sorted(told)]
    steps = [row["step"] for row in rows]
    # A run that only teaches to speak has no losses of hearing.
    curves = {name: title for name, title in CURVES.items() if all(name in row for row in rows)}
    figure, axes = plt.subplots(1, len(curves), figsize=(3.5 * len(curves), 3), layout="constrained")
    for axis, (name, title) in zip(axes, curves.items(), strict=True):
        values = np.array([row[name] for row in rows])
        axis.plot(steps, values, color="0.8")
        if len(values) >= SMOOTHED:
            axis.plot(steps[SMOOTHED - 1 :], np.convolve(values, np.ones(SMOOTHED) / SMOOTHED, "valid"), color="C0")
        left_out = [(row["step"], row["left_out"][name]) for row in rows if name in row.get("left_out", {})]
        if left_out:
            axis.plot(*zip(*left_out, strict=True), "o-", color="C1", label="never trained on")
            axis.legend()
        axis.set(title=title, xlabel="step")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("loss, nats")
    figure.savefig(target, dpi=60)
    plt.close(figure)


def tokens_beside_original(shard: Path, model: Path, target: Path) -> None:
    """One sentence of the voice: as it was spoken, as vocoder parameters, as tokens, and these as they sound in the end."""
    data = np.load(shard)
    first = int(data["lengths"][:SENTENCE].sum())
    audio = data["pcm"][first : first + data["lengths"][SENTENCE]].astype(np.float32) / 32767
    wren, parameters = loader.load(str(model), "cpu"), analyse(audio)
    assert isinstance(wren, WrenModel)
    codec, decoder = wren.runner.speaker.codec, wren.runner.speaker.decoder
    assert decoder is not None
    stacked = torch.from_numpy(parameters).view(len(parameters) // STACK, -1)
    codes = codec.encode(stacked)
    decoded = codec.decode(codes).numpy()
    plain = vocoder.whole(decoded)
    timbre = torch.full((len(codes),), decoder.timbres.index(shard.name.split("-")[0]))
    with torch.no_grad():
        power, noise = decoder(with_those_before(codec.points(codes)), timbre)
    pitch = plain[:, vocoder.BINS : vocoder.BINS + 2]
    voiced = np.concatenate([power.flatten(0, 1).numpy(), pitch, noise.flatten(0, 1).numpy()], axis=1)
    sounds = {
        "original": audio, "vocoder parameters": vocoder.Vocoder().decode(vocoder.whole(parameters)),
        f"{codec.codebooks} × {codec.codes} tokens, 12.5 frames a second": vocoder.Vocoder().decode(plain),
        "these tokens by the decoder": vocoder.Vocoder().decode(voiced),
    }  # fmt: skip
    figure, axes = plt.subplots(len(sounds), 1, figsize=(10, 9), layout="constrained", sharex=True)
    for axis, (title, sound) in zip(axes, sounds.items(), strict=True):
        axis.imshow(spectrogram(sound), origin="lower", aspect="auto", cmap="magma", vmin=-12, vmax=2,
                    extent=(0, len(sound) / vocoder.RATE_HZ, 0, vocoder.RATE_HZ / 2000))  # fmt: skip
        axis.set(title=title, ylabel="kHz")
    axes[-1].set_xlabel("seconds")
    figure.suptitle(f"“{json.loads(str(data['rows']))[SENTENCE]['text']}”")
    figure.savefig(target, dpi=60)
    plt.close(figure)


def spectrogram(sound: FloatArray) -> FloatArray:
    """[n] samples -> [BINS, frames] log power."""
    return np.log(envelope(sound, len(sound) // vocoder.HOP) + 1e-6).T.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    learning_curves(options.work / "log.jsonl", options.model / "learning.png")
    tokens_beside_original(next((options.work / "voices").glob("*-0000.npz")), options.model, options.model / "tokens.png")


if __name__ == "__main__":
    main()
