"""The card says what `eval.json` says, is short, and its figures can be written anew."""

import json
from pathlib import Path

import pytest

from realtime_server.training.card import FIGURES
from realtime_server.training.wren import card

WREN = Path(__file__).parents[2] / "models" / "wren"
MEASURES = json.loads((WREN / "eval.json").read_text("utf-8"))["measures"]


def test_the_shipped_card_has_the_figures_of_its_evaluation() -> None:
    assert card.figures(MEASURES) in (WREN / "README.md").read_text("utf-8")


def test_every_measure_has_words_and_a_cell() -> None:
    shown = card.figures(MEASURES)
    assert not [name for name in MEASURES if name in shown]
    cells = [cell for row in shown.splitlines() for cell in row.strip("| ").split(" | ")]
    for measure in MEASURES.values():
        cells.remove(str(measure["value"]))


def test_a_card_is_read_in_one_sitting() -> None:
    assert len((WREN / "README.md").read_bytes()) <= 8192


def test_figures_are_put_between_their_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{FIGURES[0]}\nold\n{FIGURES[1]}\nbehind\n")
    measures = {"speed.real_time_factor": {"value": 0.25}, "new.kind": {"value": 3}}
    card.write_card(tmp_path, {"measures": measures})
    written = (tmp_path / "README.md").read_text()
    assert written.startswith(f"before\n{FIGURES[0]}\n")
    assert written.endswith(f"{FIGURES[1]}\nbehind\n")
    assert "old" not in written
    assert f"| {card.OTHERS['speed.real_time_factor']} | 0.25 |" in written
    assert "| new.kind | 3 |" in written


@pytest.mark.parametrize("name", ["DESIGN.md", "HISTORY.md", "LOG.md"])
def test_the_rest_lies_beside_it(name: str) -> None:
    assert f"({name})" in (WREN / "README.md").read_text("utf-8")
    assert (WREN / name).read_text("utf-8").startswith("# ")


def test_the_ablation_is_the_evaluation() -> None:
    rows = json.loads((WREN / "eval.json").read_text("utf-8")).get("ablation", {})
    assert card.ablation(rows) in (WREN / "README.md").read_text("utf-8")


def test_an_ablation_begins_with_all_rules_and_ends_with_none() -> None:
    rows = {"all": {"written.exact": 0.8}, "beam_search": {}, "none": {"written.exact": 0.9, "written.cpu_s": 3.0}}
    shown = [line.split("|")[1:3] for line in card.ablation(rows).splitlines()[2:]]
    assert [name.strip() for name, _ in shown] == ["all rules", "without beam search", "the networks alone"]
    assert [value.strip() for _, value in shown] == ["0.9", "", "0.8"]
