"""How fast: one session on one core, and eight together."""

import time
from collections import defaultdict
from typing import Any

import numpy as np
import torch

from realtime_server import messages as m
from realtime_server.engine.talker.voices import NAMES
from realtime_server.training.wren import augment
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dataset import Heard
from realtime_server.training.wren.dialogue import Say
from realtime_server.training.wren.measures.answers import context_of

QUESTIONS = 100


def speed(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """One core: processing time over audio time of whole turns, heard frame by frame as they are said; wait for the first sound
    behind the last frame, which ends the silence that server VAD waits for."""
    torch.set_num_threads(1)
    waits, spent, audio = [], 0.0, 0.0
    for user in [u for u in users if isinstance(u.dialogue.reply, Say)][:QUESTIONS]:
        mel = augment.in_quiet(user.mel)
        began = time.process_time()
        wait, sound_s = asker.in_real_time(mel, context_of(user.dialogue))
        spent += time.process_time() - began
        audio += len(mel) / 100 + sound_s
        if wait is not None:
            waits.append(1000 * wait)
    p50, p95 = np.percentile(np.array(waits), (50, 95))
    return {
        "real_time_factor": round(spent / audio, 3),
        "first_audio_p50_ms": round(float(p50), 1),
        "first_audio_p95_ms": round(float(p95), 1),
    }


def eight_sessions(asker: Asker, users: list[Heard]) -> dict[str, Any]:
    """Eight spoken answers in one batch: wall-clock time over the time that one's sound takes to play."""
    model, asked = asker.model, [u for u in users if isinstance(u.dialogue.reply, Say) and len(u.dialogue.reply.text) > 25][:8]
    for n, user in enumerate(asked):
        context = context_of(user.dialogue)
        said = m.Message(f"eight{n}", "user", (m.Text(str(user.dialogue.user)),))
        full = m.Context(context.instructions, context.tools, (*context.items, said))
        model.run(f"eight{n}", m.Respond(f"eight{n}", full, True, NAMES[n], "auto", None))
    began = time.perf_counter()
    sound: dict[str, int] = defaultdict(int)
    waits: dict[str, list[float]] = defaultdict(list)
    while (step := model.step()) is not None:
        for session, output in step:
            if isinstance(output, m.AudioDelta):
                # How far the sound is ahead of a client that plays it from its first piece on.
                waits[session].append(time.perf_counter() - began - sound[session] / 24_000)
                sound[session] += len(output.samples)
    spent = time.perf_counter() - began
    for n in range(len(asked)):
        model.end(f"eight{n}")
    late = max(max(w) - w[0] for w in waits.values())
    return {
        "real_time_factor": round(spent * len(asked) / (sum(sound.values()) / 24_000), 3), "latest_piece_behind_playing_ms":
        round(max(0.0, late) * 1000, 1),
    }  # fmt: skip
