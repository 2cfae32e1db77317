"""What a model declares travels as data, and is judged where it arrives."""

import pickle

import pytest

from realtime_server.engine import dialects
from realtime_server.engine.families.wren.model import WrenModel
from realtime_server.messages import Abilities


@pytest.mark.parametrize("schema", [
    {"type": "object", "properties": {"size": {"enum": ["small", "large"]}}, "required": ["size"]},
    {"type": "object", "properties": {"size": {"type": "nothing"}}},
])  # fmt: skip
def test_abilities_name_their_judge_also_from_another_process(tiny_model: WrenModel, schema: dict[str, object]) -> None:
    arrived = pickle.loads(pickle.dumps(tiny_model.abilities))
    assert arrived == tiny_model.abilities
    fault = dialects.JUDGES[arrived.schemas](schema)
    assert (fault is None) == (schema["properties"]["size"] != {"type": "nothing"})  # type: ignore[index]


def test_who_names_no_dialect_honours_everything() -> None:
    assert dialects.JUDGES[Abilities().schemas]({"type": "nothing"}) is None
