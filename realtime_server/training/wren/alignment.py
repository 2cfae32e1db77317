"""Where each word of a recording is spoken, by the letters that Wren hears in it (CTC segmentation, Kürzinger et al. 2020).

The letters come a little after their sounds, as the network likes it: how much is measured on speech whose times are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.families.wren.letters import labels
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.nets.wren import MEL_STRIDE, Wren
from realtime_server.training.wren import augment

MOMENT_S = 0.04
Times = list[tuple[str, float, float]]
"""Words of a text as they stand there, and when each begins and ends, in seconds."""


@dataclass(frozen=True)
class Aligner:
    """`begins` and `ends`: how much later than a word's borders its first and last letter are heard, in seconds."""

    model: Wren
    begins: float = 0.0
    ends: float = 0.0

    def times(self, mel: FloatArray, text: str) -> Times | None:
        """mel [n, 80]. None where there is no text, or more than can have been said in that time."""
        words = [word for word in text.split() if plain(word)]
        if not words:
            return None
        # The last letters are heard after the last sound.
        letters = heard_letters(self.model, augment.in_quiet(mel, 0, 6 * MEL_STRIDE))
        moments = letter_moments(letters.numpy(), labels(plain(" ".join(words))))
        if moments is None:
            return None
        result: Times = []
        at, length = 0, len(mel) * 0.01
        for word in words:
            last = at + len(plain(word)) - 1
            start = min(max(moments[at] * MOMENT_S - self.begins, result[-1][2] if result else 0.0), length)
            end = min(max(moments[last] * MOMENT_S - self.ends, start + MOMENT_S), length)
            result.append((word, start, end))
            at = last + 2
        return result

    def measured(self, examples: list[tuple[FloatArray, Times]]) -> "Aligner":
        """The same, with the delays that these examples (mel, times) show."""
        found = [(self.times(mel, " ".join(word for word, _, _ in known)), known) for mel, known in examples]
        pairs = [pair for times, known in found if times for pair in zip(times, known, strict=True)]
        begins = float(np.median([start - true for (_, start, _), (_, true, _) in pairs]))
        ends = float(np.median([end - true for (_, _, end), (_, _, true) in pairs]))
        return Aligner(self.model, self.begins + begins, self.ends + ends)


@torch.inference_mode()
def heard_letters(model: Wren, mel: FloatArray, context_ids: Sequence[int] = ()) -> Tensor:
    """[T, labels] log-probabilities of what mel frames [n, 80] sound like, one for each MOMENT_S, behind a context."""
    device = model.text.weight.device
    context = model.text(torch.tensor([list(context_ids)], dtype=torch.long, device=device))
    heard = model.ear(torch.from_numpy(augment.windows(mel))[None].to(device))
    trunk, _ = model.think(torch.cat([context, heard], dim=1))
    return model.ctc_logits(trunk[:, len(context_ids) :])[0].log_softmax(-1).cpu()


def letter_moments(letters: FloatArray, wanted: list[int]) -> list[int] | None:
    """The moment at which each label is first heard on the likeliest path; None where no path has room for all.

    letters: [T, labels] log-probabilities; label 0 is the blank. wanted: at least one.
    """
    states = np.zeros(2 * len(wanted) + 1, np.int64)
    states[1::2] = wanted
    # From a letter straight to the next one, unless they are the same.
    may_skip = np.zeros(len(states), bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), -np.inf)
    score[:2] = letters[0, states[:2]]
    came = np.zeros((len(letters), len(states)), np.int64)
    for moment in range(1, len(letters)):
        ways = np.full((3, len(states)), -np.inf)
        ways[0], ways[1, 1:] = score, score[:-1]
        ways[2, 2:] = np.where(may_skip[2:], score[:-2], -np.inf)
        came[moment] = ways.argmax(0)
        score = ways.max(0) + letters[moment, states]
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    if score[state] == -np.inf:
        return None
    first = [0] * len(wanted)
    for moment in range(len(letters) - 1, -1, -1):
        if state % 2:
            first[state // 2] = moment
        state -= int(came[moment, state])
    return first
