"""The SDKs' connections behind one face: `send` a client event, `receive` the next server event as the SDK read it."""

import asyncio
import base64
import json
import os
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from openai import AsyncOpenAI, OpenAI
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from pydantic import TypeAdapter
from websockets.sync.client import connect as connect_socket
from websockets.sync.connection import Connection as Socket

from tests.conformance.conftest import CHUNK_BYTES, Secure, chunks
from tests.helpers import SDK_EVENT
from tests.live import WAIT_S, Live

BETA_EVENT: TypeAdapter[Any] = TypeAdapter(BetaServerEvent)
"""The SDK's types of the beta dialect."""
NODE = Path(__file__).parent / "node"
LONGEST_LINE = 32 * 1024 * 1024


class Connection(Protocol):
    async def send(self, event: dict[str, Any]) -> None: ...

    async def receive(self) -> bytes: ...


def _method(connection: Any, event: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The SDK's own method for this event: `conversation.item.create` is `connection.conversation.item.create(item=...)`."""
    target = connection
    for step in event["type"].split("."):
        target = getattr(target, step)
    return target, {key: value for key, value in event.items() if key != "type"}


class PythonAsync:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, event: dict[str, Any]) -> None:
        method, fields = _method(self._connection, event)
        await method(**fields)

    async def receive(self) -> bytes:
        return bytes(await self._connection.recv_bytes())


class PythonSync:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, event: dict[str, Any]) -> None:
        method, fields = _method(self._connection, event)
        await asyncio.to_thread(method, **fields)

    async def receive(self) -> bytes:
        return bytes(await asyncio.to_thread(self._connection.recv_bytes))


class NodeLines:
    """A Node program that speaks JSON lines."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def send(self, event: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(event).encode() + b"\n")
        await self._process.stdin.drain()

    async def receive(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise AssertionError((await self._process.stderr.read()).decode())
        return line


@asynccontextmanager
async def node(secure: Secure, *arguments: str) -> AsyncIterator[NodeLines]:
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(secure.authority)}
    process = await asyncio.create_subprocess_exec(
        "node", *arguments, cwd=NODE, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE
    )
    try:
        yield NodeLines(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.kill()
        await process.wait()


@asynccontextmanager
async def connect(kind: str, server: Live, secure: Secure) -> AsyncIterator[Connection]:
    async with AsyncExitStack() as stack:
        if kind == "python-async":
            sdk = await stack.enter_async_context(AsyncOpenAI(api_key="sk-test", base_url=f"{server.http}/v1"))
            yield PythonAsync(await stack.enter_async_context(sdk.realtime.connect(model="gpt-realtime")))
        elif kind == "python-sync":
            blocking = stack.enter_context(OpenAI(api_key="sk-test", base_url=f"{server.http}/v1"))
            yield PythonSync(stack.enter_context(blocking.realtime.connect(model="gpt-realtime")))
        elif kind == "python-beta":
            # Without an address of its own for sockets it dials wss.
            sockets = server.ws.removesuffix("/realtime")
            old = await stack.enter_async_context(
                AsyncOpenAI(api_key="sk-test", base_url=f"{server.http}/v1", websocket_base_url=sockets)
            )
            yield PythonAsync(await stack.enter_async_context(old.beta.realtime.connect(model="gpt-4o-realtime-preview")))
        else:
            yield await stack.enter_async_context(node(secure, "sdk.mjs", secure.base_url, kind.removeprefix("node-")))


class Scripted:
    """A client that is played, on a plain WebSocket with the usual limit of 1 MiB a frame. What it got is kept in `events`.

    The SDK's own types accept every event strictly; an `error` ends it, unless the client that it plays forgives the code.
    """

    forgiven: frozenset[str] = frozenset()

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.events: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self._socket.send(json.dumps({"type": kind, **fields}))

    def check(self, text: str | bytes) -> None:
        SDK_EVENT.validate_json(text, strict=True)

    def receive(self) -> dict[str, Any]:
        text = self._socket.recv(timeout=WAIT_S)
        self.check(text)
        event = dict(json.loads(text))
        assert event["type"] != "error" or event["error"]["code"] in self.forgiven, event
        self.events.append(event)
        return event

    def until(self, kind: str) -> dict[str, Any]:
        while (event := self.receive())["type"] != kind:
            pass
        return event

    def append(self, audio: bytes, frame_bytes: int = CHUNK_BYTES) -> None:
        for chunk in chunks(audio, frame_bytes):
            self.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())

    def sound(self) -> bytes:
        return b"".join(base64.b64decode(e["delta"]) for e in self.events if e["type"] == "response.output_audio.delta")


@contextmanager
def dial(server: Live, query: str, key: str = "sk-test", **headers: str) -> Iterator[Socket]:
    with connect_socket(f"{server.ws}?{query}", additional_headers={"Authorization": f"Bearer {key}", **headers}) as socket:
        yield socket


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def out_of_band(question: str, topic: str) -> dict[str, Any]:
    """The `response` of a written answer beside the conversation."""
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
    return {"conversation": "none", "metadata": {"topic": topic}, "input": [asked], "output_modalities": ["text"]}


def said(done: dict[str, Any]) -> str:
    """The words of a `response.done`."""
    parts = [part for item in done["response"]["output"] for part in item.get("content", ())]
    return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)


def deltas(events: list[dict[str, Any]], item_id: str) -> list[dict[str, Any]]:
    """What was sent of this item, in sound or words."""
    return [event for event in events if event.get("item_id") == item_id and event["type"].endswith(".delta")]


def greets(words: str) -> bool:
    """As one does who speaks first."""
    return re.search(r"\b(hello|hi|hey|welcome|good (morning|day|afternoon|evening)|help)\b", words.lower()) is not None
