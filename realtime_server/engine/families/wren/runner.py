"""Batch -> forward -> sample: runs the steps of many sequences together on one device."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from realtime_server.engine.families.wren.steps import Encode, Heard, Speak, Spoken, Timbre, Try
from realtime_server.engine.nets import vocoder
from realtime_server.engine.nets.codec import STACK, Codec
from realtime_server.engine.nets.decoder import FRAMES_BEFORE, Decoder
from realtime_server.engine.nets.wren import Wren
from realtime_server.engine.runtime import isolation
from realtime_server.engine.runtime.cache import Branches, Rows
from realtime_server.engine.runtime.isolation import Forward
from realtime_server.engine.runtime.steps import FRAME, Broken, Think

Step = Encode | Think | Try | Speak
SPEECH_TEMPERATURE = 0.1
ADVANCE_TEMPERATURE = 0.15
BOOKS_REMEMBERED = 2
"""Codebooks of the frame before that the next one is told: the finer ones are chance in what is learned from, but always the
likeliest in what is said, and what comes of that grows from frame to frame. Training has rows that see as little."""
Answer = Tensor | Heard | Spoken | list[Tensor]


class Runner:
    """Speaking steps share a forward, thinking ones of one position another, longer ones (contexts, bursts of audio) a third; a
    `Try` has its own."""

    def __init__(self, net: Wren, codec: Codec, decoder: Decoder | None, device: torch.device) -> None:
        self.net, self.codec, self.device = net.to(device).eval(), codec.to(device).eval(), device
        self.decoder = decoder and decoder.to(device).eval()
        for module in (*net.modules(), *(decoder.modules() if decoder else ())):
            if isinstance(module, nn.Linear):
                # Column after column, since a CPU then takes a tenth less time for one position.
                module.weight.data = module.weight.data.t().contiguous().t()
        self.cache = net.trunk.new_cache(device)
        self.talker_cache = net.talker.new_cache(device)

    @torch.inference_mode()
    def run(self, steps: list[Step]) -> list[Answer | Broken]:
        """The answers, in the order of the steps. DeviceLost where none can be had from this device any more."""
        return isolation.run(self._groups(dict(enumerate(steps))), self.device)

    def _groups(self, steps: dict[int, Step]) -> Iterator[tuple[Forward, dict[int, Step]]]:
        for n, step in steps.items():
            if isinstance(step, Try):
                yield self._tried, {n: step}
        yield self._encoded, {n: s for n, s in steps.items() if isinstance(s, Encode)}
        yield self._spoken, {n: s for n, s in steps.items() if isinstance(s, Speak)}
        thinking = {n: s for n, s in steps.items() if isinstance(s, Think)}
        for short in (True, False):
            yield self._thought, {n: s for n, s in thinking.items() if (len(s.ids) == 1) is short}

    def timbre(self, shares: Mapping[str, float]) -> Timbre:
        """What a voice is mixed of, by the decoder's rows."""
        return tuple((self.decoder.timbres.index(name), share) for name, share in shares.items()) if self.decoder else ()

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
                assert all(i == FRAME for i in step.ids)
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

    def _spoken(self, steps: list[Speak]) -> list[Spoken]:
        before = torch.full((len(steps), self.net.config.codebooks), self.net.config.codes, device=self.device)
        for n, step in enumerate(steps):
            if len(step.before):
                before[n, :BOOKS_REMEMBERED] = torch.from_numpy(step.before[-1, :BOOKS_REMEMBERED])
        window = torch.stack([s.window for s in steps]).to(self.device)
        speakers = torch.tensor([s.speaker for s in steps], device=self.device)
        rows = Rows(self.talker_cache, [(s.slot, s.position) for s in steps])
        x = self.net.speech_input(before[:, None], window[:, None], speakers)
        return self._sample(steps, self.net.speak(x, rows)[:, 0])

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

    def _sample(self, steps: list[Speak], spoken: Tensor) -> list[Spoken]:
        """spoken [B, width]: one codebook after the other, each seeing the ones before."""
        noise = torch.from_numpy(np.stack([s.noise for s in steps])).to(self.device)
        books = self.net.config.codebooks
        codes = torch.zeros(len(steps), books, dtype=torch.long, device=self.device)
        for book in range(books):
            logits = self.net.mouth.logits(spoken, codes, book)
            codes[:, book] = (logits / SPEECH_TEMPERATURE + noise[:, book]).argmax(-1)
        advance_noise = torch.from_numpy(np.stack([s.advance_noise for s in steps])).to(self.device)
        advances = (self.net.advance(spoken) / ADVANCE_TEMPERATURE + advance_noise).argmax(-1).tolist()
        told = zip(codes.cpu().numpy(), advances, self._sounds(steps, codes), strict=True)
        return [Spoken(row, advance, frames) for row, advance, frames in told]

    def _sounds(self, steps: list[Speak], codes: Tensor) -> np.ndarray:
        """codes [B, books] -> [B, STACK, FRAME_SIZE]."""
        parameters = self.codec.decode(codes).view(len(steps), STACK, -1).cpu().numpy()
        parts = [(n, row, share) for n, step in enumerate(steps) for row, share in step.timbre]
        if self.decoder is None or not parts:
            return vocoder.whole(parameters)
        frames = np.empty((len(steps), STACK, vocoder.FRAME_SIZE), np.float32)
        frames[..., vocoder.BINS :] = parameters[..., vocoder.ENVELOPE_MELS :]
        plain = [n for n, step in enumerate(steps) if not step.timbre]
        frames[plain] = vocoder.whole(parameters[plain])
        points = torch.zeros(len(steps), FRAMES_BEFORE + 1, self.codec.basis.shape[0], device=self.device)
        points[:, -1] = self.codec.points(codes)
        for n, step in enumerate(steps):
            if len(step.before):
                points[n, -1 - len(step.before) : -1] = self.codec.points(torch.from_numpy(step.before).to(self.device))
        at, rows, shares = (torch.tensor(column, device=self.device) for column in zip(*parts, strict=True))
        power, noise = self.decoder(points[at], rows)
        mixed = torch.zeros(len(steps), STACK, vocoder.BINS + vocoder.BANDS, device=self.device)
        mixed.index_add_(0, at, torch.cat([power, noise], -1) * shares[:, None, None])
        some = [n for n, step in enumerate(steps) if step.timbre]
        sound = mixed[some].cpu().numpy()
        frames[some, :, : vocoder.BINS] = sound[..., : vocoder.BINS]
        frames[some, :, -vocoder.BANDS :] = sound[..., vocoder.BINS :]
        return frames
