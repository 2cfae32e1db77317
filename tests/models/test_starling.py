"""The shipped Starling: its files are those of its manifest, its card says what was measured, and it answers what is asked aloud."""

import asyncio
import hashlib
import json
import socket

import pytest

from realtime_server.engine import loader
from realtime_server.training.starling.caller import calling
from realtime_server.training.starling.card import figures
from realtime_server.training.starling.measures.talking import read
from realtime_server.training.starling.server import serving
from tests.conftest import ROOT

FOLDER = ROOT / "models" / "starling"
RECORDINGS = ROOT / "tests" / "recordings"
ASKED = {"capital-of-japan": ("tokyo",), "three-plus-four": ("seven", "7"), "capital-of-france": ("paris",)}
"""A recording -> words of which a right answer has one."""
INSTRUCTIONS = "You are a helpful voice assistant. Keep your answers short."


def test_files_are_those_of_the_manifest_and_small_enough() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    for name, entry in manifest.items():
        data = (FOLDER / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}, name
    weights = list(FOLDER.rglob("*.safetensors"))
    assert {str(path.relative_to(FOLDER)) for path in weights} <= manifest.keys()
    assert all(path.stat().st_size < 95_000_000 for path in weights)
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 350_000_000


def test_the_card_says_what_was_measured() -> None:
    measures = json.loads((FOLDER / "eval.json").read_text())["measures"]
    card = (FOLDER / "README.md").read_text()
    assert figures(measures) in card
    assert len(card) <= 8192


def test_the_card_names_the_licence_of_every_part() -> None:
    licences = (FOLDER / "LICENSES.md").read_text()
    for part in ("openai/whisper-base", "Qwen/Qwen2.5-Coder-0.5B-Instruct", "models/wren"):
        assert part in licences


def test_it_is_the_default() -> None:
    assert loader.find("starling") == FOLDER


@pytest.mark.starling
def test_it_answers_what_is_asked_aloud() -> None:
    async def answers(address: str) -> dict[str, str]:
        found = {}
        async with calling(address, INSTRUCTIONS) as caller:
            for name in ASKED:
                exchange = await caller.say(read(RECORDINGS / f"{name}.flac"))
                assert exchange.first_audio_at is not None
                found[name] = exchange.answer.lower()
        return found

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serving("starling", port) as address:
        found = asyncio.run(answers(address))
    assert not [name for name, words in ASKED.items() if not any(word in found[name] for word in words)], found
