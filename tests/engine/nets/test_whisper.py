"""A row of the decoder is the same alone and beside others, token by token and at once; states of a batch are those of one."""

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import WhisperConfig as TheirConfig
from transformers import WhisperModel

from realtime_server.engine.nets.whisper import Encoded, Sounds, Whisper, WhisperConfig, attend_in_half
from realtime_server.engine.runtime.cache import FixedCache, GrowingCache, KVCache, Rows
from tests.engine.ears.tiny import net

CPU = torch.device("cpu")
NET = net()
tokens = st.lists(st.integers(0, 255), min_size=1, max_size=12)


def sounds(number: int) -> list[Encoded]:
    """Each longer than the one before."""
    torch.manual_seed(number)
    with torch.inference_mode():
        return [NET.encode(torch.randn(1, 20 + 8 * n, 80))[0] for n in range(number)]


def caches(slots: int) -> list[KVCache]:
    shape = NET.config.cached
    return [GrowingCache(shape, CPU, least=4), FixedCache(shape, slots, 64, CPU)]


def at_once(ids: list[int], sound: Encoded) -> torch.Tensor:
    cache = GrowingCache(NET.config.cached, CPU)
    x: torch.Tensor = NET.decoder(torch.tensor([ids]), Rows(cache, [(0, 0)]), Sounds([sound]))
    return x[0]


@given(st.lists(tokens, min_size=1, max_size=4), st.booleans())
@torch.inference_mode()
def test_batched_and_cached_is_alone_and_at_once(rows: list[list[int]], one_sound: bool) -> None:
    heard = sounds(len(rows))
    heard = [heard[0]] * len(rows) if one_sound else heard
    for cache in caches(len(rows)):
        told: list[list[torch.Tensor]] = [[] for _ in rows]
        for at in range(max(map(len, rows))):
            here = [n for n, ids in enumerate(rows) if at < len(ids)]
            newest = torch.tensor([[rows[n][at]] for n in here])
            x = NET.decoder(newest, Rows(cache, [(n, at) for n in here]), Sounds([heard[n] for n in here]))
            for row, n in zip(x, here, strict=True):
                told[n].append(row[0])
        for n, ids in enumerate(rows):
            torch.testing.assert_close(torch.stack(told[n]), at_once(ids, heard[n]), atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_sounds_of_one_length_are_encoded_together() -> None:
    mel = torch.randn(3, 24, 80)
    for together, alone in zip(NET.encode(mel), mel, strict=True):
        (one,) = NET.encode(alone[None])
        assert together.states.shape == (12, NET.config.width)
        torch.testing.assert_close(together.states, one.states, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(together.attended, one.attended, atol=1e-4, rtol=1e-4)


def test_attention_in_half_is_nearly_attention() -> None:
    q, k, v = torch.randn(3, 1, 2, 30, 16)
    whole = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    assert (attend_in_half(q, k, v) - whole).norm() < 0.02 * whole.norm()


def theirs() -> Any:
    torch.manual_seed(3)
    config = TheirConfig(
        vocab_size=60, num_mel_bins=80, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, max_source_positions=20, max_target_positions=12,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=3,
    )  # fmt: skip
    return WhisperModel(config).eval()  # type: ignore[no-untyped-call]


def ours(model: Any) -> Whisper:
    """Their names: q, k and v apart, convolutions as they are."""
    theirs, state = model.state_dict(), dict[str, torch.Tensor]()
    for half in ("encoder", "decoder"):
        state[f"{half}.positions"] = theirs[f"{half}.embed_positions.weight"]
        for layer in range(2):
            here, there = f"{half}.layers.{layer}.", f"{half}.layers.{layer}."
            names = {"self_attn_layer_norm": "norm1", "final_layer_norm": "norm2", "fc1": "up", "fc2": "down", "self_attn.out_proj": "out",
                     "encoder_attn_layer_norm": "norm_sound", "encoder_attn.q_proj": "query", "encoder_attn.out_proj": "out_sound"}  # fmt: skip
            for old, new in names.items():
                for leaf in ("weight", "bias"):
                    if there + f"{old}.{leaf}" in theirs:
                        state[here + f"{new}.{leaf}"] = theirs[there + f"{old}.{leaf}"]
            for new, parts in (
                ("qkv", ("self_attn.q", "self_attn.k", "self_attn.v")),
                ("keys_values", ("encoder_attn.k", "encoder_attn.v")),
            ):
                if there + f"{parts[0]}_proj.weight" in theirs:
                    state[here + f"{new}.weight"] = torch.cat([theirs[there + f"{p}_proj.weight"] for p in parts])
                    # Keys have no bias.
                    state[here + f"{new}.bias"] = torch.cat(
                        [theirs.get(there + f"{p}_proj.bias", torch.zeros(16)) for p in parts]
                    )
        for leaf in ("weight", "bias"):
            state[f"{half}.norm.{leaf}"] = theirs[f"{half}.layer_norm.{leaf}"]
    for conv in ("conv1", "conv2"):
        state[f"encoder.{conv}.weight"] = theirs[f"encoder.{conv}.weight"].flatten(1)
        state[f"encoder.{conv}.bias"] = theirs[f"encoder.{conv}.bias"]
    state["decoder.tokens.weight"] = theirs["decoder.embed_tokens.weight"]
    made = Whisper(
        WhisperConfig(mels=80, width=16, heads=2, encoder_layers=2, decoder_layers=2, vocabulary=60, states=20, positions=12)
    )
    made.load_state_dict(state)
    return made.eval()


@torch.inference_mode()
def test_it_computes_what_transformers_does() -> None:
    model = theirs()
    made, mel, ids = ours(model), torch.randn(1, 40, 80), torch.tensor([[3, 7, 50, 11]])
    whole = model(input_features=mel.transpose(1, 2), decoder_input_ids=ids)
    (sound,) = made.encode(mel)
    torch.testing.assert_close(sound.states, whole.encoder_last_hidden_state[0], atol=1e-4, rtol=1e-4)
    x = made.decoder(ids, Rows(GrowingCache(made.config.cached, CPU), [(0, 0)]), Sounds([sound]))
    torch.testing.assert_close(x, whole.last_hidden_state, atol=1e-4, rtol=1e-4)
