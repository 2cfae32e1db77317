"""Whisper as an ear: its network on a device, and the forwards of its steps."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.ears.vocabulary import Vocabulary
from realtime_server.engine.nets.int8 import Int8Linear, floats, packs
from realtime_server.engine.nets.whisper import Encoded, Sounds, Whisper, WhisperConfig
from realtime_server.engine.runtime import isolation
from realtime_server.engine.runtime.cache import CacheFull, FixedCache, GrowingCache, KVCache, Rows, Slots
from realtime_server.engine.runtime.isolation import Forward

LEAST = 64
"""Positions of a slot on a CPU: most turns are shorter."""
SLOTS = 64
"""On a GPU."""


class WhisperEar:
    """`groups` is for a family's runner, which runs its own steps beside; `run` is for an ear alone."""

    def __init__(self, net: Whisper, vocabulary: Vocabulary, device: torch.device) -> None:
        self.net, self.vocabulary, self.device = net.to(device).eval(), vocabulary, device
        self.dtype = net.encoder.positions.dtype
        shape = net.config.cached
        cache: KVCache = (
            GrowingCache(shape, device, self.dtype, least=LEAST)
            if device.type == "cpu"
            else FixedCache(shape, SLOTS, net.config.positions, device, self.dtype)
        )
        self.slots = Slots(cache)

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "WhisperEar":
        """From `ear.safetensors`, `ear.json` and `ear-tokenizer.json`: 8-bit layers on a CPU that has the kernels, else floats,
        of 16 bits on a GPU."""
        config = json.loads((folder / "ear.json").read_text("utf-8"))
        shape, state = WhisperConfig(**config["net"]), load_file(folder / "ear.safetensors")
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        packed = device.type == "cpu" and packs()
        with torch.device("meta"):
            net = Whisper(shape, Int8Linear if packed else nn.Linear)
        ready = {n: t.float() if t.dtype == torch.float16 else t for n, t in state.items()} if packed else floats(state, dtype)
        net.load_state_dict(ready, assign=True)
        net.encoder.half_attention = packed and torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 (torch has no public name for it)
        vocabulary = Vocabulary.load(folder / "ear-tokenizer.json", config["suppressed"], config["not_first"])
        return cls(net, vocabulary, device)

    @torch.inference_mode()
    def run(self, steps: Sequence[Encode | Predict]) -> list[Any]:
        """The answers in the order of the steps, Broken where a step fails by itself too."""
        return isolation.run(self.groups(dict(enumerate(steps))), self.device)

    def groups(self, steps: Mapping[int, Any]) -> Iterator[tuple[Forward, dict[int, Any]]]:
        """What runs together of those of an ear: sounds of one length, single tokens, and tokens in rows."""
        lengths = {len(step.mel) for step in steps.values() if isinstance(step, Encode)}
        for length in lengths:
            yield self._encoded, {n: s for n, s in steps.items() if isinstance(s, Encode) and len(s.mel) == length}
        predicted = {n: s for n, s in steps.items() if isinstance(s, Predict)}
        for short in (True, False):
            yield self._predicted, {n: s for n, s in predicted.items() if (len(s.ids) == 1) is short}

    def pieces(self, said: Transcript) -> Iterator[tuple[str, float]]:
        """A transcript's text in the pieces that it was written in, each with its log-probability."""
        for begin, end in self.vocabulary.pieces(said.tokens):
            piece = self.vocabulary.text(said.tokens[begin:end])
            yield piece if begin else piece.lstrip(), sum(said.logprobs[begin:end])

    def _encoded(self, steps: list[Encode]) -> list[Encoded]:
        return self.net.encode(torch.stack([step.mel for step in steps]).to(self.device, self.dtype))

    def _predicted(self, steps: list[Predict]) -> list[Tensor]:
        lengths = [len(step.ids) for step in steps]
        ids = torch.zeros(len(steps), max(lengths), dtype=torch.long)
        for n, step in enumerate(steps):
            if len(step.stream.ids) + len(step.ids) > self.net.config.positions:
                raise CacheFull(f"A transcript has at most {self.net.config.positions} tokens.")
            ids[n, : len(step.ids)] = torch.tensor(step.ids)
        rows = Rows(self.slots.cache, [(step.stream.slot, len(step.stream.ids)) for step in steps])
        x = self.net.decoder(ids.to(self.device), rows, Sounds([step.sound for step in steps]))
        # Padding needs no logits.
        asked = torch.cat([x[n, :length] for n, length in enumerate(lengths)])
        behind = self.net.logits(asked).log_softmax(-1).cpu().split(lengths)
        # Now nothing can fail any more.
        for step in steps:
            step.stream.ids += step.ids
        return list(behind)
