"""Audio tokens -> what the vocoder makes sound of, by a small network: the whole spectral envelope, where the codec has bands.

It reads a frame's tokens and those of the frames just before, so nothing waits for it. It knows several speakers' timbres, and
gives what one speaker said in another's, since it learned from the same sentences spoken by both (voice conversion by a network
on parallel sentences, Desai et al. 2009). A voice may mix them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from realtime_server.engine.nets.codec import STACK
from realtime_server.engine.nets.vocoder import BANDS, BINS

FRAMES_BEFORE = 3


class Decoder(nn.Module):
    """`timbres` are the speakers' names, `points` the codec's components."""

    def __init__(
        self, timbres: Sequence[str], points: int = 96, components: int = 64, width: int = 384, layers: int = 3
    ) -> None:
        super().__init__()
        self.timbres, self.components = tuple(timbres), components
        self.read = nn.Linear((FRAMES_BEFORE + 1) * points, width)
        self.timbre = nn.Embedding(len(self.timbres), width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )
        self.write = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, STACK * (components + BANDS)))
        self.basis = nn.Parameter(torch.zeros(components, BINS))
        self.mean = nn.Parameter(torch.zeros(BINS))

    def forward(self, points: Tensor, timbre: Tensor) -> tuple[Tensor, Tensor]:
        """What the codes of each frame and of those before it name [N, FRAMES_BEFORE + 1, points], zeros where nothing was said
        yet, and its timbre's row [N] -> log power [N, STACK, BINS], aperiodicity [N, STACK, BANDS] in 0..1."""
        x = self.read(points.flatten(1)) + self.timbre(timbre)
        for layer in self.layers:
            x = x + layer(x)
        y = self.write(x).unflatten(1, (STACK, self.components + BANDS))
        return y[..., : self.components] @ self.basis + self.mean, y[..., self.components :].sigmoid()

    def to_dict(self) -> dict[str, object]:
        """What `Decoder(**...)` makes another one of."""
        return {
            "timbres": list(self.timbres), "points": self.read.in_features // (FRAMES_BEFORE + 1),
            "components": self.components, "width": self.read.out_features, "layers": len(self.layers),
        }  # fmt: skip


def with_those_before(points: Tensor) -> Tensor:
    """[T, points] of one utterance -> [T, FRAMES_BEFORE + 1, points], the oldest first."""
    padded = torch.cat([points.new_zeros(FRAMES_BEFORE, points.shape[1]), points])
    return padded.unfold(0, FRAMES_BEFORE + 1, 1).mT
