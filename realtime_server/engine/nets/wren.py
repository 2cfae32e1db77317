"""Wren: hears mel frames, reads and writes text, and speaks codec tokens; thinker and talker (Qwen2.5-Omni, Xu et al. 2025).

There are two kinds of stream, each with a causal transformer of its own. A *thinking* stream (`trunk`) is
`context | user frames | transcript | reply`. A *speaking* stream is a `Talker`'s.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from realtime_server.engine.nets.talker import Talker
from realtime_server.engine.nets.transformer import Transformer
from realtime_server.engine.runtime.cache import Rows

CTC_LETTERS = " abcdefghijklmnopqrstuvwxyz'"
"""Labels of the transcription head; label 0 is the blank."""
MEL_HISTORY = 7
"""Mel frames before its own eight that one heard frame depends on."""
MEL_STRIDE = 8


@dataclass(frozen=True)
class WrenConfig:
    vocabulary: int
    width: int = 256
    layers: int = 8
    heads: int = 4
    hidden: int = 640
    early_ctc_layer: int = 6
    talker_layers: int = 6
    codebooks: int = 4
    codes: int = 1024
    voices: int = 2
    furthest_advance: int = 7
    choices_shown: bool = False
    """It was trained to be shown the values that a function's parameter offers."""
    context_tokens: int | None = None
    """Of a conversation, all that training had before a turn; more is not shown unless nothing may be left out."""

    def to_dict(self) -> dict[str, float | None]:
        return asdict(self)


class Ear(nn.Module):
    """Log-mel windows -> one vector per 80 ms: three strided convolutions over exactly 15 mel frames, no other state.

    Behind each stands a block that mixes the channels of a moment (as ConvNeXt's do, Liu et al. 2022).
    """

    def __init__(self, width: int, mels: int = 80) -> None:
        super().__init__()
        channels = (mels, 160, 224, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(a, b, 3, stride=2) for a, b in pairwise(channels))
        self.mixers = nn.ModuleList(mixer(b) for b in channels[1:])
        self.norm = nn.LayerNorm(width)

    def forward(self, mel: Tensor) -> Tensor:
        """[B, MEL_HISTORY + 8 * T, mels] -> [B, T, width]."""
        x = (mel + 8.0) * 0.25
        for convolution, mix in zip(self.convolutions, self.mixers, strict=True):
            x = F.gelu(convolution(x.transpose(1, 2))).transpose(1, 2)
            x = x + mix(x)
        return self.norm(x)


def mixer(channels: int) -> nn.Sequential:
    """[..., channels] -> the same; zero until it has learned something."""
    last = nn.Linear(3 * channels, channels)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, 3 * channels), nn.GELU(), last)


class Wren(Talker):
    """A talker that hears and thinks, too."""

    config: WrenConfig

    def __init__(self, config: WrenConfig) -> None:
        super().__init__(config)
        width = config.width
        self.ear = Ear(width)
        self.text = nn.Embedding(config.vocabulary, width)
        self.trunk = Transformer(width, config.layers, config.heads, config.hidden)
        labels = 2 * (len(CTC_LETTERS) + 1)
        self.ctc, self.early_ctc = nn.Linear(width, labels), nn.Linear(width, labels)
        self.turn_end = nn.Linear(width, 1)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02 if module is self.text else 0.1)

    def think(self, x: Tensor, rows: Rows | None = None) -> tuple[Tensor, Tensor]:
        """Embedded thinking positions [B, T, width] -> (trunk output, layer of the early CTC head), both [B, T, width]."""
        return self.trunk(x, self.config.early_ctc_layer, rows)

    def text_logits(self, trunk: Tensor) -> Tensor:
        """[..., width] -> [..., vocabulary]; the output matrix is the text embedding."""
        return F.linear(trunk, self.text.weight)

    def ctc_logits(self, trunk: Tensor) -> Tensor:
        """Trunk output [B, T, width] -> [B, 2 T, labels]: two letters may be heard in 80 ms."""
        return self.ctc(trunk).view(len(trunk), 2 * trunk.shape[1], -1)

    def early_ctc_logits(self, tapped: Tensor) -> Tensor:
        """The same at mid depth, for training alone: it makes the lower layers listen (Lee and Watanabe 2021)."""
        return self.early_ctc(tapped).view(len(tapped), 2 * tapped.shape[1], -1)

    def ended_logits(self, trunk: Tensor) -> Tensor:
        """Trunk output at heard frames [..., width] -> [...]: has the speaker finished the thought?"""
        result: Tensor = self.turn_end(trunk)[..., 0]
        return result
