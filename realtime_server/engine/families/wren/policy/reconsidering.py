"""A transcript that was not sure, by the rules in turn: searched anew, its doubtful words looked up, the n-best weighed."""

import math
from itertools import pairwise

from realtime_server.engine.families.wren.policy.beam_search import BeamSearch, Searching
from realtime_server.engine.families.wren.policy.lexicon_correction import LexiconCorrection
from realtime_server.engine.families.wren.policy.rescoring import Rescorer
from realtime_server.engine.families.wren.policy.rules import Transcribing
from realtime_server.engine.families.wren.script import Script, whole_words
from realtime_server.engine.families.wren.turns import HeardTurn, Wording

FEW_WORDS = 2
"""Of so few, others than the likeliest are considered by what they mean."""


def reconsidered(turn: HeardTurn, rescorer: Rescorer, script: Script, rules: Transcribing, said: Wording) -> Searching[Wording]:
    if rules.beam_search is not None:
        said = yield from _searched(turn, rescorer, script, rules.beam_search, said, rules.n_best is not None)
    written = said.words
    if rules.lexicon_correction is not None:
        said = yield from _looked_up(rescorer, rules.lexicon_correction, said)
    # Whoever has a live turn told wants what was said, not what was meant.
    if rules.n_best is not None and not turn.live and sum(nats for _, nats in written) < math.log(rules.n_best.sure):
        ids = script.encode("".join(said.pieces).strip())
        meant = yield from rescorer.understood(ids)
        if meant != ids:
            mean = sum(said.logprobs) / len(meant)
            return Wording([script.pieces[token] for token in meant], [mean] * len(meant), said.told)
    return said


def _searched(
    turn: HeardTurn, rescorer: Rescorer, script: Script, rule: BeamSearch, said: Wording, few_are_weighed: bool
) -> Searching[Wording]:
    doubtful = first_doubtful(said.pieces, said.logprobs, said.told, rule.sure_of_every)
    if doubtful == len(said.pieces):
        return said
    sure = list(zip(turn.draft.tokens[:doubtful], said.logprobs, strict=False))
    best = (yield from rescorer.likeliest(sure))[0]
    found = Wording([script.pieces[token] for token in best.tokens], best.logprobs, said.told)
    # Of few words others are considered by what they mean.
    few = max(len(said.words), len(found.words)) <= FEW_WORDS
    return said if few and few_are_weighed else found


def _looked_up(rescorer: Rescorer, rule: LexiconCorrection, said: Wording) -> Searching[Wording]:
    told, written = len(whole_words(said.pieces[: said.told], said.logprobs[: said.told])), said.words
    # What was told stays.
    doubts = [(word, 0.0 if n < told else nats) for n, (word, nats) in enumerate(written)]
    words = yield from rule.corrected(rescorer.letters, doubts, rescorer.known, rescorer.context, rescorer.likelihoods)
    if [word for word, _ in words] == [word for word, _ in written]:
        return said
    return Wording([f" {word}" for word, _ in words], [nats for _, nats in words], told)


def first_doubtful(pieces: list[str], logprobs: list[float], told: int, sure: float) -> int:
    """Where the first word begins that is less probable than `sure`, behind the first `told` pieces; or their number."""
    begins = [n for n, piece in enumerate(pieces) if n >= told and (piece.startswith(" ") or n == 0)]
    for begin, end in pairwise([*begins, len(pieces)]):
        if sum(logprobs[begin:end]) < math.log(sure):
            return begin
    return len(pieces)
