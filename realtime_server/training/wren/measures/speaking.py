"""What is spoken, as an independent recogniser understands it."""

import random
from collections import defaultdict
from typing import Any

from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.talker.voices import NAMES
from realtime_server.training.word_errors import word_errors
from realtime_server.training.wren import domain
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dataset import never_spoken
from realtime_server.training.wren.dialogue import Say
from realtime_server.training.wren.judge import Judge
from realtime_server.training.wren.measures.answers import context_of


def speaking(asker: Asker, judge: Judge, number: int, seed: str, unseen: bool = False) -> dict[str, Any]:
    """Replies whose words are all in the judge's list, over the ten voices: word errors of the judge; cut or stuck ones.

    `unseen`: sentences that training left out; most others were spoken in it.
    """

    def asked_for(text: str) -> bool:
        return set(plain(text).split()) <= judge.words and (never_spoken(text) or not unseen)

    rng, by_voice, stuck = random.Random(seed), defaultdict(list), 0
    seen: set[tuple[object, str]] = set()
    while len(seen) < number:
        dialogue = domain.sample_text(rng) if unseen else domain.sample(rng)
        # The letters of spelling are no words of the judge's, and one that sounds like them would be counted as wrong.
        if not isinstance(dialogue.reply, Say) or not asked_for(dialogue.reply.text):
            continue
        voice = NAMES[len(seen) % len(NAMES)]
        if (dialogue.user, voice) in seen or dialogue.language != "en":
            continue
        seen.add((dialogue.user, voice))
        answer = asker.write(str(dialogue.user), context_of(dialogue), voice)
        wanted = plain(answer.text)
        if not wanted or not asked_for(answer.text):
            by_voice[voice].append((0, 0))
            continue
        seconds, letters = len(answer.sound) / 24_000, len(answer.text)
        stuck += answer.characters < letters or seconds > 2.0 + 0.25 * letters
        by_voice[voice].append((word_errors(wanted, judge.hear(answer.sound, 24_000)), len(wanted.split())))
    every = [pair for pairs in by_voice.values() for pair in pairs]
    return {
        "word_errors": round(sum(e for e, _ in every) / sum(w for _, w in every), 3), "stuck_or_cut": stuck, "answers": number,
        "word_errors_by_voice": {v: round(sum(e for e, _ in p) / max(1, sum(w for _, w in p)), 3) for v, p in by_voice.items()},
    }  # fmt: skip
