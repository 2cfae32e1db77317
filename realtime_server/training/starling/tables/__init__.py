"""The words that training dialogues are made of: lines of text and JSON. No wording of a measure may stand here."""

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@functools.cache
def stored(name: str) -> Any:
    """A JSON table; whoever takes it leaves it as it is."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def lines(name: str) -> list[str]:
    """A text table without comments and empty lines."""
    return [line for line in (FOLDER / name).read_text().splitlines() if line and not line.startswith("#")]
