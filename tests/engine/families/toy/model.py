"""Toy as an engine's model: a stock language model thinks, ears and voice are a few lines of arithmetic."""

from functools import partial
from pathlib import Path
from typing import Any, assert_never

import torch
from tokenizers import Tokenizer
from torch import nn

from realtime_server.engine.contract import ModelCommand
from realtime_server.engine.grammar.tokens import vocabulary
from realtime_server.engine.runtime.causal_lm import CausalLM
from realtime_server.engine.runtime.prefix import Prefixes
from realtime_server.engine.runtime.sequences import Sequences, Work
from realtime_server.engine.runtime.steps import Stream
from realtime_server.messages import (
    Abilities,
    Cancel,
    Commit,
    Forget,
    Hear,
    Listen,
    Output,
    Respond,
    ResponseFailed,
    TranscriptFailed,
)
from tests.engine.families.toy.answering import Thinker, answer
from tests.engine.families.toy.hearing import Turn, hear
from tests.engine.families.toy.prompt import END, ContextTooLong
from tests.engine.families.toy.speaking import PITCHES_HZ


class ToyModel:
    def __init__(self, name: str, net: nn.Module, tokenizer: Tokenizer) -> None:
        self.name = name
        self.abilities = Abilities(voice_ids=frozenset(PITCHES_HZ), schemas="json")
        config: Any = net.config
        self._lm = CausalLM(net)
        self._prefixes = Prefixes(self._lm.slots)
        self._sequences = Sequences(self._lm.run, refusals=(ContextTooLong,))
        (end,) = tokenizer.encode(END, add_special_tokens=False).ids
        self._thinker = Thinker(tokenizer, vocabulary(tokenizer, config.vocab_size, [end]), self._lm.longest, self._lm.device)
        self._turns: dict[tuple[str, str], Turn] = {}

    @classmethod
    def load(cls, folder: Path, config: dict[str, Any], device: torch.device) -> "ToyModel":
        from transformers import AutoModelForCausalLM

        net = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        return cls(folder.name, net.to(device), Tokenizer.from_file(str(folder / "tokenizer.json")))

    @property
    def slots_in_use(self) -> int:
        return self._lm.slots.in_use

    def run(self, session_id: str, command: ModelCommand) -> None:
        match command:
            case Listen():
                self._listen(session_id, command)
            case Hear():
                self._turns[session_id, command.item_id].waiting.append(command.samples)
            case Commit():
                self._turns[session_id, command.item_id].committed = True
            case Forget():
                self._sequences.drop(session_id, command.item_id)
            case Respond():
                self._respond(session_id, command)
            case Cancel():
                self._sequences.drop(session_id, command.response_id)
            case _:
                assert_never(command)

    def _listen(self, session_id: str, command: Listen) -> None:
        outputs: list[Output] = []
        turn = self._turns[session_id, command.item_id] = Turn()
        failure = partial(_not_heard, command.item_id)
        free = partial(self._turns.pop, (session_id, command.item_id))
        self._sequences.start(session_id, command.item_id, Work(hear(turn, command.item_id, outputs), outputs, failure, free))

    def _respond(self, session_id: str, request: Respond) -> None:
        outputs: list[Output] = []
        used: list[Stream] = []

        def free() -> None:
            for stream in used:
                self._prefixes.keep(session_id, stream)

        body = answer(request, self._thinker, partial(self._prefixes.take, session_id), used, outputs)
        work = Work(body, outputs, partial(_not_answered, request.response_id), free)
        self._sequences.start(session_id, request.response_id, work)

    def hold(self, session_id: str, held: bool) -> None:
        self._sequences.hold(session_id, held)

    def end(self, session_id: str) -> None:
        self._sequences.end(session_id)
        self._prefixes.end(session_id)

    def step(self) -> list[tuple[str, Output]] | None:
        return self._sequences.step()

    def abandon(self) -> list[tuple[str, Output]]:
        return self._sequences.abandon()


def _not_heard(item_id: str, _: Exception) -> TranscriptFailed:
    return TranscriptFailed(item_id, "The model failed to hear this turn.")


def _not_answered(response_id: str, error: Exception) -> ResponseFailed:
    if isinstance(error, ContextTooLong):
        return ResponseFailed(response_id, "context_length_exceeded", str(error))
    return ResponseFailed(response_id, "server_error", "The model failed to answer.")
