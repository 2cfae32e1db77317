"""Batch -> forward -> sample: runs the steps of many sequences together on one device."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from realtime_server.engine.families.wren.steps import Encode, Heard, Try
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.wren import Wren
from realtime_server.engine.runtime import isolation
from realtime_server.engine.runtime.cache import Branches, Rows
from realtime_server.engine.runtime.isolation import Forward
from realtime_server.engine.runtime.steps import FRAME, Broken, Think
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.steps import Speak, Spoken

Step = Encode | Think | Try | Speak
Answer = Tensor | Heard | Spoken | list[Tensor]


class Runner:
    """Speaking steps share a forward, thinking ones of one position another, longer ones (contexts, bursts of audio) a third; a
    `Try` has its own."""

    def __init__(self, net: Wren, codec: Codec, decoder: Decoder | None, device: torch.device) -> None:
        self.net, self.device = net.to(device).eval(), device
        self.speaker = Speaker(net, codec, decoder, device)
        self.cache = net.trunk.new_cache(device)

    @torch.inference_mode()
    def run(self, steps: list[Step]) -> list[Answer | Broken]:
        """The answers, in the order of the steps. DeviceLost where none can be had from this device any more."""
        return isolation.run(self._groups(dict(enumerate(steps))), self.device)

    def _groups(self, steps: dict[int, Step]) -> Iterator[tuple[Forward, dict[int, Step]]]:
        for n, step in steps.items():
            if isinstance(step, Try):
                yield self._tried, {n: step}
        yield self._encoded, {n: s for n, s in steps.items() if isinstance(s, Encode)}
        yield self.speaker.speak, {n: s for n, s in steps.items() if isinstance(s, Speak)}
        thinking = {n: s for n, s in steps.items() if isinstance(s, Think)}
        for short in (True, False):
            yield self._thought, {n: s for n, s in thinking.items() if (len(s.ids) == 1) is short}

    def _encoded(self, steps: list[Encode]) -> list[Tensor]:
        lengths: dict[int, list[int]] = {}
        for n, step in enumerate(steps):
            lengths.setdefault(len(step.mel), []).append(n)
        ears: dict[int, Tensor] = {}
        for group in lengths.values():
            mels = torch.from_numpy(np.stack([steps[n].mel for n in group])).to(self.device)
            ears |= dict(zip(group, self.net.ear(mels), strict=True))
        return [ears[n] for n in range(len(steps))]

    def _thought(self, steps: list[Think]) -> list[Answer]:
        lengths = [len(s.ids) for s in steps]
        x = torch.zeros(len(steps), max(lengths), self.net.config.width, device=self.device)
        for n, step in enumerate(steps):
            if step.frames is not None:
                x[n, : len(step.ids)] = step.frames
                assert all(i <= FRAME for i in step.ids)
            else:
                x[n, : len(step.ids)] = self.net.text(torch.tensor(step.ids, device=self.device))
        rows = Rows(self.cache, [(s.stream.slot, len(s.stream.ids)) for s in steps])
        trunk, _ = self.net.think(x, rows)
        behind: dict[int, Answer] = {}
        asked: dict[int, Tensor] = {}
        for n, step in enumerate(steps):
            if step.frames is None:
                asked[n] = trunk[n, 0 if step.every else lengths[n] - 1 : lengths[n]]
            else:
                letters = self.net.ctc_logits(trunk[n, None, : lengths[n]])[0].log_softmax(-1).cpu()
                behind[n] = Heard(self.net.ended_logits(trunk[n, : lengths[n]]).sigmoid().cpu(), letters)
        if asked:
            logits = self.net.text_logits(torch.cat(list(asked.values()))).cpu().split([len(part) for part in asked.values()])
            behind |= {n: part if steps[n].every else part[0] for n, part in zip(asked, logits, strict=True)}
        for step in steps:
            step.stream.ids += step.ids
        return [behind[n] for n in range(len(steps))]

    def _tried(self, steps: list[Try]) -> list[list[Tensor]]:
        return [self._branches(step) for step in steps]

    def _branches(self, step: Try) -> list[Tensor]:
        # What several ways begin with is run once: they are the paths of trees, one for each place that they stand behind, and
        # a node sees those above it.
        nodes: dict[tuple[int, int], int] = {}
        paths: list[list[int]] = []
        for at, way in step.ways:
            path = [~at]
            for token in way:
                path.append(nodes.setdefault((path[-1], token), len(nodes)))
            paths.append(path[1:])
        places, depths = torch.zeros(2, len(nodes), dtype=torch.long)
        sees = torch.eye(len(nodes), dtype=torch.bool)
        for (above, _), node in nodes.items():
            if above < 0:
                places[node] = ~above
            else:
                places[node], depths[node] = places[above], depths[above] + 1
                sees[node] |= sees[above]
        branches = Branches(places.to(self.device), depths.to(self.device), sees.to(self.device))
        rows = Rows(self.cache, [(step.stream.slot, len(step.stream.ids))], branches)
        trunk, _ = self.net.think(self.net.text(torch.tensor([[token for _, token in nodes]], device=self.device)), rows)
        logprobs = self.net.text_logits(trunk[0]).log_softmax(-1).cpu()
        return [logprobs[path] for path in paths]
