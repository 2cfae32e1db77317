"""Whether the ear computes what CTranslate2 does with the same weights in 32-bit floats.

    python -m realtime_server.training.starling.measures.ear_reference PARTS CTRANSLATE2 SPEECH [--number 20]

CTRANSLATE2 is a folder with `model.bin`, `config.json`, `tokenizer.json` and `vocabulary.txt`, the parts joined. Needs
`pip install ctranslate2`, which nothing else does.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realtime_server.audio.resample import Resampler
from realtime_server.engine.ears.features import RATE_HZ, LogMel
from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.vocabulary import Vocabulary
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.nets.whisper import Encoded, Whisper
from realtime_server.engine.runtime.steps import Stream
from realtime_server.messages import AUDIO_RATE_HZ
from realtime_server.training.starling.ctranslate2_file import variables
from realtime_server.training.starling.measures.hearing import read
from realtime_server.training.starling.pack_ear import files, renamed

SILENCE = 100
LONGEST = 25
"""Tokens that are compared: without rules both go on to repeat themselves."""


def in_floats(arrays: Mapping[str, NDArray[np.generic]]) -> Whisper:
    state = {renamed(name): torch.from_numpy(np.array(array)).float() for name, array in arrays.items()}
    net = Whisper()
    net.load_state_dict({name: t.flatten(1) if t.dim() > 2 else t for name, t in state.items() if name})
    return net.eval()


def greedy(ear: WhisperEar, sound: Encoded) -> list[int]:
    """The likeliest text without any rule, as CTranslate2 is asked for it."""
    stream, words = Stream(ear.slots.take(), []), ear.vocabulary
    (behind,) = ear.run([Predict(stream, words.prompt(), sound)])
    said: list[int] = []
    while len(said) < LONGEST:
        open_here = words.open.clone()
        open_here[words.first_timestamp :] = False
        token = int(behind[-1].masked_fill(~open_here, -torch.inf).argmax())
        if token == words.end:
            break
        said.append(token)
        (behind,) = ear.run([Predict(stream, [token], sound)])
    ear.slots.give_back(stream.slot)
    return said


def theirs(model: Any, mel: Tensor, words: Vocabulary) -> tuple[NDArray[np.float32], list[int]]:
    features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel.T[None].numpy()))
    states = model.encode(features)
    # The first timestamp is in the prompt; none may follow.
    closed = [-1, *range(words.first_timestamp, words.size)]
    told = model.generate(
        states, [words.prompt()], beam_size=1, max_length=4 * LONGEST, suppress_tokens=closed, suppress_blank=False
    )
    return np.array(states)[0], [token for token in told[0].sequences_ids[0] if token < words.end][:LONGEST]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", type=Path)
    parser.add_argument("ctranslate2", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--number", type=int, default=20, help="recordings")
    options = parser.parse_args()
    found = files(options.parts)
    config = json.loads(found["config.json"])
    words = Vocabulary.load(options.ctranslate2 / "tokenizer.json", config["suppress_ids"])
    ear = WhisperEar(in_floats(variables(found["model.bin"])), words, torch.device("cpu"))
    model = ctranslate2.models.Whisper(str(options.ctranslate2), device="cpu", compute_type="float32", intra_threads=1)
    most, same = 0.0, 0
    paths = sorted(options.speech.glob("*.flac"))[: options.number]
    for path in paths:
        mel = LogMel()
        mel.push(Resampler(AUDIO_RATE_HZ, RATE_HZ).push(read(path), last=True))
        window = mel.window(silence=SILENCE)
        (sound,) = ear.run([Encode(window)])
        states, text = theirs(model, window, words)
        most = max(most, float(np.abs(states - sound.states.numpy()).max()))
        same += greedy(ear, sound) == text
    print(f"largest difference of a state {most:.5f}, the same tokens in {same} of {len(paths)}")


if __name__ == "__main__":
    main()
