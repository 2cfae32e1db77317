"""A model's card: figures in Markdown between two marks, written anew by its measures."""

from pathlib import Path
from typing import Any

Measures = dict[str, dict[str, Any]]
"""As in `eval.json`: {"group.name": {"value": a number}}."""
FIGURES = ("<!-- figures -->", "<!-- end of figures -->")


def write_figures(folder: Path, figures: str) -> None:
    """Puts them into the model's card, between their marks."""
    path = folder / "README.md"
    path.write_text(between(path.read_text(), FIGURES, figures))


def between(text: str, marks: tuple[str, str], shown: str) -> str:
    """A text with this between its marks; one without marks stays as it is."""
    before, mark, rest = text.partition(marks[0])
    return f"{before}{mark}\n{shown}\n{marks[1]}{rest.partition(marks[1])[2]}" if mark else text


def value(measures: Measures, name: str) -> str:
    return str(measures[name]["value"]) if name in measures else "–"


def table(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])
