"""Whisper (Radford et al. 2022): log-mel frames of up to 30 s -> states, and a decoder of text that attends to them.

Windows are as long as what was said: nothing is padded to 30 s. The decoder's rows live in slots of a cache, and each attends
to a sound of its own. Any layer may be one of 8-bit integers, which is what `linear` makes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from realtime_server.engine.nets.int8 import Int8Linear
from realtime_server.engine.runtime.cache import Rows, Shape, Window

Linear = Callable[..., nn.Module]
"""(inputs, outputs, bias=True) -> a layer."""
FRAMES_PER_STATE = 2
"""Mel frames of 10 ms."""


@dataclass(frozen=True)
class WhisperConfig:
    """Whisper base. `states`, `positions`: the most that the encoder and the decoder can tell apart."""

    mels: int = 80
    width: int = 512
    heads: int = 8
    encoder_layers: int = 6
    decoder_layers: int = 6
    vocabulary: int = 51_865
    states: int = 1500
    positions: int = 448

    @property
    def cached(self) -> Shape:
        """What a cache holds of the decoder."""
        return Shape(self.decoder_layers, self.heads, self.width // self.heads)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A sound as the decoder attends to it: states [S, width]; of each layer, keys and values [2, heads, S, head_dim]."""

    states: Tensor
    attended: tuple[Tensor, ...]


def split(x: Tensor, parts: int, heads: int) -> Tensor:
    """[B, T, parts * width] -> [parts, B, heads, T, head_dim]."""
    return x.view(*x.shape[:2], parts, heads, -1).permute(2, 0, 3, 1, 4)


def joined(x: Tensor) -> Tensor:
    """[B, heads, T, head_dim] -> [B, T, width]."""
    return x.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """What both halves' layers have: attention to themselves, and an MLP, each behind a norm."""

    def __init__(self, config: WhisperConfig, linear: Linear) -> None:
        super().__init__()
        width, self.heads = config.width, config.heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = linear(width, 3 * width), linear(width, width)
        self.up, self.down = linear(width, 4 * width), linear(4 * width, width)

    def expand(self, x: Tensor) -> Tensor:
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class EncoderLayer(Block):
    def forward(self, x: Tensor, half: bool) -> Tensor:
        """[B, S, width] -> the same; every state sees every other. `half`: by products of 16 bits."""
        q, k, v = split(self.qkv(self.norm1(x)), 3, self.heads)
        return self.expand(x + self.out(joined(attend_in_half(q, k, v) if half else F.scaled_dot_product_attention(q, k, v))))


def attend_in_half(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """All [B, heads, S, head_dim]. A CPU with products of 16 bits takes half the time, and loses less than 8-bit layers do."""
    scores = (q * q.shape[-1] ** -0.5).bfloat16() @ k.bfloat16().transpose(-1, -2)
    return (scores.softmax(-1) @ v.bfloat16()).to(q.dtype)


class Encoder(nn.Module):
    def __init__(self, config: WhisperConfig, linear: Linear) -> None:
        super().__init__()
        self.conv1, self.conv2 = linear(3 * config.mels, config.width), linear(3 * config.width, config.width)
        self.positions = nn.Parameter(torch.zeros(config.states, config.width))
        self.layers = nn.ModuleList(EncoderLayer(config, linear) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.half_attention = False
        """Attention by products of 16 bits."""

    def forward(self, mel: Tensor) -> Tensor:
        """[B, 2 S, mels] -> [B, S, width]."""
        x = F.gelu(self.conv1(windows(mel, 1)))
        x = F.gelu(self.conv2(windows(x, 2)))
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, self.half_attention)
        return self.norm(x)


def windows(x: Tensor, stride: int) -> Tensor:
    """[B, T, width] -> [B, T / stride, width * 3] each with its neighbours, zeros beyond the ends: a convolution's inputs."""
    return F.pad(x, (0, 0, 1, 1)).unfold(1, 3, stride).flatten(2)


class DecoderLayer(Block):
    def __init__(self, config: WhisperConfig, linear: Linear) -> None:
        super().__init__(config, linear)
        width = config.width
        self.norm_sound = nn.LayerNorm(width)
        self.query, self.keys_values, self.out_sound = linear(width, width), linear(width, 2 * width), linear(width, width)

    def forward(self, x: Tensor, sees: Tensor, index: int, window: Window, sounds: "Sounds") -> Tensor:
        """[B, T, width] -> the same; sees [B, 1, T, L] where a position may look."""
        q, k, v = split(self.qkv(self.norm1(x)), 3, self.heads)
        k, v = window.through(index, k, v)
        x = x + self.out(joined(F.scaled_dot_product_attention(q, k, v, attn_mask=sees)))
        (q,) = split(self.query(self.norm_sound(x)), 1, self.heads)
        return self.expand(x + self.out_sound(joined(sounds.attend(q, index))))


class Sounds:
    """What each row of a step attends to. Rows of the same sound, which stand beside one another, share a product; others have
    their own, since to copy sounds of different lengths together would cost more than that."""

    def __init__(self, rows: Sequence[Encoded]) -> None:
        self._runs: list[tuple[Encoded, int]] = []
        for sound in rows:
            same = self._runs and self._runs[-1][0] is sound
            number = self._runs.pop()[1] if same else 0
            self._runs.append((sound, number + 1))

    def attend(self, q: Tensor, layer: int) -> Tensor:
        """[B, heads, T, head_dim] -> the same, as values."""
        told, start = [], 0
        for sound, number in self._runs:
            k, v = sound.attended[layer]
            of_one = q[start : start + number]
            start += number
            # Heads first, and the rows behind one another: one product.
            flat = of_one.transpose(0, 1).flatten(1, 2)
            heard = torch.softmax(flat @ k.transpose(-1, -2) * flat.shape[-1] ** -0.5, -1) @ v
            told.append(heard.unflatten(1, (number, -1)).transpose(0, 1))
        return told[0] if len(told) == 1 else torch.cat(told)


class Decoder(nn.Module):
    def __init__(self, config: WhisperConfig, linear: Linear) -> None:
        super().__init__()
        self.heads = config.heads
        self.tokens = linear(config.width, config.vocabulary, bias=False)
        """The head, whose rows are the embeddings too."""
        self.positions = nn.Parameter(torch.zeros(config.positions, config.width))
        self.layers = nn.ModuleList(DecoderLayer(config, linear) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)

    def attended(self, states: Tensor) -> tuple[Tensor, ...]:
        """[S, width] -> each layer's keys and values [2, heads, S, head_dim]."""
        return tuple(split(layer.keys_values(states[None]), 2, self.heads)[:, 0].contiguous() for layer in self.layers)  # type: ignore[operator]

    def forward(self, ids: Tensor, rows: Rows, sounds: Sounds) -> Tensor:
        """[B, T] -> [B, T, width]; row b continues its slot behind its start."""
        positions, sees, window = rows.enter(ids.shape[1], ids.device)
        last = len(self.positions) - 1
        x = embedded(self.tokens, ids) + self.positions[positions.clamp(max=last)]
        for index, layer in enumerate(self.layers):
            x = layer(x, sees, index, window, sounds)
        return self.norm(x)


def embedded(tokens: nn.Module, ids: Tensor) -> Tensor:
    """[...] -> [..., width]: the head's rows."""
    if isinstance(tokens, Int8Linear):
        return tokens.rows(ids)
    assert isinstance(tokens, nn.Linear)
    return F.embedding(ids, tokens.weight)


class Whisper(nn.Module):
    def __init__(self, config: WhisperConfig = WhisperConfig(), linear: Linear = nn.Linear) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config, linear), Decoder(config, linear)

    def encode(self, mel: Tensor) -> list[Encoded]:
        """[B, 2 S, mels] -> what the decoder attends to, of each."""
        return [Encoded(states, self.decoder.attended(states)) for states in self.encoder(mel)]

    def logits(self, x: Tensor) -> Tensor:
        """[..., width] -> [..., vocabulary] of the next token, as 32-bit floats."""
        return self.decoder.tokens(x).float()
