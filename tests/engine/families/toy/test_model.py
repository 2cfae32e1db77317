"""A family that was brought in from outside: from a hub's folder, through the loader and the worker, to the client's events."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator

from realtime_server import messages as m
from realtime_server.engine import dialects, loader
from realtime_server.session.session import Session
from realtime_server.session.start import SessionStart
from realtime_server.transport.call import Call
from tests.engine.families.toy.model import ToyModel
from tests.engine.grammar.writing import byte_level
from tests.helpers import TEXT_ITEM, pcm
from tests.live import WAIT_S
from tests.transport.engines.test_client import WatchedShell, local_engine

FAMILIES = {**loader.FAMILIES, "llama": "tests.engine.families.toy.model:ToyModel"}
ORDER = {
    "type": "object",
    "properties": {"size": {"enum": ["small", "large"]}, "shots": {"type": "integer", "minimum": 1, "maximum": 3}},
    "required": ["size", "shots"],
}
TOOL = {"type": "function", "name": "order_coffee", "parameters": ORDER}
LOUD, QUIET = (np.tile(np.repeat(np.array([level, -level], np.float32), 24), 250) for level in (0.5, 0.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the hub has them: a config of the library's, safetensors, a tokenizer, no manifest."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = LlamaConfig(
        vocab_size=byte_level().get_vocab_size(), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, initializer_range=0.3,
        bos_token_id=None, eos_token_id=None, tie_word_embeddings=False,
    )  # fmt: skip
    made = tmp_path_factory.mktemp("hub") / "toy"
    LlamaForCausalLM(sizes).save_pretrained(made)
    byte_level().save(str(made / "tokenizer.json"))
    return made


@pytest.fixture(scope="module")
def model(folder: Path) -> ToyModel:
    loaded = loader.load(str(folder), "cpu", FAMILIES)
    assert isinstance(loaded, ToyModel)
    return loaded


async def answered(shell: WatchedShell, count: int, **response: Any) -> dict[str, Any]:
    shell.say("response.create", response=response)
    await shell.until("response.done", count)
    done: dict[str, Any] = [event for event in shell.events if event["type"] == "response.done"][-1]["response"]
    return done


async def converse(shell: WatchedShell) -> list[dict[str, Any]]:
    """A typed turn, a spoken one, a call, a written answer, one that is cut short; what each response was when it was done."""
    await shell.until("session.created")
    audio = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}
    shell.say("session.update", session={"type": "realtime", "tools": [TOOL], "tool_choice": "none", "audio": audio})
    shell.say("conversation.item.create", item=TEXT_ITEM)
    spoken = await answered(shell, 1, max_output_tokens=20)
    for sound in (LOUD, QUIET):
        shell.say("input_audio_buffer.append", audio=pcm(sound))
    shell.say("input_audio_buffer.commit")
    await shell.until("conversation.item.input_audio_transcription.completed")
    again = await answered(shell, 2, max_output_tokens=20)
    called = await answered(shell, 3, tool_choice={"type": "function", "name": "order_coffee"}, output_modalities=["text"])
    written = await answered(shell, 4, output_modalities=["text"], max_output_tokens=20)
    shell.say("response.create", response={})
    shell.say("response.cancel")
    await shell.until("response.done", 5)
    shell.gone.set()
    return [spoken, again, called, written]


@pytest.fixture(scope="module")
def talked(model: ToyModel) -> tuple[ToyModel, list[dict[str, Any]], list[dict[str, Any]]]:
    """The model, the responses of a conversation, all of its events."""

    async def scenario() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        async with local_engine(model) as engine:
            judge = dialects.JUDGES[model.abilities.schemas]
            start = SessionStart(
                model.name, False, 0, asyncio.get_running_loop().time(), abilities=model.abilities, judge=judge
            )
            call = Call("call", Session(start), engine)
            shell = WatchedShell(call)
            async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
                group.create_task(call.run(shell))
                responses = await converse(shell)
            return responses, shell.events

    return model, *asyncio.run(scenario())


Talked = tuple[ToyModel, list[dict[str, Any]], list[dict[str, Any]]]


def test_it_answers_in_words_and_sound(talked: Talked) -> None:
    _, (spoken, _, _, written), events = talked
    (item,) = spoken["output"]
    assert item["content"][0]["type"] == "output_audio"
    assert item["content"][0]["transcript"]
    sound = [
        event for event in events if event["type"] == "response.output_audio.delta" and event["response_id"] == spoken["id"]
    ]
    assert len(sound) > 1
    assert written["output"][0]["content"][0]["text"]
    assert not any(event["response_id"] == written["id"] for event in events if event["type"] == "response.output_audio.delta")


def test_it_hears_at_the_rate_of_its_own_ears(talked: Talked) -> None:
    """Half a second of each, in tenths."""
    heard = [event for event in talked[2] if event["type"] == "conversation.item.input_audio_transcription.completed"]
    assert [event["transcript"] for event in heard] == [" ".join(["loud"] * 5 + ["quiet"] * 5)]


def test_it_calls_as_the_schema_wants(talked: Talked) -> None:
    call = talked[1][2]["output"][0]
    assert (call["type"], call["name"], call["status"]) == ("function_call", "order_coffee", "completed")
    Draft202012Validator(ORDER).validate(json.loads(call["arguments"]))


def test_what_was_read_before_is_not_read_again(talked: Talked) -> None:
    """Of the second prompt all that the first one had is still there."""
    first, second = (response["usage"]["input_token_details"] for response in talked[1][:2])
    assert first["cached_tokens"] == 0
    assert second["cached_tokens"] > 0


def asked(text: str) -> m.Respond:
    item = m.Message("item", "user", (m.Text(text),))
    return m.Respond("response", m.Context("", (), (item,)), True, "voice_high", "none", 12)


def told(model: ToyModel, session_id: str) -> list[str]:
    """All that is still to come for a session: its words."""
    words = list[str]()
    while (outputs := model.step()) is not None:
        words += [output.text for name, output in outputs if name == session_id and isinstance(output, m.TextDelta)]
    return words


def test_a_session_that_ends_leaves_nothing_behind_and_disturbs_no_other(model: ToyModel) -> None:
    before = model.slots_in_use
    model.run("alone", asked("Hello"))
    alone = told(model, "alone")
    model.end("alone")
    assert alone
    for session_id in ("gone", "other"):
        model.run(session_id, asked("Hello"))
    first = [output.text for name, output in model.step() or () if name == "other" and isinstance(output, m.TextDelta)]
    model.end("gone")
    assert first + told(model, "other") == alone
    model.end("other")
    assert model.slots_in_use == before
