"""A tiny random ear with letters for tokens, the same weights in every test, and the sound of somebody who speaks."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import nn

from realtime_server.engine.ears.vocabulary import Vocabulary
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.nets.int8 import Int8Linear
from realtime_server.engine.nets.whisper import Whisper, WhisperConfig
from realtime_server.messages import AUDIO_RATE_HZ, Samples

MARKS = "endoftext startoftranscript en de transcribe nospeech notimestamps".split()


def vocabulary() -> Vocabulary:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(f"<|{mark}|>", special=True) for mark in MARKS])
    return Vocabulary(tokenizer)


def net(linear: type[nn.Module] = nn.Linear, seed: int = 0) -> Whisper:
    torch.manual_seed(seed)
    config = WhisperConfig(
        mels=80, width=32, heads=2, encoder_layers=2, decoder_layers=2, vocabulary=vocabulary().size, states=1500, positions=448
    )
    made = Whisper(config, linear)
    for parameter in (made.encoder.positions, made.decoder.positions):
        nn.init.normal_(parameter, std=0.3)
    for module in made.modules():
        if isinstance(module, Int8Linear):
            module.weight.random_(-127, 128)
            module.scale.uniform_(0.5e-3, 2e-3)
        elif isinstance(module, nn.Linear):
            # Large enough that what is heard, and what was written, decides what follows.
            nn.init.normal_(module.weight, std=0.3)
    if isinstance(made.decoder.tokens, nn.Linear):
        # Some text is nearly always likelier than 1,501 timestamps together.
        made.decoder.tokens.weight.data[: vocabulary().end] *= 4
    return made.eval()


def ear() -> WhisperEar:
    return WhisperEar(net(), vocabulary(), torch.device("cpu"))


def write_ear(folder: Path, made: Whisper) -> None:
    """The files of an ear, as packing makes them."""
    state = {n: t.half() if t.is_floating_point() and not n.endswith("scale") else t for n, t in made.state_dict().items()}
    save_file(state, folder / "ear.safetensors")
    (folder / "ear.json").write_text(json.dumps({"net": asdict(made.config), "suppressed": [3], "not_first": [4]}))
    (folder / "ear-tokenizer.json").write_text(vocabulary().tokenizer.to_str())


def noise(seconds: float, level: float, seed: int = 0) -> Samples:
    """At the rate of the inner language."""
    random = np.random.default_rng(seed).standard_normal(round(seconds * AUDIO_RATE_HZ))
    return np.clip(random * level * 32_767, -32_768, 32_767).astype(np.int16)


def speech(*seconds: float, seed: int = 0) -> Samples:
    """Loud and quiet in turns, so long each."""
    return np.concatenate([noise(s, 0.1 if n % 2 == 0 else 1e-4, seed + n) for n, s in enumerate(seconds)])
