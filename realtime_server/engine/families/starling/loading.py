"""Starling's parts, each from its files: the ear, the thinker, and the talker with its voices."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from realtime_server.engine.contract import ModelError
from realtime_server.engine.ears.whisper import WhisperEar
from realtime_server.engine.families.starling.thinker import Thinker
from realtime_server.engine.nets.codec import Codec
from realtime_server.engine.nets.decoder import Decoder
from realtime_server.engine.nets.packed import fill, pack
from realtime_server.engine.nets.talker import Talker, TalkerConfig
from realtime_server.engine.talker import voices
from realtime_server.engine.talker.speaker import Speaker
from realtime_server.engine.talker.voices import Voices
from realtime_server.messages import GREEDY, Sampling

GPU_SLOTS = 32
"""Of a thinker's cache on a GPU, where its shape is fixed."""


def load_ear(folder: Path, device: torch.device) -> WhisperEar:
    return WhisperEar.load(folder, device)


def load_speaker(folder: Path, config: dict[str, Any], device: torch.device) -> tuple[Speaker, Voices]:
    """From `talker.safetensors`, `voices.json`, and the parts of the config."""
    weights = {name: tensor.float() for name, tensor in load_file(folder / "talker.safetensors").items()}
    net, codec = Talker(TalkerConfig(**config["talker"])), Codec(**config["codec"])
    decoder = Decoder(**config["decoder"])
    for prefix, part in (("talker.", net), ("codec.", codec), ("decoder.", decoder)):
        part.load_state_dict({n.removeprefix(prefix): t for n, t in weights.items() if n.startswith(prefix)})
    voiced = voices.read(folder / "voices.json", net.config.voices, decoder.timbres)
    return Speaker(net, codec, decoder, device), voiced


def load_thinker(folder: Path, config: dict[str, Any], device: torch.device) -> Thinker:
    """`config`: `from`, a folder of ours within the model's, or a foreign one, or a hub's name; `sampling`, where the client
    asks for none. Raises ModelError."""
    own = folder / config["from"]
    if Path(config["from"]).is_absolute() or not own.is_dir():
        return _foreign(config["from"], device)
    return _shipped(own, Sampling(**config.get("sampling", {"temperature": 0.0})), device)


def _shipped(folder: Path, sampling: Sampling, device: torch.device) -> Thinker:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    shape = AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(shape, dtype=torch.float32)  # type: ignore[no-untyped-call]
    tensors: dict[str, Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    model = fill(model, tensors, None if device.type == "cpu" else torch.bfloat16).to(device)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Thinker(model, tokenizer, sampling, _slots(device))


def _foreign(name: str, device: torch.device) -> Thinker:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"--thinker {name}: {' '.join(str(error).split())[:300]}") from None
    if not tokenizer.chat_template:
        raise ModelError(f"--thinker {name}: its tokenizer has no chat template.")
    placed: Any = pack(model) if device.type == "cpu" else torch.nn.Module.to(model, device)
    return Thinker(placed, tokenizer, _usual(model), _slots(device))


def _usual(model: Any) -> Sampling:
    """As the model's makers recommend it."""
    given = model.generation_config
    if given is None or not given.do_sample:
        return GREEDY
    return Sampling(given.temperature or 1.0, given.top_p or 1.0, given.repetition_penalty or 1.0)


def _slots(device: torch.device) -> int:
    return 0 if device.type == "cpu" else GPU_SLOTS
