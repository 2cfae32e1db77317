"""The sequences of an answer: thinking it, speaking it. Each is a generator that yields steps and is sent answers.

Yielding None means: nothing to do before something else happens.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from realtime_server.audio.formats import as_pcm
from realtime_server.engine.families.wren.calls import CallWriter
from realtime_server.engine.families.wren.choosing import Noise
from realtime_server.engine.families.wren.facts import Facts
from realtime_server.engine.families.wren.hearing import HeardTurn
from realtime_server.engine.families.wren.respelling import ANY_WORD_BEHIND
from realtime_server.engine.families.wren.runner import Runner
from realtime_server.engine.families.wren.said import Said, spoken_name
from realtime_server.engine.families.wren.script import CALL, END, NOT_UNDERSTOOD, REPLY, Script
from realtime_server.engine.families.wren.steps import Speak, Spoken
from realtime_server.engine.families.wren.transcribing import best_text
from realtime_server.engine.families.wren.voices import Voice
from realtime_server.engine.families.wren.words import DIGITS
from realtime_server.engine.families.wren.writing import Reply, TextWriter
from realtime_server.engine.nets.decoder import FRAMES_BEFORE
from realtime_server.engine.nets.vocoder import RATE_HZ, Tempo, Vocoder
from realtime_server.engine.nets.wren import LETTERS_AHEAD, letter_indices, letter_windows
from realtime_server.engine.runtime.speculation import Drafted
from realtime_server.engine.runtime.steps import Think
from realtime_server.messages import (
    AUDIO_RATE_HZ,
    GREEDY,
    AudioDelta,
    NamedFunction,
    Output,
    Respond,
    ResponseFinished,
)

assert RATE_HZ == AUDIO_RATE_HZ
Steps = Generator[Think | Speak | None, Any, None]
LONGEST_WAIT = 20
"""Frames (1.6 s) that the pointer may stand on one letter before it is moved on."""


@dataclass(frozen=True)
class Grounds:
    """What a reply goes by, besides its stream.

    `doubted`: what was said is not understood, so the reply says so, unless a call is demanded, the model would call a function
    that was said by its name, or it only says back what was heard (`is_said_back`). `turn`: what is replied to, where it was
    heard. `facts`: what it may state, `said`: what a call may be made of; None where it does not reply to a user.
    """

    doubted: bool = False
    turn: HeardTurn | None = None
    facts: Facts | None = None
    said: Said | None = None


def is_said_back(said: str) -> bool:
    """Is this, in plain words, answered with what was said? Then the user hears how it was understood, and nothing is done."""
    words = said.split()
    return not ANY_WORD_BEHIND.isdisjoint(words) or (bool(words) and set(words) <= set(DIGITS))


def think(
    request: Respond, line: Drafted, script: Script, reply: Reply, start_speaking: Callable[[], None], grounds: Grounds
) -> Steps:
    """Writes the reply on `line`, behind a context that is already there; calls `start_speaking` with its first words."""
    tools = request.context.tools if request.tool_choice != "none" else ()
    named = request.tool_choice.name if isinstance(request.tool_choice, NamedFunction) else None
    forced = bool(tools) and (request.tool_choice == "required" or named is not None)
    logits = yield from line.take(REPLY)
    wants_call = bool(tools) and best_text(logits, END, CALL)[0] == CALL
    asked = grounds.facts.said if grounds.facts is not None else ""
    by_name = None if forced else spoken_name(asked, tools)
    # What calls a function by its name was understood, whatever words stand behind it.
    doubted = grounds.doubted and not (wants_call and by_name is not None)
    if by_name is not None:
        named, wants_call = by_name, True
    calls = forced or (wants_call and not doubted)
    refused = doubted and (wants_call or not is_said_back(asked))
    if calls:
        first, outputs = line.end, list[Output]()
        evidence = grounds.turn.evidence if grounds.turn else None
        said = None if forced else grounds.said
        sampling = request.sampling or GREEDY
        writer = CallWriter(script, tools, request.response_id, outputs, line, evidence, said, reply.limit, sampling)
        yield from writer.write(named)
        if writer.invented:
            line.back_to(first)
            calls, refused = False, True
        else:
            reply.outputs += outputs
            reply.tokens += writer.tokens
            reply.ran_out = writer.ran_out
    if not calls:
        words = TextWriter(request, line, script, reply, start_speaking)
        yield from words.give(NOT_UNDERSTOOD) if refused else words.write(logits, grounds.facts)
    reply.written = True
    while request.audio and reply.text and not reply.spoken:
        yield None
    reason: Any = "max_output_tokens" if reply.ran_out else "completed"
    reply.outputs.append(ResponseFinished(request.response_id, reason))


def speak(request: Respond, slot: int, voice: Voice, runner: Runner, reply: Reply, seed: int) -> Steps:
    """Follows the text with a pointer, frame by frame; waits where the text is not yet far enough ahead."""
    config = runner.net.config
    noise, vocoder, tempo = Noise(seed), Vocoder(voice.shape, seed), Tempo(request.speed)
    timbre = runner.timbre(voice.timbre)
    before = np.zeros((0, config.codebooks), np.int64)
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
            slot, reply.frames, before, window, voice.speaker, timbre, noise.draw(config.codebooks, config.codes),
            noise.draw(config.furthest_advance + 1),
        )  # fmt: skip
        before = np.concatenate([before, spoken.codes[None]])[-FRAMES_BEFORE:]
        stood = stood + 1 if spoken.advance == 0 else 0
        pointer += spoken.advance if stood < LONGEST_WAIT else 1
        reply.frames += 1
        samples = as_pcm(vocoder.decode(tempo.push(spoken.frames)))
        reply.outputs.append(AudioDelta(request.response_id, samples, min(pointer, len(reply.text))))
    reply.spoken = True
