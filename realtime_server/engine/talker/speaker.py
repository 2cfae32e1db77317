"""The device's side of speaking: the steps of many utterances in one forward."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from realtime_server.engine.nets import vocoder
from realtime_server.engine.nets.codec import STACK, Codec
from realtime_server.engine.nets.decoder import FRAMES_BEFORE, Decoder
from realtime_server.engine.nets.talker import Talker
from realtime_server.engine.runtime.cache import Rows, Slots
from realtime_server.engine.talker.steps import Speak, Spoken, Timbre

SPEECH_TEMPERATURE = 0.1
ADVANCE_TEMPERATURE = 0.15
BOOKS_REMEMBERED = 2
"""Codebooks of the frame before that the next one is told: the finer ones are chance in what is learned from, but always the
likeliest in what is said, and what comes of that grows from frame to frame. Training has rows that see as little."""


class Speaker:
    """A talker, the codec that its tokens belong to, and the decoder of its timbres, if it has one."""

    def __init__(self, net: Talker, codec: Codec, decoder: Decoder | None, device: torch.device) -> None:
        self.net, self.codec, self.device = net.to(device).eval(), codec.to(device).eval(), device
        self.decoder = decoder and decoder.to(device).eval()
        columns_first(net)
        if decoder is not None:
            columns_first(decoder)
        self.cache = net.talker.new_cache(device)
        self.slots = Slots(self.cache)

    def timbre(self, shares: Mapping[str, float]) -> Timbre:
        """What a voice is mixed of, by the decoder's rows."""
        return tuple((self.decoder.timbres.index(name), share) for name, share in shares.items()) if self.decoder else ()

    @torch.inference_mode()
    def speak(self, steps: list[Speak]) -> list[Spoken]:
        before = torch.full((len(steps), self.net.config.codebooks), self.net.config.codes, device=self.device)
        for n, step in enumerate(steps):
            if len(step.before):
                before[n, :BOOKS_REMEMBERED] = torch.from_numpy(step.before[-1, :BOOKS_REMEMBERED])
        window = torch.stack([s.window for s in steps]).to(self.device)
        speakers = torch.tensor([s.speaker for s in steps], device=self.device)
        rows = Rows(self.cache, [(s.slot, s.position) for s in steps])
        x = self.net.speech_input(before[:, None], window[:, None], speakers)
        return self._sample(steps, self.net.speak(x, rows)[:, 0])

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


def columns_first(part: nn.Module) -> None:
    """Lays its matrices column after column, since a CPU then takes a tenth less time for one position."""
    for module in part.modules():
        if isinstance(module, nn.Linear):
            module.weight.data = module.weight.data.t().contiguous().t()
