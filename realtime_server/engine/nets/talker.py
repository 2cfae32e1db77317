"""A talker: reads letters and speaks codec tokens, one position per 80 ms (the talker of Qwen2.5-Omni, Xu et al. 2025).

Each position is the tokens of the frame before, the letters around a pointer into the text, and the voice; it predicts the
frame's tokens and how far the pointer moves. The pointer never goes back, so speech can neither loop nor skip, and always tells
which letter is being spoken.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realtime_server.engine.nets.transformer import Transformer
from realtime_server.engine.runtime.cache import Rows

LETTERS = " abcdefghijklmnopqrstuvwxyz'.,?!-"
"""What the pointer walks over; anything else is read as a space. Index 0 of the embedding is 'outside the text'."""
LETTERS_BEHIND, LETTERS_AHEAD = 6, 12
TALKER_DROPOUT = 0.1
"""In training: there is little speech to learn from, and it is learned by heart."""


class TalkerShape(Protocol):
    """What a talker is built by."""

    @property
    def width(self) -> int: ...

    @property
    def talker_layers(self) -> int: ...

    @property
    def heads(self) -> int: ...

    @property
    def hidden(self) -> int: ...

    @property
    def codebooks(self) -> int: ...

    @property
    def codes(self) -> int: ...

    @property
    def voices(self) -> int: ...

    @property
    def furthest_advance(self) -> int: ...


@dataclass(frozen=True)
class TalkerConfig:
    """Of a talker that stands alone."""

    width: int = 256
    talker_layers: int = 6
    heads: int = 4
    hidden: int = 640
    codebooks: int = 6
    codes: int = 1024
    voices: int = 2
    furthest_advance: int = 7


class Mouth(nn.Module):
    """A frame's tokens, one codebook after the other: each head sees the talker's output and the codes already chosen."""

    def __init__(self, config: TalkerShape) -> None:
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


class Talker(nn.Module):
    config: TalkerShape

    def __init__(self, config: TalkerShape) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.talker = Transformer(width, config.talker_layers, config.heads, config.hidden, TALKER_DROPOUT)
        self.letters = nn.Embedding(len(LETTERS) + 1, 32)
        self.letter_window = nn.Linear(32 * (LETTERS_BEHIND + 1 + LETTERS_AHEAD), width)
        self.heard_codes = nn.ModuleList(nn.Embedding(config.codes + 1, width) for _ in range(config.codebooks))
        self.voice = nn.Embedding(config.voices, width)
        self.mouth = Mouth(config)
        self.advance = nn.Linear(width, config.furthest_advance + 1)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.1)

    def speak(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        """Embedded speaking positions [B, T, width] -> what `mouth` and `advance` read [B, T, width]."""
        return self.talker(x, rows=rows)[0]

    def speech_input(self, before: Tensor, window: Tensor, voice: Tensor) -> Tensor:
        """Tokens of the frame before [B, T, books] (`codes` = start), letters [B, T, window], voice [B] -> [B, T, width]."""
        heard = sum(table(before[..., k]) for k, table in enumerate(self.heard_codes))
        around = self.letter_window(self.letters(window).flatten(-2))
        result: Tensor = heard + around + self.voice(voice)[:, None]
        return result


def letter_indices(text: str) -> Tensor:
    """Reply text -> [len(text)] indices for `Talker.letters`, one per character."""
    return torch.tensor([LETTERS.find(c) + 1 or 1 for c in text.lower()], dtype=torch.long)


def letter_windows(indices: Tensor, pointers: Tensor) -> Tensor:
    """[n] letters and [T] pointers into them -> [T, window] letters around each pointer, 0 outside the text."""
    padded = F.pad(indices, (LETTERS_BEHIND, LETTERS_AHEAD + 1))
    offsets = torch.arange(LETTERS_BEHIND + 1 + LETTERS_AHEAD)
    return padded[pointers.clamp(max=len(indices))[:, None] + offsets]
