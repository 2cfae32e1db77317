"""The sequence that speaks: it follows the text with a pointer, frame by frame."""

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from realtime_server.audio.formats import as_pcm
from realtime_server.engine.nets.decoder import FRAMES_BEFORE
from realtime_server.engine.nets.talker import LETTERS_AHEAD, letter_indices, letter_windows
from realtime_server.engine.nets.vocoder import RATE_HZ, Tempo, Vocoder
from realtime_server.engine.talker.reply import Reply
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.steps import Speak, Spoken
from realtime_server.engine.talker.voices import Voice
from realtime_server.messages import AUDIO_RATE_HZ, AudioDelta, Respond

assert RATE_HZ == AUDIO_RATE_HZ
LONGEST_WAIT = 20
"""Frames (1.6 s) that the pointer may stand on one letter before it is moved on."""


class Noise:
    """Gumbel noise of one sequence: argmax(logits / temperature + noise) samples the softmax, in any batch, from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def draw(self, *shape: int) -> NDArray[np.float32]:
        return self._random.gumbel(size=shape).astype(np.float32)


def speak(
    request: Respond[Any], slot: int, voice: Voice, speaker: Speaker, reply: Reply, seed: int
) -> Generator[Speak | None, Spoken, None]:
    """Waits, and yields None, where the text is not yet far enough ahead. The vocoder runs in the sequence's own body: a frame
    takes it 0.2 ms, and as a batched step it took longer."""
    config = speaker.net.config
    noise, vocoder, tempo = Noise(seed), Vocoder(voice.shape, seed), Tempo(request.speed)
    timbre = speaker.timbre(voice.timbre)
    before = np.zeros((0, config.codebooks), np.int64)
    pointer = stood = 0
    while True:
        if not reply.settled and len(reply.letters) < pointer + LETTERS_AHEAD + 1:
            yield None
            continue
        if pointer >= len(reply.letters):
            break
        if reply.over_limit:
            reply.ran_out = True
            break
        window = letter_windows(letter_indices(reply.letters), torch.tensor([pointer]))[0]
        spoken = yield Speak(
            slot, reply.frames, before, window, voice.speaker, timbre, noise.draw(config.codebooks, config.codes),
            noise.draw(config.furthest_advance + 1),
        )  # fmt: skip
        before = np.concatenate([before, spoken.codes[None]])[-FRAMES_BEFORE:]
        stood = stood + 1 if spoken.advance == 0 else 0
        pointer += spoken.advance if stood < LONGEST_WAIT else 1
        reply.frames += 1
        samples = as_pcm(vocoder.decode(tempo.push(spoken.frames)))
        reply.outputs.append(AudioDelta(request.response_id, samples, reply.characters(pointer)))
    reply.spoken = True
