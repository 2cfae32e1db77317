"""What livekit-plugins-openai 1.8.9 sends and waits for, played by a script: the package brings a WebRTC stack of its own.

It configures in pieces and before it was greeted, names its items and events itself, and waits some seconds for each of them: a
reply begins with the `response.created` that carries its event's id in the metadata, an item with `conversation.item.added`.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance.clients import Scripted, deltas, dial, greets, said
from tests.conformance.conftest import recording
from tests.live import Live

PCM = {"rate": 24000, "type": "audio/pcm"}
DETECTION = {"type": "semantic_vad", "create_response": True, "eagerness": "medium", "interrupt_response": True}
HEARD = {
    "format": PCM,
    "noise_reduction": None,
    "transcription": {"model": "gpt-4o-mini-transcribe"},
    "turn_detection": DETECTION,
}
SESSION = {
    "type": "realtime", "model": "gpt-realtime", "max_output_tokens": "inf", "output_modalities": ["audio"], "tool_choice": "auto",
    "tracing": None, "audio": {"input": HEARD, "output": {"format": PCM, "speed": 1.0, "voice": "marin"}},
}  # fmt: skip


class LiveKit(Scripted):
    def reply(self, instructions: str | None = None) -> str:
        """Asks for an answer; the id of its response, told by the metadata."""
        event_id = f"response_create_{uuid.uuid4().hex[:12]}"
        response = {"instructions": instructions, "metadata": {"client_event_id": event_id}}
        self.send("response.create", event_id=event_id, response=response)
        created = self.until("response.created")["response"]
        assert created["metadata"] == {"client_event_id": event_id}
        return str(created["id"])

    def done(self, response_id: str) -> dict[str, Any]:
        while (done := self.until("response.done"))["response"]["id"] != response_id:
            pass
        return done

    def create(self, text: str, previous: str = "root") -> str:
        item_id = f"item_{uuid.uuid4().hex[:12]}"
        item = {"id": item_id, "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        self.send("conversation.item.create", event_id=f"chat_ctx_create_{item_id}", previous_item_id=previous, item=item)
        assert self.until("conversation.item.added")["item"]["id"] == item_id
        return item_id


@contextmanager
def livekit(server: Live) -> Iterator[LiveKit]:
    with dial(server, "model=gpt-realtime") as socket:
        client = LiveKit(socket)
        client.send("session.update", session=SESSION)
        client.send("session.update", session={"type": "realtime", "instructions": "Your name is Robin."})
        client.send("session.update", session={"type": "realtime", "model": "gpt-realtime", "tools": []})
        for _ in range(3):
            told = client.until("session.updated")["session"]
        assert (told["instructions"], told["audio"]["output"]["voice"]) == ("Your name is Robin.", "marin")
        yield client


def test_it_replies_to_nothing(server: Live) -> None:
    """`generate_reply()` on entering a room."""
    with livekit(server) as client:
        assert greets(said(client.done(client.reply("Your name is Robin.\nGreet the user."))))
        client.append(recording("capital-of-japan"))
        assert said(client.until("response.done")) == "The capital of Japan is Tokyo."


def test_it_interrupts_and_edits_the_conversation(server: Live) -> None:
    """`interrupt` cancels and truncates; what is left of the context is then made the conversation, item by item."""
    with livekit(server) as client:
        asked = client.create("count to twelve")
        cut = client.reply()
        item_id = client.until("response.output_audio.delta")["item_id"]
        client.send("response.cancel")
        client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=40)
        client.until("conversation.item.truncated")
        truncated = len(client.events)
        client.send("conversation.item.delete", event_id=f"chat_ctx_delete_{asked}", item_id=asked)
        assert client.until("conversation.item.deleted")["item_id"] == asked
        client.create("What is the capital of Japan?", previous=item_id)
        assert client.events[-1]["previous_item_id"] == item_id
        assert said(client.done(client.reply())) == "The capital of Japan is Tokyo."
        assert not deltas(client.events[truncated:], item_id)
        assert not [event for event in client.events[truncated:] if event.get("response_id") == cut]
