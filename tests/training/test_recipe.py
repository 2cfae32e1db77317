"""The recipe itself, tiny: from nothing to a model that loads. Needs the synthesisers that it names."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_server.engine import loader
from realtime_server.engine.wren.model import WrenModel
from tests.conftest import ROOT

PROGRAMS = ("espeak-ng", "flite", "festival")


@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)) or importlib.util.find_spec("pyworld") is None,
    reason=f"needs {', '.join(PROGRAMS)} and the extra 'train'",
)
def test_the_recipe_runs(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"TINY": "1", "PYTHONPATH": str(ROOT), "PATH": path}
    command = [ROOT / "models/wren/recipe.sh", tmp_path / "work", "--out", tmp_path / "model"]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, timeout=580)
    assert isinstance(loader.load(str(tmp_path / "model"), "cpu"), WrenModel)
