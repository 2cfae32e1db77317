"""Recordings of real people that training does not have: orders, and digits."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime_server import messages as m
from realtime_server.audio.mel import LogMel
from realtime_server.audio.resample import Resampler
from realtime_server.engine.families.wren.words import DIGITS, plain
from realtime_server.training.wren import augment, people
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.measures.answers import COFFEE, load, share


def coffee_orders(asker: Asker, folder: Path, fold: int | None = None) -> dict[str, Any]:
    """Recordings left out of training, and with a fold their speakers too: every slot right."""
    results, wrong = [], []
    for mel, slots in people.recordings(folder, held_out=True, fold=fold):
        answer = asker.ask(augment.in_quiet(mel, 20, 30), m.Context("", (COFFEE,), ()))
        results.append(answer.call == COFFEE.name and answer.arguments == slots)
        if not results[-1]:
            wrong.append({"wanted": slots, "heard": answer.heard})
    return {"exact": share(results), "recordings": len(results), "wrong": wrong[:10]}


def coffee_folds(models: Path, folder: Path, before: dict[str, Any]) -> dict[str, Any]:
    """Every recording, asked of the one of five models (`recipe.sh --folds`) that never heard its speaker: cross-validation.
    A model that is not there was asked `before`, or will be later. All five begin with one base, and make one figure."""
    folds: dict[str, dict[str, Any]] = dict(before.get("folds", {}))
    for fold in range(people.FOLDS):
        if (models / str(fold)).is_dir():
            folds[str(fold)] = coffee_orders(Asker(load(models / str(fold))), folder, fold)
    if len(folds) < people.FOLDS:
        return {"folds": folds}
    recordings = sum(fold["recordings"] for fold in folds.values())
    right = sum(fold["exact"] * fold["recordings"] for fold in folds.values())
    return {"exact": round(right / recordings, 3), "recordings": recordings, "folds": folds}


def spoken_digits(asker: Asker, folder: Path) -> dict[str, Any]:
    """Real people, never trained on: one digit each, read back right; also where the session's keywords are the ten digits."""
    results, with_keywords = list[bool](), list[bool]()
    by_speaker = defaultdict(list)
    for path in sorted(folder.glob("*_[0-4].flac")):
        audio, rate = soundfile.read(path, dtype="float32")
        audio = Resampler(rate, 16_000).push((audio * 0.3 / np.abs(audio).max()).astype(np.float32), last=True)
        mel, digit = augment.in_quiet(LogMel().push(audio), 25, 35), DIGITS[int(path.name[0])]
        for keywords, right_ in (((), results), (tuple(DIGITS), with_keywords)):
            right_.append(plain(asker.ask(mel, m.Context("", (), (), keywords=keywords)).text) == digit)
        by_speaker[path.name.split("_")[1]].append(results[-1])
    return {
        "exact": share(results), "recordings": len(results), "exact_by_speaker": {k: share(v) for k, v in by_speaker.items()},
        "exact_with_keywords": share(with_keywords),
    }  # fmt: skip
