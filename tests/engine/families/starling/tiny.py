"""A tiny random Starling: it understands nothing, but hears, thinks, calls and speaks, the same in every test."""

from functools import cache
from typing import Any

import torch

from realtime_server.engine.families.starling.model import StarlingModel
from realtime_server.engine.families.starling.thinker import Thinker
from realtime_server.engine.nets.talker import Talker, TalkerConfig
from realtime_server.engine.talker import voices
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.voices import Voice
from tests.conftest import tiny_codec, tiny_decoder
from tests.engine.ears import tiny as ears
from tests.engine.grammar.writing import byte_level

TEMPLATE = (
    "{% for tool in tools or [] %}<tool>{{ tool | tojson }}{% endfor %}"
    "{% for message in messages %}<{{ message.role }}>{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>\n{{ call.function | tojson }}\n</tool_call>{% endfor %}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
ARCHITECTURES = ("llama", "qwen2", "olmo2")


@cache
def tokenizer() -> Any:
    from transformers import PreTrainedTokenizerFast

    made: Any = PreTrainedTokenizerFast
    return made(tokenizer_object=byte_level(), eos_token="<|end|>", chat_template=TEMPLATE)


def network(architecture: str = "qwen2", seed: int = 0) -> Any:
    """Grouped heads; weights so wide that many different tokens come out."""
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    shape = AutoConfig.for_model(
        architecture, vocab_size=len(tokenizer()), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, initializer_range=0.3,
        bos_token_id=None, eos_token_id=None, pad_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    library: Any = AutoModelForCausalLM
    return library.from_config(shape, dtype=torch.float32).eval()


def thinker(architecture: str = "qwen2", seed: int = 0) -> Thinker:
    return Thinker(network(architecture, seed), tokenizer())


def speaker() -> Speaker:
    torch.manual_seed(5)
    config = TalkerConfig(width=32, talker_layers=2, heads=2, hidden=48, codebooks=2, codes=16)
    return Speaker(Talker(config).eval(), tiny_codec(), tiny_decoder(), torch.device("cpu"))


def starling(architecture: str = "qwen2") -> StarlingModel:
    voiced = {name: Voice(speaker=n % 2) for n, name in enumerate((*voices.NAMES, "voice_mine"))}
    return StarlingModel("tiny", ears.ear(), thinker(architecture), speaker(), voiced)
