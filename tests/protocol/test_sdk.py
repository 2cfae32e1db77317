"""The SDK's events, class by class and field by field, have their counterparts here."""

import typing
from typing import Any

import pytest
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent

from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.server_events import AnyServerEvent


def by_type(union: Any) -> dict[str, Any]:
    members = typing.get_args(union)
    if not isinstance(members[0], type):
        members = typing.get_args(members[0])
    return {typing.get_args(cls.model_fields["type"].annotation)[0]: cls for cls in members}


OURS = by_type(AnyServerEvent) | by_type(AnyClientEvent)
SDKS = by_type(RealtimeServerEvent) | by_type(RealtimeClientEvent)
# Optional, and only meaningful for models that we do not imitate.
LEFT_OUT = {"conversation.item.input_audio_transcription.completed": {"languages"}}


@pytest.mark.parametrize("kind", sorted(SDKS))
def test_every_field_of_every_event(kind: str) -> None:
    assert kind in OURS
    missing = set(SDKS[kind].model_fields) - set(OURS[kind].model_fields) - LEFT_OUT.get(kind, set())
    assert not missing


def test_nothing_of_our_own() -> None:
    assert set(OURS) == set(SDKS)
