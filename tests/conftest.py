"""Fixtures that many rooms share: a tiny random Wren, deterministic, made in milliseconds."""

from pathlib import Path

import pytest
import torch
from hypothesis import settings

from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.engine.families.wren.policy.lexicon_correction import WordList
from realtime_server.engine.families.wren.script import Script
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.wren import Wren, WrenConfig
from realtime_server.engine.talker import voices
from realtime_server.engine.talker.voices import Voice
from realtime_server.training.wren import vocabulary

# How long an example takes says something about the machine, not about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# These networks are so small that several threads only wait for one another, on a busy machine for minutes.
torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parent.parent
RECORDINGS = Path(__file__).parent / "recordings"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def script() -> Script:
    return Script(vocabulary.fit(600))


def tiny_net(script: Script, seed: int = 1) -> Wren:
    torch.manual_seed(seed)
    config = WrenConfig(
        vocabulary=script.size, width=32, layers=2, heads=2, hidden=48, early_ctc_layer=1, codebooks=2, codes=16
    )
    return Wren(config).eval()


def tiny_codec() -> Codec:
    torch.manual_seed(1)
    codec = Codec(codebooks=2, codes=16, components=8)
    codec.basis.normal_(std=0.1)
    codec.table.normal_()
    codec.mean.view(8, -1)[:, 64] = 4.8
    codec.mean.view(8, -1)[:, :64] = -9.0
    return codec


def tiny_decoder() -> Decoder:
    torch.manual_seed(2)
    decoder = Decoder(("low", "high"), points=8, components=4, width=16, layers=1)
    with torch.no_grad():
        decoder.basis.normal_(std=0.1)
        decoder.mean.fill_(-9.0)
    return decoder.eval()


def tiny_wren(script: Script, name: str = "tiny") -> WrenModel:
    """Its voices are the codec's own, one of the decoder's timbres, or mixed of both."""
    timbres: list[dict[str, float]] = [{}, {"low": 1.0}, {"low": 0.3, "high": 0.7}]
    voiced = {voice: Voice(speaker=n % 2, timbre=timbres[n % 3]) for n, voice in enumerate((*voices.NAMES, "voice_mine"))}
    return WrenModel(
        name, tiny_net(script), tiny_codec(), tiny_decoder(), script, voiced, torch.device("cpu"),
        WordList(["abacus", "apple", "zebra"]),
    )  # fmt: skip


@pytest.fixture
def tiny_model(script: Script) -> WrenModel:
    """Knows nothing, but does everything: the same weights in every test."""
    return tiny_wren(script)


@pytest.fixture
def unsearched(tiny_model: WrenModel) -> None:
    """What was written stands: random weights are sure of nothing, and find that nothing was said, or a digit, likelier than
    most."""
    tiny_model.policy = tiny_model.policy.without(["beam_search", "n_best"])
