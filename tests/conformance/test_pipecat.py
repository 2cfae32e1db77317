"""What pipecat-ai 1.14.0 sends and how it reads, played by a script: the package itself brings half of the field's services with it.

It waits for `session.created` and then for `session.updated`, parses every event, and reads no more after the first that does not
fit or the first `error` that it has not learnt to forgive. Its frames may have 1 MiB, which is the limit of `websockets` too.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict
from websockets.sync.connection import Connection as Socket

from tests.conformance.clients import Scripted, deltas, dial, greets, said
from tests.conformance.conftest import recording
from tests.conformance.test_openai_sdk import ORDER
from tests.live import Live

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


class Pipecat(Scripted):
    forgiven = frozenset({"response_cancel_not_active", "conversation_already_has_active_response"})

    def __init__(self, socket: Socket) -> None:
        super().__init__(socket)
        self.calls: dict[str, str] = {}
        """Names by call id, as the added items told them."""

    def send(self, kind: str, **fields: Any) -> None:
        super().send(kind, event_id=str(uuid.uuid4()), **fields)

    def receive(self) -> dict[str, Any]:
        event = super().receive()
        for key in NARROW.keys() & event.keys():
            NARROW[key].model_validate(event[key])
        if event["type"] == "conversation.item.added" and event["item"]["type"] == "function_call":
            self.calls[event["item"]["call_id"]] = event["item"]["name"]
        return event

    def update(self, **session: Any) -> None:
        whole = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": INSTRUCTIONS, **session}
        self.send("session.update", session=whole)

    def create(self, **item: Any) -> None:
        """An item under an id of its own making."""
        self.send("conversation.item.create", item={"id": uuid.uuid4().hex, **item})

    def run(self) -> None:
        """Its answer to a frame that says: let the model speak."""
        self.send("response.create", response={"output_modalities": ["audio"]})

    def truncate(self, item_id: str) -> None:
        """At what was played, which is never more than what was received."""
        self.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=40)
        self.until("conversation.item.truncated")


@contextmanager
def pipecat(server: Live, tools: list[dict[str, Any]], **session: Any) -> Iterator[Pipecat]:
    """Ready to run: it configures twice, and does not wait for the second to be acknowledged."""
    with dial(server, "model=gpt-realtime-2.1") as socket:
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
        begun, done = (client.until(kind)["response"] for kind in ("response.created", "response.done"))
        assert begun["conversation_id"] == done["conversation_id"] is not None
        assert done["status"] == "completed"
        assert greets(said({"response": done}))
        assert 0 < len(client.sound()) / 48_000 < 10
        client.append(recording("capital-of-japan"))
        client.until("input_audio_buffer.speech_started")
        client.truncate(done["output"][0]["id"])
        assert said(client.until("response.done")) == "The capital of Japan is Tokyo."


def test_it_runs_a_function(server: Live) -> None:
    """It looks a call's name up among the added items when the arguments are done, and answers before the response is."""
    with pipecat(server, [ORDER]) as client:
        client.append(recording("large-latte"))
        call = client.until("response.function_call_arguments.done")
        assert client.calls == {call["call_id"]: "order_drink"}
        client.create(type="function_call_output", call_id=call["call_id"], output='{"status": "ok"}')
        client.until("response.done")
        client.run()
        assert said(client.until("response.done")) == "Your latte is on its way."


def test_it_drives_the_turns_itself(server: Live) -> None:
    """Without the server's detector it clears, replays what the clearing took, cancels whether or not anything runs, truncates."""
    speech = recording("capital-of-japan", 0.3)
    with pipecat(server, [], audio={"input": {"turn_detection": None}}) as client:
        client.create(type="message", role="user", content=[{"type": "input_text", "text": "count to twelve"}])
        client.run()
        cut = client.until("response.output_audio.delta")["item_id"]
        client.append(speech[:9600])
        client.send("input_audio_buffer.clear")
        client.append(speech[:9600])
        client.send("response.cancel")
        client.truncate(cut)
        truncated = len(client.events)
        client.append(speech[9600:])
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        assert said(client.until("response.done")) == "The capital of Japan is Tokyo."
        assert not deltas(client.events[truncated:], cut)
        client.send("response.cancel")
        assert client.until("error")["error"]["code"] == "response_cancel_not_active"
