"""What is counted, and that the repository keeps to it."""

import sys
from pathlib import Path

import pytest

from tests import scripts

sizes = scripts.load("sizes")


def test_lines_fields_and_public_methods_are_counted(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text(
        'class Bird:\n    wings: int\n\n    def __init__(self) -> None:\n        """Hatches."""\n        self.song, self._age = "", 0\n\n'
        "    @property\n    def sings(self) -> bool:\n        other.song = self.song\n        return bool(self.song)\n"
    )
    assert set(sizes.sizes(source, "one.py")) == {
        ("one.py", "lines of a module", 11),
        ("one.py::Bird", "fields of a class", 3),
        ("one.py::Bird", "public methods of a class", 1),
        ("one.py::__init__", "lines of a function", 1),
        ("one.py::sings", "lines of a function", 2),
    }


def test_what_has_grown_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "long.py").write_text("pass\n" * 401)
    monkeypatch.setattr(sizes, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["sizes.py"])
    monkeypatch.setattr(sizes, "EXCEPTIONS", {})
    assert sizes.main() == 1
    assert capsys.readouterr().err == "scripts/long.py: 401 lines of a module, more than 400\n"
    monkeypatch.setattr(sizes, "EXCEPTIONS", {("scripts/long.py", "lines of a module"): "a list"})
    assert sizes.main() == 0
    (tmp_path / "scripts" / "long.py").write_text("pass\n" * 400)
    assert sizes.main() == 1
    assert "needed no more" in capsys.readouterr().err
