"""The card's table: every figure with its words and its aim, counts left out."""

from pathlib import Path

from realtime_server.training.card import FIGURES
from realtime_server.training.starling.card import ROWS, measures_of, write_card

DETAILS: dict[str, dict[str, object]] = {
    "spoken_questions": {"answered_rightly": 0.8, "number": 83, "turns": []},
    "digits": {"exact": 0.91, "recordings": 200},
    "new": {"kind": 3},
}


def test_measures_are_all_numbers_but_counts() -> None:
    assert measures_of(DETAILS) == {
        "spoken_questions.answered_rightly": {"value": 0.8}, "digits.exact": {"value": 0.91}, "new.kind": {"value": 3},
    }  # fmt: skip


def test_figures_stand_between_the_marks_with_their_aims(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{FIGURES[0]}\n{FIGURES[1]}\nbehind\n")
    write_card(tmp_path, measures_of(DETAILS))
    written = (tmp_path / "README.md").read_text()
    words, aim = ROWS["digits.exact"]
    assert f"| {words} | 0.91 | {aim} |" in written
    assert "| new.kind | 3 |  |" in written
    assert written.startswith("before\n")
    assert written.endswith("behind\n")
