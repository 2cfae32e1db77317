"""The sequence of a user's turn: its audio is taken in as it comes, and what was said is written.

What counts ends where the turn seemed to be over behind its last letter; a longer silence changes nothing. So most turns are
written in the pause before they are complete, and once they are, it stands. Where a turn may be over it is drafted, with the
beginning of the reply; a live one is drafted while it is still being said (`drafting`).
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
import torch

from realtime_server.audio.mel import FloatArray
from realtime_server.engine.families.wren.drafting import back_to, begun, draft, tell, written
from realtime_server.engine.families.wren.hearing import FRAME_SAMPLES, MAY_HAVE_ENDED
from realtime_server.engine.families.wren.letters import doubt
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.policy.reconsidering import reconsidered
from realtime_server.engine.families.wren.policy.rescoring import Rescorer
from realtime_server.engine.families.wren.policy.rules import Transcribing
from realtime_server.engine.families.wren.recordings import Recording
from realtime_server.engine.families.wren.script import USER, Script
from realtime_server.engine.families.wren.steps import Encode, Heard, Try
from realtime_server.engine.families.wren.turns import HeardTurn, Wording, Written
from realtime_server.engine.runtime.steps import Think, prefill
from realtime_server.messages import AUDIO_RATE_HZ, Output, TranscriptDone, TurnEnd

DRAFTED_EVERY = 4
"""Heard frames (320 ms) between two drafts of a live turn."""
LONGEST_TURN_S = 30
LONGEST_TURN = LONGEST_TURN_S * AUDIO_RATE_HZ // FRAME_SAMPLES
"""Frames. Wren learned to hear a sentence or two; what a turn costs grows faster than its length."""
Steps = Generator[Encode | Think | Try | None, Any, None]


class TurnTooLong(Exception):
    """More was said at once than the model can take in."""


def hear(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing, outputs: list[Output]) -> Steps:
    """Takes the turn's audio in as it comes; once it is committed, tells what was said. `known`: words to look up; `rules`:
    what is made of a transcript that is not sure."""
    yield from prefill(turn.stream, turn.context_ids[len(turn.stream.ids) :])
    while True:
        before = turn.sound.score
        mel = turn.intake.take(before)
        complete = turn.intake.complete
        if mel is not None:
            yield from listen(turn, mel)
            if not complete:
                outputs.append(TurnEnd(turn.item_id, turn.sound.number * FRAME_SAMPLES, turn.sound.score))
        if complete:
            break
        # More was said meanwhile: where it pauses here, it did not end.
        if turn.intake.ready:
            continue
        if turn.live and turn.sound.number >= turn.draft.frames + DRAFTED_EVERY:
            turn.draft.frames = turn.sound.number
            yield from draft(turn, script, outputs)
        elif not turn.live and turn.sound.over is not None and before_pause(turn) is None:
            yield from prepare(turn, script, known, rules)
        elif not turn.live and before <= MAY_HAVE_ENDED < turn.sound.score:
            yield from draft(turn, script, outputs)
        elif mel is None:
            yield None
    yield from conclude(turn, script, known, rules, outputs)


def listen(turn: HeardTurn, mel: FloatArray) -> Steps:
    """Takes in a window of mel frames, behind those whose place a draft took; TurnTooLong where that is too much."""
    frames = yield Encode(mel)
    held = len(turn.stream.ids) - len(turn.context_ids)
    every = frames if held == turn.sound.number else torch.cat([*turn.sound.frames, frames])[held:]
    heard = yield Think(turn.stream, [turn.mark] * len(every), every)
    turn.sound.add(frames, Heard(heard.ended[-len(frames) :], heard.letters[-2 * len(frames) :]))
    if turn.sound.number > LONGEST_TURN:
        # It is told once it is complete.
        while not turn.intake.committed:
            turn.intake.waiting.clear()
            yield None
        raise TurnTooLong(f"A turn may last {LONGEST_TURN_S} s at most for this model; this one is longer.")


def prepare(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing) -> Steps:
    """Writes what was said, and how the reply would begin unless that was drafted, and takes it back."""
    guess = turn.draft.tokens
    said = yield from write(turn, script, known, rules)
    if said.tokens != guess:
        turn.draft.reply = yield from begun(turn)
    back_to(turn, said.frames)


def write(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing) -> Generator[Think | Try, Any, Written]:
    """Writes what was said up to the turn's end, which the stream then ends with, and looks up what is doubtful."""
    end, sounded = turn.sound.end, turn.sound.read()
    before = back_to(turn, end)
    words, logprobs = yield from written(turn)
    turn.draft.tokens = words
    said = Wording([script.pieces[token] for token in words], logprobs, len(turn.draft.told))
    if sounded is not None and rules.rescoring is not None and sum(logprobs) < math.log(rules.rescoring.sure):
        rescorer = Rescorer(turn.stream, before, script, sounded, known, turn.keywords, rules)
        said = yield from reconsidered(turn, rescorer, script, rules, said)
        words = script.encode("".join(said.pieces).strip())
        if turn.stream.ids[before:] != [USER, *words]:
            # What it wrote first is overwritten: the reply follows what was looked up.
            del turn.stream.ids[before:]
            yield Think(turn.stream, [USER, *words])
    turn.draft.written = Written(end, words, said)
    return turn.draft.written


def before_pause(turn: HeardTurn) -> Written | None:
    """What was said, if it was written before and nothing was said since."""
    said = turn.draft.written
    return said if said is not None and said.frames == turn.sound.end else None


def conclude(turn: HeardTurn, script: Script, known: WordList, rules: Transcribing, outputs: list[Output]) -> Steps:
    said = before_pause(turn)
    if said is not None:
        back_to(turn, said.frames)
        turn.unread = [USER, *said.tokens]
    else:
        said = yield from write(turn, script, known, rules)
    pieces, logprobs = said.wording.pieces, said.wording.logprobs
    tell(turn, pieces, logprobs, said.wording.told, outputs)
    transcript, sounded = "".join(pieces).strip(), turn.sound.read()
    doubts = max(0.0, doubt(sounded, transcript)) * -float(np.mean(logprobs)) if sounded is not None and logprobs else 0.0
    frames = torch.cat(turn.sound.frames)[: said.frames] if turn.sound.frames else torch.zeros(0)
    turn.heard = Recording(turn.key, turn.mark, frames, said.tokens, transcript, sounded, doubts)
    outputs.append(TranscriptDone(turn.item_id, transcript, len(said.tokens)))
