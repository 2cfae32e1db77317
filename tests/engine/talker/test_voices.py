"""A model's voices: the ten names, and those that its user has added."""

import json
from pathlib import Path
from typing import Any

import pytest

from realtime_server.engine.contract import ModelError
from realtime_server.engine.talker import voices
from realtime_server.training.wren.export import VOICES, voices_of, write_voices

TIMBRES = ("hts", "rms", "awb", "ked", "kh")


def test_ten_distinct_voices_and_one_more(tmp_path: Path) -> None:
    path = tmp_path / "voices.json"
    write_voices(path, voices_of(None, {}, decoder=True))
    table = voices.read(path, 2, TIMBRES)
    assert set(table) == set(voices.NAMES)
    assert len({voice.model_dump_json() for voice in table.values()}) == len(VOICES) == 10
    data = json.loads(path.read_text()) | {"voice_mine": {"speaker": 1, "pitch": 1.05}}
    path.write_text(json.dumps(data))
    table = voices.read(path, 2, TIMBRES)
    assert voices.ids(table) == {"voice_mine"}
    assert table["voice_mine"].shape.pitch == 1.05


@pytest.mark.parametrize(("change", "said"), [
    ({"voice_x": {"speaker": 2}}, "wants speaker 2; there are 2"), ({"voice_x": {"speaker": 0, "pitch": 9}}, "pitch"),
    ({"voice_x": {"speaker": 0, "colour": 1}}, "colour"), ({"marin": None}, "marin"),
    ({"voice_x": {"speaker": 0, "timbre": {"rms": 0.5, "hts": 0.4}}}, "the shares make 0.9, not 1"),
    ({"voice_x": {"speaker": 0, "timbre": {"bell": 1.0}}}, "wants the timbre bell; there are: hts, rms, awb, ked, kh"),
])  # fmt: skip
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "voices.json"
    write_voices(path, voices_of(None, {}, decoder=True))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=said):
        voices.read(path, 2, TIMBRES)


def test_a_missing_name_is_named(tmp_path: Path) -> None:
    path = tmp_path / "voices.json"
    path.write_text('{"marin": {"speaker": 0}}')
    with pytest.raises(ModelError, match="alloy"):
        voices.read(path, speakers=2)
