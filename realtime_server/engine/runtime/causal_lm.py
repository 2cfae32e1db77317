"""A stock causal language model of `transformers`, driven by steps: prompts in chunks and decoding rows in the same forward.

The model is whatever `from_pretrained` gave; nothing of the library is imported here. Its own cache is replaced by slots, its
own mask and positions by those of the rows, so that a row's neighbours and its padding change nothing for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from realtime_server.engine.runtime.cache import CacheFull, FixedCache, GrowingCache, KVCache, Rows, Shape, Slots, Window
from realtime_server.engine.runtime.isolation import Forward, run
from realtime_server.engine.runtime.sampling import choose
from realtime_server.engine.runtime.steps import FRAME, Decode, Think


class Unsupported(Exception):
    """A model that attends in a way that slots cannot serve."""


@dataclass(frozen=True)
class _Cache:
    """A window as the library's attention layers see a cache."""

    window: Window

    def update(self, keys: Tensor, values: Tensor, layer: int, **_: Any) -> tuple[Tensor, Tensor]:
        """Both [B, heads, T, head_dim] -> all that the rows hold."""
        return self.window.through(layer, keys, values)


class CausalLM:
    """`run` is what `Sequences` takes: `Think` and `Decode`. Frames are embeddings [n, width], answered as tokens are."""

    def __init__(self, model: Any, slots: int = 0, length: int = 0) -> None:
        """With `slots`, their cache is of a fixed shape, `length` positions each; else slots grow, up to the longest that the
        model can tell apart. Raises Unsupported."""
        config: Any = model.config
        _refuse(config)
        self._model = model.eval()
        self._embed: nn.Module = model.get_input_embeddings()
        heads = config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
        shape = Shape(config.num_hidden_layers, getattr(config, "num_key_value_heads", None) or heads, head_dim)
        # Not those of the embedding, whose weights may be packed.
        self.device, self._dtype = model.device, model.dtype
        self.longest = min(length or config.max_position_embeddings, config.max_position_embeddings)
        cache: KVCache = (
            FixedCache(shape, slots, self.longest, self.device, self._dtype)
            if slots
            else GrowingCache(shape, self.device, self._dtype)
        )
        self.slots = Slots(cache)

    @torch.inference_mode()
    def run(self, steps: list[Think]) -> list[Any]:
        """The answers in the order of the steps, Broken where a step fails by itself too."""
        return run(self.groups(dict(enumerate(steps))), self.device)

    def groups(self, steps: Mapping[int, Think]) -> Iterator[tuple[Forward, dict[int, Think]]]:
        """What runs together, for a family's runner that runs its own steps beside: rows of one position share a forward and
        longer ones another, or each decoding row would be padded to a prompt's chunk."""
        for short in (True, False):
            yield self._forward, {n: step for n, step in steps.items() if (len(step.ids) == 1) is short}

    def _forward(self, steps: list[Think]) -> list[int | Tensor]:
        lengths = [len(step.ids) for step in steps]
        for step in steps:
            if len(step.stream.ids) + len(step.ids) > self.longest:
                raise CacheFull(f"A sequence has at most {self.longest} positions.")
        rows = Rows(self.slots.cache, [(step.stream.slot, len(step.stream.ids)) for step in steps])
        positions, sees, window = rows.enter(max(lengths), self.device)
        mask = torch.zeros(sees.shape, dtype=self._dtype, device=self.device)
        mask.masked_fill_(~sees, torch.finfo(self._dtype).min)
        # Of no other positions are there logits: those of a whole chunk would be larger than all that it computes.
        asked = torch.zeros(len(steps), max(lengths), dtype=torch.bool)
        for n, step in enumerate(steps):
            asked[n, 0 if step.every else lengths[n] - 1 : lengths[n]] = True
        logits: Tensor = self._model(
            inputs_embeds=self._inputs(steps, max(lengths)),
            attention_mask=mask,
            position_ids=positions,
            cache=_Cache(window),
            use_cache=True,
            logits_to_keep=asked.to(self.device),
        ).logits
        behind = logits.split(asked.sum(1).tolist())
        answers = _chosen(steps, behind) | {n: _told(s, behind[n]) for n, s in enumerate(steps) if not isinstance(s, Decode)}
        # Now nothing can fail any more.
        for step in steps:
            step.stream.ids += step.ids
        return [answers[n] for n in range(len(steps))]

    @torch.inference_mode()
    def embed(self, ids: list[int]) -> Tensor:
        """[n, width]"""
        embedded: Tensor = self._embed(torch.tensor(ids, device=self.device))
        return embedded

    def _inputs(self, steps: list[Think], time: int) -> Tensor:
        """[B, time, width]; zeros behind the end of a shorter row."""
        ids = torch.zeros(len(steps), time, dtype=torch.long)
        for n, step in enumerate(steps):
            ids[n, : len(step.ids)] = torch.tensor(step.ids)
        x: Tensor = self._embed(ids.clamp(min=0).to(self.device))
        for n, step in enumerate(steps):
            if step.frames is not None:
                x[n, [k for k, token in enumerate(step.ids) if token <= FRAME]] = step.frames.to(x)
        return x


def _told(step: Think, logits: Tensor) -> Tensor:
    """[n, vocabulary] behind some of its positions -> the answer."""
    logits = logits.float().cpu()
    return logits if step.every else logits[0]


def _chosen(steps: list[Think], behind: Sequence[Tensor]) -> dict[int, int | Tensor]:
    """The tokens of those that choose, where the logits are: nothing but these leaves the device."""
    rows = {n: step for n, step in enumerate(steps) if isinstance(step, Decode)}
    if not rows:
        return {}
    samplers, masks = [step.sampler for step in rows.values()], [step.allowed for step in rows.values()]
    return dict(zip(rows, choose(torch.cat([behind[n] for n in rows]), samplers, masks), strict=True))


def _refuse(config: Any) -> None:
    """What attends to less than all that stands before, or turns positions by how many its neighbours have."""
    layers = set(getattr(config, "layer_types", None) or ["sliding_attention" if _windowed(config) else "full_attention"])
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if layers != {"full_attention"} or rope in ("dynamic", "longrope"):
        kinds = ", ".join(sorted(layers))
        raise Unsupported(f"A {config.model_type} model with {kinds} and {rope} positions cannot be run in slots.")


def _windowed(config: Any) -> bool:
    return getattr(config, "sliding_window", None) is not None and getattr(config, "use_sliding_window", True)
