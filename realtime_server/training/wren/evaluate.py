"""Everything that the card quotes, measured with the shipped model and written into its `eval.json`.

    python -m realtime_server.training.wren.evaluate models/wren --work WORK [--people FOLDER] [--digits FOLDER]

Synthetic questions are the ones that training left out (their sentences occur in training, their recordings do not), and
others spoken anew by a voice, in languages, with words and for functions that training has not.
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime_server.training.wren import augment, domain
from realtime_server.training.wren.asker import Asker
from realtime_server.training.wren.card import write_card
from realtime_server.training.wren.channels import room, telephone
from realtime_server.training.wren.dataset import Heard, load_heard
from realtime_server.training.wren.judge import Judge
from realtime_server.training.wren.lexicon import common_words
from realtime_server.training.wren.measures import questions, real_people, speed, strangers
from realtime_server.training.wren.measures.answers import load
from realtime_server.training.wren.measures.speaking import speaking
from realtime_server.training.wren.synthesis import HELD_OUT_EVERY

NUMBER = 400
"""Questions asked of each kind."""


@common_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--folds", type=Path, help="models of `recipe.sh --folds`, as many as there are; needs --people")
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--judge", type=Path, default=Path(__file__).with_name("judge-words.txt"))
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--only", nargs="+", help="measure these parts anew and keep the others' figures")
    options = parser.parse_args()
    if options.folds and not options.people:
        parser.error("--folds needs --people, whom the models are asked about")
    asker, rng = Asker(load(options.model)), random.Random("evaluate")
    users = [u for n, u in enumerate(load_heard(options.work / "users")) if n % HELD_OUT_EVERY == 0][: options.number]
    users = [Heard(u.mel, domain.in_context(u.dialogue, rng), u.speaker) for u in users]
    details: dict[str, Any] = {}
    if options.only:
        details = json.loads((options.model / "eval.json").read_text())["details"]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "questions": lambda: questions.questions(asker, users, augment.clean),
        "questions_spoilt": lambda: questions.questions(asker, users, augment.spoilt),
        "left_out_voice": lambda: strangers.left_out_voice(asker, options.number // 2),
        "left_out_voice_in_a_room": lambda: strangers.left_out_voice(asker, options.number // 2, room),
        "left_out_voice_by_telephone": lambda: strangers.left_out_voice(asker, options.number // 2, telephone),
        "unseen_words": lambda: strangers.unseen_words(asker, options.number // 2),
        "unseen_tools": lambda: strangers.unseen_tools(asker, options.number // 2),
        "no_speech": lambda: strangers.refusals(asker, 100),
        "other_languages": lambda: strangers.other_languages(asker, 240),
        "live_transcripts": lambda: questions.live_transcripts(asker, users[:200]),
        "end_of_turn": lambda: questions.end_of_turn(asker, users[:200]),
        "speed": lambda: speed.speed(asker, users),
        "eight_sessions": lambda: speed.eight_sessions(asker, users),
        "speaking": lambda: speaking(asker, Judge(options.judge), min(200, options.number), "speaking"),
        "speaking_unseen": lambda: speaking(asker, Judge(options.judge), min(200, options.number), "unseen", unseen=True),
    }
    if options.people:
        parts["coffee_people"] = lambda: real_people.coffee_orders(asker, options.people)
        if options.folds:
            parts["coffee_folds"] = lambda: real_people.coffee_folds(
                options.folds, options.people, details.get("coffee_folds", {})
            )
    if options.digits:
        parts["digits_people"] = lambda: real_people.spoken_digits(asker, options.digits)
    if options.only:
        parts = {name: parts[name] for name in options.only}
    for name, part in parts.items():
        details[name] = part()
        print(name, {k: v for k, v in details[name].items() if isinstance(v, int | float)}, flush=True)
    measures = {
        f"{group}.{name}": {"value": value}
        for group, values in details.items() for name, value in values.items()
        if isinstance(value, int | float) and name not in ("recordings", "answers", "words", "functions")
    }  # fmt: skip
    result = {"measures": measures, "details": details}
    (options.model / "eval.json").write_text(json.dumps(result, indent=2) + "\n")
    write_card(options.model, measures)


if __name__ == "__main__":
    main()
