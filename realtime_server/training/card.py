"""A model's card: figures in Markdown between two marks, written anew by its measures."""

from pathlib import Path
from typing import Any

Measures = dict[str, dict[str, Any]]
"""As in `eval.json`: {"group.name": {"value": a number}}."""
FIGURES = ("<!-- figures -->", "<!-- end of figures -->")


def write_figures(folder: Path, figures: str) -> None:
    """Puts them into the model's card, between its marks."""
    before, _, rest = (folder / "README.md").read_text().partition(FIGURES[0])
    after = rest.partition(FIGURES[1])[2]
    (folder / "README.md").write_text(f"{before}{FIGURES[0]}\n{figures}\n{FIGURES[1]}{after}")


def value(measures: Measures, name: str) -> str:
    return str(measures[name]["value"]) if name in measures else "–"


def table(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])
