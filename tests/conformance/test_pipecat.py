"""What pipecat-ai 1.14.0 sends and how it reads, played by a script: the package itself brings half of the field's services with it.

It waits for `session.created` and then for `session.updated`, parses every event, and reads no more after the first that does not
fit or the first `error` that it has not learnt to forgive. Its frames may have 1 MiB, which is the limit of `websockets` too.
"""

import base64
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.conformance.clients import deltas, said
from tests.conformance.conftest import chunks, recording
from tests.conformance.test_openai_sdk import ORDER
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

FORGIVEN = {"response_cancel_not_active", "conversation_already_has_active_response"}
INSTRUCTIONS = "Your name is Robin."


class Transcription(BaseModel):
    """Its constructor takes these three and no other."""

    model_config = ConfigDict(extra="forbid")
    model: str
    language: str | None = None
    prompt: str | None = None


class AudioInput(BaseModel):
    transcription: Transcription | None = None
    turn_detection: dict[str, Any] | None = None


class Audio(BaseModel):
    input: AudioInput | None = None


class SessionProperties(BaseModel):
    """Only where it takes less than the official types do."""

    type: Literal["realtime"]
    audio: Audio
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    prompt: dict[str, Any] | None = None
    include: list[str] | None = None


class Item(BaseModel):
    id: str
    type: Literal["message", "function_call", "function_call_output"]
    role: Literal["user", "assistant", "system"] | None = None


NARROW: dict[str, type[BaseModel]] = {"session": SessionProperties, "item": Item}


class Pipecat:
    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self.events: list[dict[str, Any]] = []
        self.calls: dict[str, str] = {}
        """Names by call id, as the added items told them."""

    def send(self, kind: str, **fields: Any) -> None:
        self._socket.send(json.dumps({"event_id": str(uuid.uuid4()), "type": kind, **fields}))

    def receive(self) -> dict[str, Any]:
        text = self._socket.recv(timeout=WAIT_S)
        SDK_EVENT.validate_json(text, strict=True)
        event = dict(json.loads(text))
        for key in NARROW.keys() & event.keys():
            NARROW[key].model_validate(event[key])
        assert event["type"] != "error" or event["error"]["code"] in FORGIVEN, event
        if event["type"] == "conversation.item.added" and event["item"]["type"] == "function_call":
            self.calls[event["item"]["call_id"]] = event["item"]["name"]
        self.events.append(event)
        return event

    def until(self, kind: str) -> dict[str, Any]:
        while (event := self.receive())["type"] != kind:
            pass
        return event

    def update(self, **session: Any) -> None:
        self.send(
            "session.update", session={"type": "realtime", "model": "gpt-realtime-2.1", "instructions": INSTRUCTIONS, **session}
        )

    def run(self) -> None:
        """Its answer to a frame that says: let the model speak."""
        self.send("response.create", response={"output_modalities": ["audio"]})

    def hear(self, pcm: bytes) -> None:
        for chunk in chunks(pcm):
            self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())

    def truncate(self, item_id: str) -> dict[str, Any]:
        """At what was played, which is never more than what was received."""
        self.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=40)
        return self.until("conversation.item.truncated")

    def last_spoken(self) -> str:
        return str(next(e["item_id"] for e in reversed(self.events) if e["type"] == "response.output_audio.delta"))


@contextmanager
def pipecat(server: Live, tools: list[dict[str, Any]], **session: Any) -> Iterator[Pipecat]:
    """Ready to run: it configures twice, and does not wait for the second to be acknowledged."""
    with connect(f"{server.ws}?model=gpt-realtime-2.1", additional_headers={"Authorization": "Bearer sk-test"}) as socket:
        client = Pipecat(socket)
        assert client.receive()["type"] == "session.created"
        client.update(**session)
        assert client.receive()["type"] == "session.updated"
        client.update(tools=tools, **session)
        yield client


@pytest.mark.parametrize("tools", [[], [ORDER]], ids=["talk", "tools"])
def test_it_speaks_first(server: Live, tools: list[dict[str, Any]]) -> None:
    """`LLMRunFrame`: nobody has said anything, so the agent greets, and is then answered and talked to as in any conversation."""
    with pipecat(server, tools) as client:
        client.run()
        done = client.until("response.done")
        begun = next(e["response"] for e in client.events if e["type"] == "response.created")
        assert begun["conversation_id"] == done["response"]["conversation_id"] is not None
        assert done["response"]["status"] == "completed"
        assert re.search(r"\b(hello|hi|hey|welcome|good (morning|day|afternoon|evening)|help)\b", said(done).lower()), said(
            done
        )
        spoken = b"".join(base64.b64decode(e["delta"]) for e in client.events if e["type"] == "response.output_audio.delta")
        assert 0 < len(spoken) / 48_000 < 10
        client.hear(recording("capital-of-japan"))
        client.until("input_audio_buffer.speech_started")
        client.truncate(client.last_spoken())
        assert said(client.until("response.done")) == "The capital of Japan is Tokyo."


def test_it_runs_a_function(server: Live) -> None:
    """It looks a call's name up among the added items when the arguments are done, and answers before the response is."""
    with pipecat(server, [ORDER]) as client:
        client.hear(recording("large-latte"))
        call = client.until("response.function_call_arguments.done")
        assert client.calls == {call["call_id"]: "order_drink"}
        output = {
            "id": uuid.uuid4().hex,
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '{"status": "ok"}',
        }
        client.send("conversation.item.create", item=output)
        client.until("response.done")
        client.run()
        assert said(client.until("response.done")) == "Your latte is on its way."


def test_it_drives_the_turns_itself(server: Live) -> None:
    """Without the server's detector it clears, replays what the clearing took, cancels whether or not anything runs, and truncates."""
    speech = recording("capital-of-japan", 0.3)
    with pipecat(server, [], audio={"input": {"turn_detection": None}}) as client:
        message = {"id": uuid.uuid4().hex, "type": "message", "role": "user"}
        client.send(
            "conversation.item.create", item={**message, "content": [{"type": "input_text", "text": "count to twelve"}]}
        )
        client.run()
        cut = client.until("response.output_audio.delta")["item_id"]
        client.hear(speech[:9600])
        client.send("input_audio_buffer.clear")
        client.hear(speech[:9600])
        client.send("response.cancel")
        client.truncate(cut)
        truncated = len(client.events)
        client.hear(speech[9600:])
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        while said(client.until("response.done")) != "The capital of Japan is Tokyo.":
            pass
        assert not deltas(client.events[truncated:], cut)
        client.send("input_audio_buffer.clear")
        client.send("response.cancel")
        assert client.until("error")["error"]["code"] == "response_cancel_not_active"
