"""Finds how much doubt a transcript may raise before its turn is refused, and writes it into the model's config.

    python -m realtime_server.training.wren.calibrate models/wren --work WORK

What was made up rather than heard is far from the letters that were heard, and was not sure to be written (`Recording.doubt`).
Left-out questions, in rooms and at microphones, that are answered right say how doubtful a good transcript may be.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np

from realtime_server.training.manifest import write_manifest
from realtime_server.training.wren import augment, domain
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.dataset import Heard, load_heard
from realtime_server.training.wren.evaluate import NUMBER
from realtime_server.training.wren.measures.answers import context_of, load, right
from realtime_server.training.wren.synthesis import HELD_OUT_EVERY

ONE_IN = 50
"""Of the questions that would be answered right, spoilt as they are, so many are refused."""


def most_doubt(doubts: list[float]) -> float | None:
    """A limit that all but one in ONE_IN keep to; None where there is nothing to learn it from."""
    return round(float(np.quantile(doubts, 1 - 1 / ONE_IN)), 1) if doubts else None


def doubts_where_right(asker: Asker, users: list[Heard]) -> list[float]:
    rng, doubts = random.Random("calibrate"), []
    for n, user in enumerate(users):
        dialogue = domain.in_context(user.dialogue, rng)
        answer = asker.ask(augment.spoilt(user.mel.astype(np.float32), np.random.default_rng(n))[0], context_of(dialogue))
        if dialogue.language == "en" and right(answer, dialogue):
            doubts.append(answer.doubt)
    return doubts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--number", type=int, default=600)
    options = parser.parse_args()
    model = load(options.model)
    model.policy = model.policy.without(["rejection"])
    # Others than those that the evaluation asks, as far as there are.
    left_out = load_heard(options.work / "users")[::HELD_OUT_EVERY]
    doubts = doubts_where_right(Asker(model), (left_out[NUMBER:] or left_out)[: options.number])
    path = options.model / "config.json"
    config = json.loads(path.read_text())
    limit = most_doubt(doubts)
    config.setdefault("policy", {})["rejection"] = None if limit is None else {"most_doubt": limit}
    path.write_text(json.dumps(config, indent=2) + "\n")
    write_manifest(options.model)
    print(f"{len(doubts)} answered right; refused above a doubt of {limit}")


if __name__ == "__main__":
    main()
