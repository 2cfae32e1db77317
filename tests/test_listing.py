"""The table of models: aligned, in the order of names, and whole whatever a folder lacks."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_server import listing


def folder(path: Path, config: str, weights: dict[str, int] | None = None) -> Path:
    path.mkdir()
    (path / "config.json").write_text(config)
    for name, size in (weights or {}).items():
        with (path / name).open("wb") as file:
            file.truncate(size)
    return path


def test_a_model_has_its_parameters_and_the_size_of_its_weights(tmp_path: Path) -> None:
    small = folder(
        tmp_path / "wren", json.dumps({"parameters": 19_436_694}), {"model.safetensors": 40_178_884, "words.txt": 10**8}
    )
    large = folder(tmp_path / "eagle", '{"parameters": 7250000000}', {"a.safetensors": 9 * 10**9, "b.safetensors": 5 * 10**9})
    lines = listing.table({"wren": small, "eagle": large}).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["name", "eagle", "wren"]
    assert lines[1].split() == ["eagle", "7.2", "B", "14.0", "GB", str(large)]
    assert lines[2].split() == ["wren", "19.4", "M", "40.2", "MB", str(small)]
    assert {line.index(word) for line, word in zip(lines, ("where", str(large), str(small)), strict=True)} == {
        lines[0].index("where")
    }


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"parameters": "many"}'])
def test_what_a_folder_does_not_tell_is_a_dash(tmp_path: Path, config: str) -> None:
    row = listing.table({"bare": folder(tmp_path / "bare", config)}).splitlines()[1]
    assert row.split() == ["bare", "–", "–", str(tmp_path / "bare")]


@given(st.integers(10**6, 10**12))
def test_a_count_keeps_three_digits_at_least_as_near(count: int) -> None:
    number, unit = listing.scaled(count, ((10**9, "B"), (10**6, "M"))).split()
    assert float(number) * {"B": 1e9, "M": 1e6}[unit] == pytest.approx(count, rel=0.051)
