"""What the card quotes, measured at the product's own WebSocket and written into the model's `eval.json`.

    python -m realtime_server.training.starling.evaluate models/starling --recordings FOLDER [--coffee FOLDER] [--digits FOLDER]

The recordings are made by `voices.py`. The server is started for it, or is one that runs already (`--url`).
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from realtime_server.training.card import FIGURES
from realtime_server.training.starling.card import measures_of, write_card
from realtime_server.training.starling.measures import (
    coffee,
    digits,
    latency,
    long_conversation,
    no_speech,
    spoken_questions,
    spoken_tools,
)
from realtime_server.training.starling.measures.talking import Recordings
from realtime_server.training.starling.server import serving

PORT = 8764
Part = Callable[[str], dict[str, Any]]
"""The address of a server -> figures by name."""


def parts_of(recordings: Recordings, people: Path | None, digit_folder: Path | None, number: int | None) -> dict[str, Part]:
    parts: dict[str, Part] = {
        "spoken_questions": partial(spoken_questions.spoken_questions, recordings=recordings, number=number),
        "spoken_tools": partial(spoken_tools.spoken_tools, recordings=recordings, number=number),
        "long_conversation": partial(long_conversation.long_conversation, recordings=recordings),
        "no_speech": partial(no_speech.no_speech, recordings=recordings, number=number),
        "latency": partial(latency.latency, recordings=recordings, number=number),
        "sessions": partial(latency.sessions, recordings=recordings, number=number),
    }
    if people:
        parts["coffee"] = partial(coffee.coffee, folder=people, number=number)
    if digit_folder:
        parts["digits"] = partial(digits.digits, folder=digit_folder, number=number)
    return parts


def measured(parts: dict[str, Part], address: str, result: Path, details: dict[str, Any]) -> None:
    """After each part all figures so far are written."""
    for name, part in parts.items():
        begun = time.monotonic()
        details[name] = part(address)
        figures = {key: value for key, value in details[name].items() if isinstance(value, int | float)}
        print(name, figures, f"{time.monotonic() - begun:.0f} s", flush=True)
        result.write_text(json.dumps({"measures": measures_of(details), "details": details}, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a folder, or the name of a model")
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--coffee", type=Path, help="people who order coffee, with labels.json")
    parser.add_argument("--digits", type=Path, help="people who say a digit each")
    parser.add_argument("--number", type=int, help="no more than so many of each kind")
    parser.add_argument("--only", nargs="+", help="measure these parts anew and keep the others' figures")
    parser.add_argument("--url", help="the WebSocket of a server that runs already")
    parser.add_argument("--port", type=int, default=PORT, help="where the measured server listens (%(default)s)")
    parser.add_argument("--out", type=Path, help="where the figures go (the model's folder)")
    options = parser.parse_args()
    folder = options.out or Path(options.model)
    parts = parts_of(Recordings(options.recordings), options.coffee, options.digits, options.number)
    details: dict[str, Any] = {}
    if options.only:
        parts = {name: parts[name] for name in options.only}
        if (folder / "eval.json").exists():
            details = json.loads((folder / "eval.json").read_text())["details"]
    with nullcontext(options.url) if options.url else serving(options.model, options.port) as address:
        measured(parts, address, folder / "eval.json", details)
    card = folder / "README.md"
    if card.exists() and FIGURES[0] in card.read_text():
        write_card(folder, measures_of(details))


if __name__ == "__main__":
    main()
