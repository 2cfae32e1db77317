"""Questions: answered, transcribed as they are said, taken as ended."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from realtime_server import messages as m
from realtime_server.audio.mel import FloatArray
from realtime_server.training.word_errors import word_errors
from realtime_server.training.wren import augment
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dataset import Heard
from realtime_server.training.wren.measures.answers import answered, context_of, fits, kind_of, right, share

OPEN_INTENTS = ("repeat", "spell", "nonsense", "foreign", "made_up", "contact", "fact", "unknown_fact")
"""Those whose words can be any: all others are closed."""
Change = Callable[[FloatArray, augment.Random], tuple[FloatArray, int]]


def questions(asker: Asker, users: list[Heard], change: Change) -> dict[str, Any]:
    """Exact answers by intent and by voice, transcript word errors; and what happens with the audio exchanged."""
    by_intent, by_speaker, intents = defaultdict(list), defaultdict(list), []
    errors = words = exchanged = valid = calls = 0
    for n, user in enumerate(users):
        mel, _ = change(user.mel.astype(np.float32), np.random.default_rng(n))
        context = context_of(user.dialogue)
        answer = asker.ask(mel, context)
        by_intent[user.dialogue.intent].append(right(answer, user.dialogue))
        by_speaker[user.speaker].append(right(answer, user.dialogue))
        intents.append(kind_of(answered(answer)) == kind_of(user.dialogue.reply))
        errors += word_errors(user.dialogue.transcript, answer.heard)
        words += len(user.dialogue.transcript.split())
        calls += answer.call is not None
        valid += answer.call is not None and fits(answer, context)
        other = users[(n + 1) % len(users)].dialogue
        if other.reply != user.dialogue.reply:
            exchanged += right(answer, other)
    closed = [r for intent, results in by_intent.items() if intent not in OPEN_INTENTS for r in results]
    return {
        "exact": share([r for rs in by_intent.values() for r in rs]), "intent": share(intents), "closed_exact": share(closed),
        "transcript_word_errors": round(errors / words, 3),
        "exchanged_exact": round(exchanged / len(users), 3), "arguments_valid": round(valid / max(calls, 1), 3),
        "exact_by_intent": {k: share(v) for k, v in sorted(by_intent.items())},
        "exact_by_voice": {k: share(v) for k, v in sorted(by_speaker.items())},
    }  # fmt: skip


def live_transcripts(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """Transcribed as they are said, 240 ms at a time, against at once; how many of the words stood before the turn ended."""
    errors = at_once = words = early = 0
    for n, user in enumerate(u for u in users if u.dialogue.transcript):
        mel, _ = augment.clean(user.mel.astype(np.float32), np.random.default_rng(n))
        said, whole = user.dialogue.transcript, asker.ask(mel, m.Context("", (), ())).heard
        told, live = asker.transcribe(mel, 3)
        errors += word_errors(said, live)
        at_once += word_errors(said, whole)
        words += len(said.split())
        early += len(told.split())
    return {
        "word_errors": round(errors / words, 3), "word_errors_at_once": round(at_once / words, 3),
        "told_early": round(early / words, 3),
    }  # fmt: skip


@torch.inference_mode()
def end_of_turn(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """The score a third of a second after speech has ended: whole questions, and the same broken off in the middle."""
    net, script = asker.model.runner.net, asker.model.script
    whole: list[float] = []
    broken: list[float] = []
    prefix = net.text(torch.tensor([script.system("Wren")]))
    for n, user in enumerate(u for u in users if u.dialogue.transcript):
        for mel, scores in ((user.mel, whole), (user.mel[: len(user.mel) // 2], broken)):
            silent = np.pad(mel.astype(np.float32), ((20, 32), (0, 0)), constant_values=augment.FLOOR)
            padded = augment.add(silent, augment.noise_like(silent, -13.0, np.random.default_rng(n)))
            heard = net.ear(torch.from_numpy(augment.windows(padded))[None])
            trunk, _ = net.think(torch.cat([prefix, heard], dim=1))
            scores.append(float(net.ended_logits(trunk[0, -1]).sigmoid()))
    return {
        "whole_taken_as_ended": share([s > 0.5 for s in whole]), "broken_off_taken_as_ended": share([s > 0.5 for s in broken])
    }  # fmt: skip
