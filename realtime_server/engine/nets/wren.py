"""Wren: hears mel frames, reads and writes text, and speaks codec tokens; thinker and talker (Qwen2.5-Omni, Xu et al. 2025).

There are two kinds of stream, each with a causal transformer of its own. A *thinking* stream (`trunk`) is
`context | user frames | transcript | reply`. A *speaking* stream (`talker`) is one position per 80 ms of speech: the tokens
of the frame before, the letters around a pointer into the reply, the voice; it predicts the frame's tokens and how far the
pointer moves. The pointer never goes back, so speech can neither loop nor skip, and always tells which letter is being spoken.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realtime_server.engine.nets.transformer import Transformer
from realtime_server.engine.runtime.cache import Rows

LETTERS = " abcdefghijklmnopqrstuvwxyz'.,?!-"
"""What the pointer walks over; anything else is read as a space. Index 0 of the embedding is 'outside the text'."""
CTC_LETTERS = " abcdefghijklmnopqrstuvwxyz'"
"""Labels of the transcription head; label 0 is the blank."""
LETTERS_BEHIND, LETTERS_AHEAD = 6, 12
TALKER_DROPOUT = 0.1
"""In training: there is little speech to learn from, and it is learned by heart."""
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
    most_doubt: float | None = None
    """`HeardTurn.doubt` above which a turn is refused: too unlike what was heard, and too unsure."""

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


class Mouth(nn.Module):
    """A frame's tokens, one codebook after the other: each head sees the talker's output and the codes already chosen."""

    def __init__(self, config: WrenConfig) -> None:
        super().__init__()
        width = config.width
        self.codes = nn.ModuleList(nn.Embedding(config.codes, width) for _ in range(config.codebooks))
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(config.codebooks))
        self.heads = nn.ModuleList(nn.Linear(width, config.codes) for _ in range(config.codebooks))

    def logits(self, spoken: Tensor, chosen: Tensor, book: int) -> Tensor:
        """Talker's output [..., width], chosen [..., >= book] earlier codes -> [..., codes]."""
        for earlier in range(book):
            spoken = spoken + self.codes[earlier](chosen[..., earlier])
        result: Tensor = self.heads[book](F.gelu(self.hidden[book](spoken)))
        return result


class Wren(nn.Module):
    def __init__(self, config: WrenConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.ear = Ear(width)
        self.text = nn.Embedding(config.vocabulary, width)
        self.trunk = Transformer(width, config.layers, config.heads, config.hidden)
        self.talker = Transformer(width, config.talker_layers, config.heads, config.hidden, TALKER_DROPOUT)
        labels = 2 * (len(CTC_LETTERS) + 1)
        self.ctc, self.early_ctc = nn.Linear(width, labels), nn.Linear(width, labels)
        self.turn_end = nn.Linear(width, 1)
        self.letters = nn.Embedding(len(LETTERS) + 1, 32)
        self.letter_window = nn.Linear(32 * (LETTERS_BEHIND + 1 + LETTERS_AHEAD), width)
        self.heard_codes = nn.ModuleList(nn.Embedding(config.codes + 1, width) for _ in range(config.codebooks))
        self.voice = nn.Embedding(config.voices, width)
        self.mouth = Mouth(config)
        self.advance = nn.Linear(width, config.furthest_advance + 1)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02 if module is self.text else 0.1)

    def think(self, x: Tensor, rows: Rows | None = None) -> tuple[Tensor, Tensor]:
        """Embedded thinking positions [B, T, width] -> (trunk output, layer of the early CTC head), both [B, T, width]."""
        return self.trunk(x, self.config.early_ctc_layer, rows)

    def speak(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        """Embedded speaking positions [B, T, width] -> what `mouth` and `advance` read [B, T, width]."""
        return self.talker(x, rows=rows)[0]

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

    def speech_input(self, before: Tensor, window: Tensor, voice: Tensor) -> Tensor:
        """Tokens of the frame before [B, T, books] (`codes` = start), letters [B, T, window], voice [B] -> [B, T, width]."""
        heard = sum(table(before[..., k]) for k, table in enumerate(self.heard_codes))
        around = self.letter_window(self.letters(window).flatten(-2))
        result: Tensor = heard + around + self.voice(voice)[:, None]
        return result


def letter_indices(text: str) -> Tensor:
    """Reply text -> [len(text)] indices for `Wren.letters`, one per character."""
    return torch.tensor([LETTERS.find(c) + 1 or 1 for c in text.lower()], dtype=torch.long)


def letter_windows(indices: Tensor, pointers: Tensor) -> Tensor:
    """[n] letters and [T] pointers into them -> [T, window] letters around each pointer, 0 outside the text."""
    padded = F.pad(indices, (LETTERS_BEHIND, LETTERS_AHEAD + 1))
    offsets = torch.arange(LETTERS_BEHIND + 1 + LETTERS_AHEAD)
    return padded[pointers.clamp(max=len(indices))[:, None] + offsets]
