"""Steps of many sequences in one batch are answered as each is alone, and an ear is loaded from its files."""

from pathlib import Path

import pytest
import torch

from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.nets import int8
from realtime_server.engine.nets.int8 import Int8Linear
from realtime_server.engine.runtime.cache import CacheFull
from realtime_server.engine.runtime.steps import Broken, Stream
from tests.engine.ears.tiny import ear, net, vocabulary, write_ear

CPU = torch.device("cpu")
HEARD = ear()


def mels() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(length, 80) for length in (20, 36, 20)]


def test_steps_of_all_kinds_share_a_batch() -> None:
    sounds = HEARD.run([Encode(mel) for mel in mels()])
    alone = [HEARD.run([Encode(mel)])[0] for mel in mels()]
    for one, other in zip(sounds, alone, strict=True):
        torch.testing.assert_close(one.states, other.states, atol=1e-5, rtol=1e-4)
    rows = [([1], 0), ([2, 3, 4], 1), ([5], 2), ([6, 7], 1)]
    streams = [Stream(HEARD.slots.take(), []) for _ in rows]
    mixed = HEARD.run([*(Predict(s, ids, sounds[n]) for s, (ids, n) in zip(streams, rows, strict=True)), Encode(mels()[1])])
    for (ids, n), stream, told in zip(rows, streams, mixed, strict=False):
        assert stream.ids == ids
        (by_itself,) = HEARD.run([Predict(Stream(99, []), ids, sounds[n])])
        assert told.shape == (len(ids), vocabulary().size)
        torch.testing.assert_close(told, by_itself, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(told.exp().sum(-1), torch.ones(len(ids)))
        HEARD.slots.give_back(stream.slot)


@pytest.mark.filterwarnings("ignore")
def test_a_transcript_too_long_for_the_decoder_fails_alone() -> None:
    (sound,) = HEARD.run([Encode(mels()[0])])
    full, other = Stream(HEARD.slots.take(), [0] * 448), Stream(HEARD.slots.take(), [])
    broken, told = HEARD.run([Predict(full, [1], sound), Predict(other, [1], sound)])
    assert isinstance(broken, Broken)
    assert isinstance(broken.error, CacheFull)
    assert told.shape == (1, vocabulary().size)
    assert other.ids == [1]


@pytest.mark.parametrize("kernels", [True, False])
def test_an_ear_is_loaded_with_and_without_kernels(kernels: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernels and not int8.packs():
        pytest.skip("this machine's torch has no packed kernels")
    monkeypatch.setattr("realtime_server.engine.ears.whisper.packs", lambda: kernels)
    write_ear(tmp_path, net(Int8Linear))
    loaded = WhisperEar.load(tmp_path, CPU)
    assert any(isinstance(module, Int8Linear) for module in loaded.net.modules()) is kernels
    assert not loaded.vocabulary.open[3]
    assert not loaded.vocabulary.open_first[4]
    (sound,) = loaded.run([Encode(mels()[0])])
    assert sound.states.isfinite().all()
    (told,) = loaded.run([Predict(Stream(loaded.slots.take(), []), [1, 2], sound)])
    assert told.isfinite().all()
