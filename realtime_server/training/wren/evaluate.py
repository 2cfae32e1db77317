"""Everything that the card quotes, measured with the shipped model and written into its `eval.json`.

    python -m realtime_server.training.wren.evaluate models/wren --work WORK [--people FOLDER] [--digits FOLDER]
    python -m realtime_server.training.wren.evaluate models/wren --without RULE … [--without …] [--people FOLDER …]

Synthetic questions are the ones that training left out (their sentences occur in training, their recordings do not), and
others spoken anew by a voice, in languages, with words and for functions that training has not. Without WORK the former are
left out.

With hand-written rules off (`--without`) the figures are kept apart, under `ablation`: what is shipped has all of them.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from realtime_server.engine.families.wren.policy.rules import RULES
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
from realtime_server.training.wren.measures.written import written_questions
from realtime_server.training.wren.synthesis import HELD_OUT_EVERY

NUMBER = 400
"""Questions asked of each kind."""
WRITTEN, ABLATED = 240, 50
"""Written questions; and of each kind of strangers', words and functions, where rules are off."""
Part = Callable[[], dict[str, Any]]
COUNTS = ("recordings", "answers", "words", "functions", "questions")


def synthetic(asker: Asker, work: Path, number: int, judge: Path) -> dict[str, Part]:
    """Of the corpus that the model was trained on, what training left out."""
    rng = random.Random("evaluate")
    users = [u for n, u in enumerate(load_heard(work / "users")) if n % HELD_OUT_EVERY == 0][:number]
    users = [Heard(u.mel, domain.in_context(u.dialogue, rng), u.speaker) for u in users]
    return {
        "questions": lambda: questions.questions(asker, users, augment.clean),
        "questions_spoilt": lambda: questions.questions(asker, users, augment.spoilt),
        "live_transcripts": lambda: questions.live_transcripts(asker, users[:200]),
        "end_of_turn": lambda: questions.end_of_turn(asker, users[:200]),
        "speed": lambda: speed.speed(asker, users),
        "eight_sessions": lambda: speed.eight_sessions(asker, users),
        "speaking": lambda: speaking(asker, Judge(judge), min(200, number), "speaking"),
        "speaking_unseen": lambda: speaking(asker, Judge(judge), min(200, number), "unseen", unseen=True),
    }


def strangers_parts(asker: Asker, number: int) -> dict[str, Part]:
    """What training never had."""
    return {
        "left_out_voice": lambda: strangers.left_out_voice(asker, number // 2),
        "left_out_voice_in_a_room": lambda: strangers.left_out_voice(asker, number // 2, room),
        "left_out_voice_by_telephone": lambda: strangers.left_out_voice(asker, number // 2, telephone),
        "unseen_words": lambda: strangers.unseen_words(asker, number // 2),
        "unseen_tools": lambda: strangers.unseen_tools(asker, number // 2),
        "no_speech": lambda: strangers.refusals(asker, 100),
        "other_languages": lambda: strangers.other_languages(asker, 240),
    }


def ablation_parts(asker: Asker) -> dict[str, Part]:
    """The quick ones of these."""
    return {
        "unseen_words": lambda: strangers.unseen_words(asker, ABLATED),
        "unseen_tools": lambda: strangers.unseen_tools(asker, ABLATED),
        "no_speech": lambda: strangers.refusals(asker, ABLATED),
        "other_languages": lambda: strangers.other_languages(asker, 2 * ABLATED),
        "left_out_voice": lambda: strangers.left_out_voice(asker, 2 * ABLATED),
    }


def figures_of(details: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{group}.{name}": {"value": value}
        for group, values in details.items() for name, value in values.items()
        if isinstance(value, int | float) and name not in COUNTS
    }  # fmt: skip


def measured(parts: dict[str, Part]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for name, part in parts.items():
        details[name] = part()
        print(name, {k: v for k, v in details[name].items() if isinstance(v, int | float)}, flush=True)
    return details


def chosen(options: argparse.Namespace, asker: Asker, before: dict[str, Any]) -> dict[str, Part]:
    """All parts that can be measured with what is at hand, or those of them that are asked for."""
    parts: dict[str, Part] = {"written": lambda: written_questions(asker, WRITTEN)}
    if options.people:
        parts["coffee_people"] = lambda: real_people.coffee_orders(asker, options.people)
    if options.digits:
        parts["digits_people"] = lambda: real_people.spoken_digits(asker, options.digits)
    if options.without is not None:
        parts |= ablation_parts(asker)
    else:
        parts |= strangers_parts(asker, options.number)
        parts |= synthetic(asker, options.work, options.number, options.judge) if options.work else {}
        if options.folds:
            folds = before.get("coffee_folds", {})
            parts["coffee_folds"] = lambda: real_people.coffee_folds(options.folds, options.people, folds)
    return {name: parts[name] for name in options.only} if options.only else parts


def ablated(options: argparse.Namespace, asker: Asker) -> dict[str, Any]:
    """A row of the ablation: the figures, and the seconds of one core that each part took."""
    torch.set_num_threads(1)
    details: dict[str, Any] = {}
    for name, part in chosen(options, asker, {}).items():
        began = time.process_time()
        details |= measured({name: part})
        details[name]["cpu_s"] = round(time.process_time() - began, 1)
    return {name: figure["value"] for name, figure in figures_of(details).items()}


def rows_of(without: list[list[str]]) -> dict[str, list[str]]:
    """The rows of the ablation that are asked for: their names, and the rules that are off in each."""
    rows: dict[str, list[str]] = {}
    for names in without:
        if "each" in names:
            rows |= {"none": [], **{rule: [rule] for rule in RULES}, "all": list(RULES)}
        elif "all" in names:
            rows["all"] = list(RULES)
        else:
            rows[" ".join(sorted(names)) or "none"] = names
    return rows


@common_words()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, help="the corpus that it was trained on")
    parser.add_argument("--people", type=Path)
    parser.add_argument("--folds", type=Path, help="models of `recipe.sh --folds`, as many as there are; needs --people")
    parser.add_argument("--digits", type=Path)
    parser.add_argument("--judge", type=Path, default=Path(__file__).with_name("judge-words.txt"))
    parser.add_argument("--number", type=int, default=NUMBER)
    parser.add_argument("--only", nargs="+", help="measure these parts anew and keep the others' figures")
    parser.add_argument(
        "--without", nargs="*", action="append", choices=[*RULES, "all", "each"], metavar="RULE",
        help="measure with these rules off, all of them, none, or each in turn, into the ablation; again for another row: "
        + ", ".join(RULES),
    )  # fmt: skip
    options = parser.parse_args()
    if options.folds and not options.people:
        parser.error("--folds needs --people, whom the models are asked about")
    model, path = load(options.model), options.model / "eval.json"
    stored: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"measures": {}, "details": {}}
    if options.without is not None:
        policy, rows = model.policy, stored.setdefault("ablation", {})
        for row, names in rows_of(options.without).items():
            model.policy = policy.without(names)
            rows[row] = (rows.get(row, {}) if options.only else {}) | ablated(options, Asker(model))
    else:
        before = stored["details"] if options.only or not options.work else {}
        stored["details"] = before | measured(chosen(options, Asker(model), before))
        stored["measures"] = figures_of(stored["details"])
    path.write_text(json.dumps(stored, indent=2) + "\n")
    write_card(options.model, stored)


if __name__ == "__main__":
    main()
