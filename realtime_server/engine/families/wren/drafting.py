"""Writing what a turn says token by token, each the likeliest, and drafts of that before the turn is complete.

A live turn is drafted while it is still being said, and the words that two drafts have in common are told at once ("local
agreement", Liu et al. 2020). What was told stays. Each writing begins with the draft before it: one step tells how much of it
still holds (speculative decoding, Leviathan et al. 2023), so that what is written is the same, sooner.
"""

from collections.abc import Generator
from typing import Any

from torch import Tensor

from realtime_server.engine.families.wren.choosing import best_text
from realtime_server.engine.families.wren.policy.beam_search import common
from realtime_server.engine.families.wren.script import ARGUMENT, CALL, END, REPLY, USER, VALUE, Script
from realtime_server.engine.families.wren.turns import HeardTurn
from realtime_server.engine.runtime.steps import Think
from realtime_server.messages import Output, TranscriptDelta

DRAFTED_REPLY = 12
"""Tokens of a reply: with those of a sentence's first words the voice can begin."""
Writing = Generator[Think, Any, tuple[list[int], list[float]]]


def draft(turn: HeardTurn, script: Script, outputs: list[Output]) -> Generator[Think, Any, None]:
    """Writes what was said so far and takes it back; of a live turn, but for the words that the draft before had too."""
    words, logprobs = yield from written(turn, draft=True)
    if not turn.live:
        turn.draft.reply = yield from begun(turn)
    back_to(turn, turn.sound.number)
    last, turn.draft.tokens = turn.draft.tokens, words
    # One that the end of the turn broke off may lack what was said.
    if turn.intake.committed or not turn.live:
        return
    told = agreed(script, last, words)
    if told > len(turn.draft.told):
        words, logprobs = words[:told], logprobs[:told]
        tell(turn, [script.pieces[token] for token in words], logprobs, len(turn.draft.told), outputs)
        turn.draft.told = list(zip(words, logprobs, strict=True))


def written(turn: HeardTurn, draft: bool = False) -> Writing:
    """The likeliest tokens behind those that were told, all with their log-probabilities."""
    words, logprobs = [token for token, _ in turn.draft.told], [logprob for _, logprob in turn.draft.told]
    guess = turn.draft.tokens if turn.draft.tokens[: len(words)] == words else words
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
    while len(words) < 6 + turn.sound.end and not (draft and turn.intake.committed):
        token, logprob = best_text(logits, REPLY)
        if token == REPLY:
            break
        words.append(token)
        logprobs.append(logprob)
        logits = yield Think(turn.stream, [token])
    return words, logprobs


def begun(turn: HeardTurn) -> Generator[Think, Tensor, list[int]]:
    """How the model would begin to reply to what the stream ends with."""
    reply, token = list[int](), REPLY
    while len(reply) < DRAFTED_REPLY and token != END and not turn.intake.committed:
        logits = yield Think(turn.stream, [token])
        token = best_text(logits, CALL, ARGUMENT, VALUE, END)[0]
        reply.append(token)
    return reply


def back_to(turn: HeardTurn, frames: int) -> int:
    """Leaves this many of its frames in the stream, and nothing behind them; the position behind them."""
    position = len(turn.context_ids) + frames
    del turn.stream.ids[position:]
    return position


def agreed(script: Script, before: list[int], now: list[int]) -> int:
    """How many tokens two drafts begin with in common, up to the last word that another follows in both."""
    begins = [n for n in range(1, common([before, now])) if script.pieces[now[n]].startswith(" ")]
    return begins[-1] if begins else 0


def tell(turn: HeardTurn, pieces: list[str], logprobs: list[float], told: int, outputs: list[Output]) -> None:
    """The pieces behind the first `told`, which the client has already."""
    for n, (piece, logprob) in enumerate(zip(pieces, logprobs, strict=True)):
        if n >= told:
            outputs.append(TranscriptDelta(turn.item_id, piece if n else piece.lstrip(), logprob))
