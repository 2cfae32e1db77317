"""The sequences of an answer: thinking it, speaking it. Each is a generator that yields steps and is sent answers.

Yielding None means: nothing to do before something else happens.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime_server.engine.nets.vocoder import RATE_HZ, Tempo, Vocoder
from realtime_server.engine.nets.wren import LETTERS_AHEAD, letter_indices, letter_windows
from realtime_server.engine.sampling import Noise
from realtime_server.engine.wren.calls import CallWriter
from realtime_server.engine.wren.facts import Facts
from realtime_server.engine.wren.hearing import HeardTurn
from realtime_server.engine.wren.runner import Runner
from realtime_server.engine.wren.script import CALL, END, NOT_KNOWN, NOT_UNDERSTOOD, REPLY, Script
from realtime_server.engine.wren.steps import Speak, Spoken, Stream, Think
from realtime_server.engine.wren.transcribing import best_text
from realtime_server.engine.wren.voices import Voice
from realtime_server.messages import (
    AUDIO_RATE_HZ,
    AudioDelta,
    Output,
    Respond,
    ResponseFinished,
    TextDelta,
)

assert RATE_HZ == AUDIO_RATE_HZ
Steps = Generator[Think | Speak | None, Any, None]
LONGEST_REPLY = 160
"""Text tokens: several times the longest reply that it was trained on."""
LONGEST_WAIT = 20
"""Frames (1.6 s) that the pointer may stand on one letter before it is moved on."""
AUDIO_TOKENS_PER_FRAME = 1.6
HESITATION = -6.0
"""The log-probability of "Sorry ..." as a reply from which on the model was not sure to know what it states."""


@dataclass
class Reply:
    """What thinking and speaking share: the text so far, and how far each has come."""

    text: str = ""
    written: bool = False
    spoken: bool = False
    frames: int = 0
    tokens: int = 0
    limit: int | None = None
    ran_out: bool = False
    outputs: list[Output] = field(default_factory=list)

    @property
    def over_limit(self) -> bool:
        return self.limit is not None and self.tokens + self.frames * AUDIO_TOKENS_PER_FRAME >= self.limit


def think(
    request: Respond, stream: Stream, script: Script, reply: Reply, start_speaking: Any, doubted: bool, turn: HeardTurn | None,
    facts: Facts | None,
) -> Steps:  # fmt: skip
    """Writes the reply behind a context that is already in the stream; calls `start_speaking` with its first words.

    `doubted`: what was said is not understood, so the reply says so, unless a call is demanded. `turn`: what is replied to,
    where it was heard. `facts`: what it may state; None where it does not reply to a user.
    """

    def take(ids: list[int]) -> Think:
        return Think(stream, ids)

    tools = request.context.tools if request.tool_choice != "none" else ()
    named = request.tool_choice.removeprefix("function:") if request.tool_choice.startswith("function:") else None
    forced = bool(tools) and (request.tool_choice == "required" or named is not None)
    logits = yield take([REPLY])
    if forced or (not doubted and tools and best_text(logits, END, CALL)[0] == CALL):
        writer = CallWriter(script, tools, request.response_id, reply.outputs, take, turn.evidence if turn else None)
        yield from writer.write(named)
        reply.tokens += writer.tokens
    else:
        given = script.encode(NOT_UNDERSTOOD) if doubted else None
        yield from write(request, stream, script, reply, start_speaking, None if doubted else facts, logits, given)
    reply.written = True
    while request.audio and reply.text and not reply.spoken:
        yield None
    reason: Any = "max_output_tokens" if reply.ran_out else "completed"
    reply.outputs.append(ResponseFinished(request.response_id, reason))


def write(
    request: Respond, stream: Stream, script: Script, reply: Reply, start_speaking: Any, facts: Facts | None, logits: Tensor,
    given: list[int] | None,
) -> Steps:  # fmt: skip
    """A reply in words: those `given`, else the model's, held back as long as `facts` may have others instead."""
    first, text, held = len(stream.ids), "", list[str]()
    sure = float(logits.log_softmax(-1)[script.encode(NOT_KNOWN)[0]]) < HESITATION
    coming = iter([] if given is None else [*given, END])
    while True:
        token = next(coming, None)
        token = best_text(logits, END)[0] if token is None else token
        if token == END or reply.tokens >= LONGEST_REPLY or reply.over_limit:
            break
        held.append(script.pieces[token] if text else script.pieces[token].lstrip())
        text += held[-1]
        reply.tokens += 1
        if facts is not None and not facts.undecided(text):
            other, facts = facts.instead(text, sure), None
            if other is not None:
                reply.tokens -= len(held)
                text, held, coming = "", [], iter([*script.encode(other), END])
                del stream.ids[first:]
                continue
        if facts is None:
            tell(request, reply, held, start_speaking)
        logits = yield Think(stream, [token])
    tell(request, reply, held, start_speaking)
    reply.ran_out = token != END
    # The reply's end belongs to the stream, so that the next turn finds the same prefix.
    yield Think(stream, [END])


def tell(request: Respond, reply: Reply, held: list[str], start_speaking: Any) -> None:
    """Gives out what was held back, and begins to speak with the first of it."""
    starts = bool(held) and not reply.text
    for piece in held:
        reply.text += piece
        reply.outputs.append(TextDelta(request.response_id, piece))
    held.clear()
    if request.audio and starts:
        start_speaking()


def speak(request: Respond, slot: int, voice: Voice, runner: Runner, reply: Reply, seed: int) -> Steps:
    """Follows the text with a pointer, frame by frame; waits where the text is not yet far enough ahead."""
    config = runner.net.config
    noise, vocoder, tempo = Noise(seed), Vocoder(voice.shape, seed), Tempo(request.speed)
    before: np.ndarray = np.full(config.codebooks, config.codes, np.int64)
    pointer = stood = 0
    while True:
        if not reply.written and len(reply.text) < pointer + LETTERS_AHEAD + 1:
            yield None
            continue
        if pointer >= len(reply.text):
            break
        if reply.over_limit:
            reply.ran_out = True
            break
        window = letter_windows(letter_indices(reply.text), torch.tensor([pointer]))[0]
        spoken: Spoken = yield Speak(
            slot, reply.frames, before, window, voice.speaker, noise.draw(config.codebooks, config.codes),
            noise.draw(config.furthest_advance + 1),
        )  # fmt: skip
        before = spoken.codes
        stood = stood + 1 if spoken.advance == 0 else 0
        pointer += spoken.advance if stood < LONGEST_WAIT else 1
        reply.frames += 1
        samples = vocoder.decode(tempo.push(runner.vocoder_frames(spoken.codes[None])))
        reply.outputs.append(AudioDelta(request.response_id, samples, min(pointer, len(reply.text))))
    reply.spoken = True
