"""What `pip install .` installs: built without a network, then run from an empty folder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from realtime_server import __version__
from tests.live import WAIT_S

ROOT = Path(__file__).parent.parent
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "realtime_server", "models")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built, for a build leaves files behind."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "_models")
            # Links: copies of the weights would be as large again.
            shutil.copytree(source, folder / name, ignore=ignored, copy_function=_link)
        else:
            shutil.copyfile(source, folder / name)
    stale = folder / "build" / "lib" / "realtime_server" / "stale.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("an earlier build left this")
    return folder


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def build(kind: str, sources: Path, out: Path) -> zipfile.ZipFile:
    """Through the same hooks that pip calls, with the setuptools that is installed."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=sources, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def installed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an installation puts on Python's path."""
    folder = tmp_path_factory.mktemp("site")
    with build("wheel", sources, tmp_path_factory.mktemp("wheel")) as wheel:
        wheel.extractall(folder)
    return folder


def test_a_wheel_has_what_serves_wren_and_nothing_that_trains_it(installed: Path) -> None:
    served = installed / "realtime_server" / "_models" / "wren"
    names = {file.name for file in served.iterdir()}
    assert names == {
        "README.md",
        "config.json",
        "eval.json",
        "manifest.json",
        "model.safetensors",
        "tokenizer.json",
        "voices.json",
        "words.txt",
    }
    assert set(json.loads((served / "manifest.json").read_text())) <= names
    assert (served / "model.safetensors").read_bytes() == (ROOT / "models/wren/model.safetensors").read_bytes()
    assert not (installed / "realtime_server" / "stale.py").exists()
    assert (installed / "realtime_server" / "transport" / "page" / "index.html").is_file()
    assert (installed / f"realtime_server-{__version__}.dist-info" / "entry_points.txt").is_file()


def test_a_wheel_has_all_files_that_starling_is_loaded_from(installed: Path) -> None:
    served = installed / "realtime_server" / "_models" / "starling"
    manifest = json.loads((served / "manifest.json").read_text())
    assert {str(file.relative_to(served)) for file in served.rglob("*.*")} == {
        *manifest,
        "README.md",
        "LICENSES.md",
        "manifest.json",
        "voices.json",
    }


def test_an_installed_server_serves_the_packaged_model(installed: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "realtime_server.cli", "serve", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        log = []
        for line in server.stderr:
            log.append(line)
            if "= ready" in line:
                break
        else:
            raise AssertionError("".join(log))
        assert any("= wren runs on" in line for line in log)
        assert _get(f"http://127.0.0.1:{port}/health") == 200
        assert _get(f"http://127.0.0.1:{port}/") == 200
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(WAIT_S)
        server.stderr.close()


def _get(url: str) -> int:
    """The socket listens right after the model is ready: an attempt may still come a moment too early."""
    for _ in range(1000):
        try:
            with urllib.request.urlopen(url) as answer:
                return int(answer.status)
        except urllib.error.URLError:
            continue
    raise AssertionError(f"{url} is not answered")


def test_the_installed_command_finds_its_model_beside_itself(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "realtime_server.cli", "models"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    shown = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert str(installed / "realtime_server" / "_models" / "wren") in shown


def test_the_image_has_the_pinned_torch() -> None:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (torch,) = (pin for pin in pins if pin.startswith("torch=="))
    assert f" {torch}\n" in (ROOT / "Dockerfile").read_text()


def test_an_editable_install_leaves_the_model_where_it_is(sources: Path, tmp_path: Path) -> None:
    with build("editable", sources, tmp_path) as wheel:
        assert not [name for name in wheel.namelist() if "_models" in name]
    assert not (sources / "realtime_server" / "_models").exists()
