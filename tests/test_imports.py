"""What is only looked at costs nothing: no package loads a network's library, nor a web framework, before somebody asks for it."""

import pkgutil
import subprocess
import sys

import pytest

import realtime_server

HEAVY = (
    "torch",
    "transformers",
    "tokenizers",
    "llguidance",
    "pydantic",
    "fastapi",
    "uvicorn",
    "websockets",
    "soundfile",
    "soxr",
)
PACKAGES = [
    "realtime_server",
    *(module.name for module in pkgutil.walk_packages(realtime_server.__path__, "realtime_server.") if module.ispkg),
]


def loaded_by(code: str) -> set[str]:
    """Of what is heavy, by a fresh interpreter."""
    program = f"import sys\n{code}\nprint(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_packages_import_nothing_heavy() -> None:
    assert "realtime_server.engine.families.wren" in PACKAGES
    assert loaded_by("\n".join(f"import {package}" for package in PACKAGES)) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["talk", "--help"]])
def test_the_command_explains_itself_without_a_network(arguments: list[str]) -> None:
    code = f"from realtime_server.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code"
    assert loaded_by(code) == set()


def test_what_is_heavy_is_seen() -> None:
    assert "torch" in loaded_by("import realtime_server.turns.detectors")
