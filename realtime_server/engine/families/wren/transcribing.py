"""The sequence of a user's turn: its audio is taken in as it comes, and what was said is written.

What counts ends where the turn seemed to be over behind its last letter; a longer silence changes nothing. So most turns are
written in the pause before they are complete, and once they are, it stands. Where a turn may be over it is drafted, with the
beginning of the reply. A live turn is drafted while it is still being said, and the words that two drafts have in common are
told at once ("local agreement", Liu et al. 2020). What was told stays. Each writing begins with the draft before it: one step
tells how much of it still holds (speculative decoding, Leviathan et al. 2023), so that what is written is the same, sooner.
"""

import math
from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor

from realtime_server.engine.families.wren.hearing import FRAME_SAMPLES, MAY_HAVE_ENDED, HeardTurn, Written
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.policy.reconsidering import Wording, reconsidered
from realtime_server.engine.families.wren.policy.rescoring import Rescorer
from realtime_server.engine.families.wren.policy.rules import Transcribing
from realtime_server.engine.families.wren.script import ARGUMENT, CALL, END, MARKS, REPLY, USER, VALUE, Script
from realtime_server.engine.families.wren.steps import Encode, Heard, Try
from realtime_server.engine.runtime.steps import Think, prefill
from realtime_server.messages import AUDIO_RATE_HZ, Output, TranscriptDelta, TranscriptDone, TurnEnd

DRAFTED_EVERY = 4
"""Heard frames (320 ms) between two drafts of a live turn."""
DRAFTED_REPLY = 12
"""Tokens of a reply: with those of a sentence's first words the voice can begin."""
LONGEST_TURN_S = 30
LONGEST_TURN = LONGEST_TURN_S * AUDIO_RATE_HZ // FRAME_SAMPLES
"""Frames. Wren learned to hear a sentence or two; what a turn costs grows faster than its length."""
Steps = Generator[Encode | Think | Try | None, Any, None]
Writing = Generator[Think, Any, tuple[list[int], list[float]]]


class TurnTooLong(Exception):
    """More was said at once than the model can take in."""


def hear(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing, outputs: list[Output]) -> Steps:
    """Takes the turn's audio in as it comes; once it is committed, tells what was said. `known`: words to look up; `rules`:
    what is made of a transcript that is not sure."""
    yield from prefill(turn.stream, turn.context_ids[len(turn.stream.ids) :])
    drafted, pausing = 0, False
    while True:
        mel = turn.take()
        committed = turn.committed and not turn.waiting
        if mel is not None:
            frames = yield Encode(mel)
            yield from listen(turn, frames)
            if turn.sound.number > LONGEST_TURN:
                yield from refuse(turn)
            pauses, pausing = not pausing, turn.sound.score > MAY_HAVE_ENDED
            if not committed:
                outputs.append(TurnEnd(turn.item_id, turn.sound.number * FRAME_SAMPLES, turn.sound.score))
        if committed:
            break
        # More was said meanwhile: where it pauses here, it did not end.
        if turn.behind:
            continue
        if turn.live and turn.sound.number >= drafted + DRAFTED_EVERY:
            drafted = turn.sound.number
            yield from draft(turn, script, outputs)
        elif not turn.live and turn.sound.over is not None and before_pause(turn) is None:
            yield from prepare(turn, script, known, rules)
        elif not turn.live and mel is not None and pauses and pausing:
            yield from draft(turn, script, outputs)
        elif mel is None:
            yield None
    said = before_pause(turn)
    if said is not None:
        back_to(turn, said.frames)
        turn.unread = [USER, *said.tokens]
    else:
        said = yield from write(turn, script, known, rules)
    tell(turn, said.pieces, said.logprobs, said.told, outputs)
    transcript = "".join(said.pieces).strip()
    turn.understood(transcript, said.logprobs)
    outputs.append(TranscriptDone(turn.item_id, transcript, len(said.tokens)))


def refuse(turn: HeardTurn) -> Generator[None, None, None]:
    """Hears no more of a turn that is too long, and says so once it is complete."""
    while not turn.committed:
        turn.waiting.clear()
        yield None
    raise TurnTooLong(f"A turn may last {LONGEST_TURN_S} s at most for this model; this one is longer.")


def prepare(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing) -> Steps:
    """Writes what was said, and how the reply would begin unless that was drafted, and takes it back."""
    guess = turn.draft
    said = yield from write(turn, script, known, rules)
    if said.tokens != guess:
        turn.reply = yield from begun(turn)
    back_to(turn, said.frames)


def listen(turn: HeardTurn, frames: Tensor) -> Generator[Think, Heard, None]:
    """Takes in frames [n, width], behind those whose place a draft took."""
    held = len(turn.stream.ids) - len(turn.context_ids)
    every = frames if held == turn.sound.number else torch.cat([*turn.sound.frames, frames])[held:]
    heard = yield Think(turn.stream, [turn.mark] * len(every), every)
    turn.sound.add(frames, Heard(heard.ended[-len(frames) :], heard.letters[-2 * len(frames) :]))


def write(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing) -> Generator[Think | Try, Any, Written]:
    """Writes what was said up to the turn's end, which the stream then ends with, and looks up what is doubtful."""
    end, sounded = turn.sound.end, turn.sound.read()
    before = back_to(turn, end)
    words, logprobs = yield from written(turn)
    turn.draft = words
    pieces, told = [script.pieces[token] for token in words], len(turn.told)
    if sounded is not None and rules.rescoring is not None and sum(logprobs) < math.log(rules.rescoring.sure):
        rescorer = Rescorer(turn.stream, before, script, sounded, known, turn.keywords, rules)
        said = yield from reconsidered(turn, rescorer, script, rules, Wording(pieces, logprobs, told))
        pieces, logprobs, told = said.pieces, said.logprobs, said.told
        words = script.encode("".join(pieces).strip())
        if turn.stream.ids[before:] != [USER, *words]:
            # What it wrote first is overwritten: the reply follows what was looked up.
            del turn.stream.ids[before:]
            yield Think(turn.stream, [USER, *words])
    turn.written = Written(end, words, pieces, logprobs, told)
    return turn.written


def before_pause(turn: HeardTurn) -> Written | None:
    """What was said, if it was written before and nothing was said since."""
    return turn.written if turn.written is not None and turn.written.frames == turn.sound.end else None


def back_to(turn: HeardTurn, frames: int) -> int:
    """Leaves this many of its frames in the stream, and nothing behind them; the position behind them."""
    position = len(turn.context_ids) + frames
    del turn.stream.ids[position:]
    return position


def draft(turn: HeardTurn, script: Script, outputs: list[Output]) -> Steps:
    """Writes what was said so far and takes it back; of a live turn, but for the words that the draft before had too."""
    words, logprobs = yield from written(turn, draft=True)
    if not turn.live:
        turn.reply = yield from begun(turn)
    back_to(turn, turn.sound.number)
    last, turn.draft = turn.draft, words
    # One that the end of the turn broke off may lack what was said.
    if turn.committed or not turn.live:
        return
    told = agreed(script, last, words)
    if told > len(turn.told):
        words, logprobs = words[:told], logprobs[:told]
        tell(turn, [script.pieces[token] for token in words], logprobs, len(turn.told), outputs)
        turn.told = list(zip(words, logprobs, strict=True))


def begun(turn: HeardTurn) -> Generator[Think, Tensor, list[int]]:
    """How the model would begin to reply to what the stream ends with."""
    reply, token = list[int](), REPLY
    while len(reply) < DRAFTED_REPLY and token != END and not turn.committed:
        logits = yield Think(turn.stream, [token])
        token = best_text(logits, CALL, ARGUMENT, VALUE, END)[0]
        reply.append(token)
    return reply


def written(turn: HeardTurn, draft: bool = False) -> Writing:
    """The likeliest tokens behind those that were told, all with their log-probabilities."""
    words, logprobs = [token for token, _ in turn.told], [logprob for _, logprob in turn.told]
    guess = turn.draft if turn.draft[: len(words)] == words else words
    before = len(turn.stream.ids)
    behind = yield Think(turn.stream, [USER, *guess], every=True)
    for guessed, logits in zip(guess[len(words) :], behind[len(words) :], strict=False):
        token, logprob = best_text(logits, REPLY)
        if token != guessed:
            break
        words.append(token)
        logprobs.append(logprob)
    # What was guessed and is not said is overwritten.
    del turn.stream.ids[before + 1 + len(words) :]
    logits = behind[len(words)]
    while len(words) < 6 + turn.sound.end and not (draft and turn.committed):
        token, logprob = best_text(logits, REPLY)
        if token == REPLY:
            break
        words.append(token)
        logprobs.append(logprob)
        logits = yield Think(turn.stream, [token])
    return words, logprobs


def agreed(script: Script, before: list[int], now: list[int]) -> int:
    """How many tokens two drafts begin with in common, up to the last word that another follows in both."""
    common = next((n for n, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    begins = [n for n in range(1, common) if script.pieces[now[n]].startswith(" ")]
    return begins[-1] if begins else 0


def tell(turn: HeardTurn, pieces: list[str], logprobs: list[float], told: int, outputs: list[Output]) -> None:
    """The pieces behind the first `told`, which the client has already."""
    for n, (piece, logprob) in enumerate(zip(pieces, logprobs, strict=True)):
        if n >= told:
            outputs.append(TranscriptDelta(turn.item_id, piece if n else piece.lstrip(), logprob))


def best_text(logits: Tensor, *marks: int) -> tuple[int, float]:
    """The likeliest token among the text and these marks, with its log-probability."""
    scores = logits.clone()
    closed = [n for n in range(len(MARKS)) if n not in marks]
    scores[closed] = float("-inf")
    token = int(scores.argmax())
    return token, float(scores.log_softmax(-1)[token])
