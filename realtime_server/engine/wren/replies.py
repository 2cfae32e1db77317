"""The sequences: hearing a turn, thinking a reply, speaking it. Each is a generator that yields steps and is sent answers.

Yielding None means: nothing to do before something else happens.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realtime_server.engine.nets.vocoder import RATE_HZ, Tempo, Vocoder
from realtime_server.engine.nets.wren import LETTERS_AHEAD, letter_indices, letter_windows
from realtime_server.engine.sampling import Noise
from realtime_server.engine.wren.calls import CallWriter
from realtime_server.engine.wren.hearing import FRAME_SAMPLES, HeardTurn
from realtime_server.engine.wren.respelling import WordList, respelled
from realtime_server.engine.wren.runner import Runner
from realtime_server.engine.wren.script import CALL, END, MARKS, NOT_UNDERSTOOD, REPLY, USER, Script
from realtime_server.engine.wren.steps import FRAME, Heard, Speak, Spoken, Stream, Think
from realtime_server.engine.wren.voices import Voice
from realtime_server.engine.wren.words import plain
from realtime_server.messages import (
    AUDIO_RATE_HZ,
    AudioDelta,
    Output,
    Respond,
    ResponseFinished,
    TextDelta,
    TranscriptDelta,
    TranscriptDone,
    TurnEnd,
)

assert RATE_HZ == AUDIO_RATE_HZ
Steps = Generator[Think | Speak | None, Any, None]
LONGEST_REPLY = 160
"""Text tokens: several times the longest reply that it was trained on."""
LONGEST_WAIT = 20
"""Frames (1.6 s) that the pointer may stand on one letter before it is moved on."""
AUDIO_TOKENS_PER_FRAME = 1.6


def hear(turn: HeardTurn, runner: Runner, script: Script, known: WordList, outputs: list[Output]) -> Steps:
    """Takes the turn's audio in as it comes; once it is committed, writes what was said. `known`: words to look up."""
    missing = turn.context_ids[len(turn.stream.ids) :]
    if missing:
        yield Think(turn.stream, missing)
    while True:
        committed = turn.committed
        mel = turn.take()
        if mel is not None:
            frames = runner.hear(mel)
            heard: Heard = yield Think(turn.stream, [FRAME] * len(frames), frames)
            turn.heard_frames += len(frames)
            turn.letters.append(heard.letters)
            if not committed:
                outputs.append(TurnEnd(turn.item_id, turn.heard_frames * FRAME_SAMPLES, heard.ended))
        elif not committed:
            yield None
        if committed:
            break
    before = len(turn.stream.ids)
    logits = yield Think(turn.stream, [USER])
    words, logprobs = list[int](), list[float]()
    limit = 6 + turn.stream.ids.count(FRAME)
    while len(words) < limit:
        token, logprob = best_text(logits, REPLY)
        if token == REPLY:
            break
        words.append(token)
        logprobs.append(logprob)
        logits = yield Think(turn.stream, [token])
    pieces = [script.pieces[token] for token in words]
    sounded = turn.sounded()
    if sounded is not None:
        parts = whole_words(pieces, logprobs)
        # Behind its own name, which is not what people say to it.
        said = dropwhile(lambda token: token >= len(MARKS), turn.stream.ids[1:before])
        context = plain(script.decode(token for token in said if token != FRAME)).split()
        looked_up = respelled(sounded, parts, known, context)
        if looked_up != [word for word, _ in parts]:
            pieces, logprobs = [f" {word}" for word in looked_up], [logprob for _, logprob in parts]
            words = script.encode(" ".join(looked_up))
            # What it wrote first is overwritten: the reply follows what was looked up.
            del turn.stream.ids[before:]
            yield Think(turn.stream, [USER, *words])
    for n, (piece, logprob) in enumerate(zip(pieces, logprobs, strict=True)):
        outputs.append(TranscriptDelta(turn.item_id, piece if n else piece.lstrip(), logprob))
    transcript = "".join(pieces).strip()
    turn.written(transcript, logprobs)
    outputs.append(TranscriptDone(turn.item_id, transcript, len(words)))


def whole_words(pieces: list[str], logprobs: list[float]) -> list[tuple[str, float]]:
    """The words that pieces make, each with its log-probability."""
    words: list[tuple[str, float]] = []
    for piece, logprob in zip(pieces, logprobs, strict=True):
        if piece.startswith(" ") or not words:
            words.append((piece.strip(), logprob))
        else:
            words[-1] = (words[-1][0] + piece, words[-1][1] + logprob)
    return words


def best_text(logits: Tensor, *marks: int) -> tuple[int, float]:
    """The likeliest token among the text and these marks, with its log-probability."""
    scores = logits.clone()
    closed = [n for n in range(len(MARKS)) if n not in marks]
    scores[closed] = float("-inf")
    token = int(scores.argmax())
    return token, float(scores.log_softmax(-1)[token])


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
    request: Respond, stream: Stream, script: Script, reply: Reply, start_speaking: Any, doubted: bool, turn: HeardTurn | None
) -> Steps:
    """Writes the reply behind a context that is already in the stream; calls `start_speaking` with its first words.

    `doubted`: what was said is not understood, so the reply says so, unless a call is demanded. `turn`: what is replied to,
    where it was heard.
    """

    def take(ids: list[int]) -> Think:
        return Think(stream, ids)

    tools = request.context.tools if request.tool_choice != "none" else ()
    named = request.tool_choice.removeprefix("function:") if request.tool_choice.startswith("function:") else None
    forced = bool(tools) and (request.tool_choice == "required" or named is not None)
    logits = yield take([REPLY])
    refusal = iter([*script.encode(NOT_UNDERSTOOD), END] if doubted else [])
    if forced or (not doubted and tools and best_text(logits, END, CALL)[0] == CALL):
        writer = CallWriter(script, tools, request.response_id, reply.outputs, take, turn.evidence if turn else None)
        yield from writer.write(named)
        reply.tokens += writer.tokens
    else:
        while True:
            token = next(refusal, None) or best_text(logits, END)[0]
            if token == END or reply.tokens >= LONGEST_REPLY or reply.over_limit:
                break
            piece = script.pieces[token] if reply.text else script.pieces[token].lstrip()
            reply.tokens += 1
            reply.text += piece
            reply.outputs.append(TextDelta(request.response_id, piece))
            if request.audio and reply.tokens == 1:
                start_speaking()
            logits = yield take([token])
        reply.ran_out = token != END
        # The reply's end belongs to the stream, so that the next turn finds the same prefix.
        yield take([END])
    reply.written = True
    while request.audio and reply.text and not reply.spoken:
        yield None
    reason: Any = "max_output_tokens" if reply.ran_out else "completed"
    reply.outputs.append(ResponseFinished(request.response_id, reason))


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
