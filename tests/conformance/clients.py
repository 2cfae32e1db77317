"""The SDKs' connections behind one face: `send` a client event, `receive` the next server event as the SDK read it."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from openai import AsyncOpenAI, OpenAI

from tests.conformance.conftest import Secure
from tests.live import Live

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
        else:
            yield await stack.enter_async_context(node(secure, "sdk.mjs", secure.base_url, kind.removeprefix("node-")))


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
