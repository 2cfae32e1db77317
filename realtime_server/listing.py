"""`realtime-server models`: what is on the shelves, as a table."""

import json
from collections.abc import Iterable
from pathlib import Path

HEADS = ("name", "parameters", "size", "where")
UNKNOWN = "–"


def table(folders: dict[str, Path]) -> str:
    """A line each, in the order of their names; what a folder does not tell is a dash."""
    rows = [HEADS, *((name, _parameters(folder), _size(folder), str(folder)) for name, folder in sorted(folders.items()))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Iterable[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _parameters(folder: Path) -> str:
    """As its config.json counts them."""
    try:
        count = json.loads((folder / "config.json").read_text("utf-8")).get("parameters")
    except (OSError, ValueError, AttributeError):
        return UNKNOWN
    return scaled(count, ((10**9, "B"), (10**6, "M"))) if isinstance(count, int) else UNKNOWN


def _size(folder: Path) -> str:
    """Of its weights."""
    files = [*folder.glob("*.safetensors"), *folder.glob("thinker/*.safetensors")]
    return scaled(sum(file.stat().st_size for file in files), ((10**9, "GB"), (10**6, "MB"))) if files else UNKNOWN


def scaled(count: int, units: tuple[tuple[int, str], ...]) -> str:
    """In the largest unit that leaves something before the point."""
    scale, unit = next((one for one in units if count >= one[0]), units[-1])
    return f"{count / scale:.1f} {unit}"
