"""Tokenizers made on the spot, and a model that writes whatever its mask allows."""

import json
from collections.abc import Callable
from functools import lru_cache

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from realtime_server.engine.grammar.mask import Masks, Matcher
from realtime_server.engine.grammar.parsing import ArgumentsDelta, CallDone, CallMalformed, CallStarted, Parsed, Text
from realtime_server.engine.grammar.tokens import Vocabulary, vocabulary

CPU = torch.device("cpu")
LINES = [
    '{"name": "get_weather", "arguments": {"city": "Zürich", "days": 3}}',
    "Hello there, the weather is fine 😀",
    "2026-11-30 a@b.com",
]
MARKERS = ["<tool_call>", "</tool_call>", "[TOOL_CALLS]"]


@lru_cache(maxsize=1)
def byte_level() -> Tokenizer:
    """As Qwen's: any byte is a token, and markers of calls are added tokens that are not called special."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(LINES * 5, trainer)
    tokenizer.add_tokens([AddedToken(marker, normalized=False) for marker in MARKERS[:2]])
    tokenizer.add_special_tokens([AddedToken(marker, normalized=False) for marker in MARKERS[2:]])
    return tokenizer


@lru_cache(maxsize=1)
def metaspace() -> Tokenizer:
    """As Llama 2's and Mistral's: a space is a letter of its words, and bytes stand in for letters that it does not know."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    ascii_letters = [chr(n) for n in range(33, 127)]
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=ascii_letters, show_progress=False
    )
    tokenizer.train_from_iterator(LINES * 5, trainer)
    written = json.loads(tokenizer.to_str())
    known = written["model"]["vocab"]
    known.update({f"<0x{byte:02X}>": len(known) + byte for byte in range(256)})
    tokenizer = Tokenizer.from_str(json.dumps(written))
    tokenizer.add_special_tokens([AddedToken(marker, normalized=False) for marker in MARKERS])
    return tokenizer


def _id(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    assert number is not None
    return int(number)


def bytes_vocabulary() -> Vocabulary:
    return vocabulary(byte_level(), byte_level().get_vocab_size() + 5, [_id(byte_level(), "<|end|>")])


def pieces_vocabulary() -> Vocabulary:
    return vocabulary(metaspace(), metaspace().get_vocab_size(), [_id(metaspace(), "</s>")])


VOCABULARIES: dict[str, Callable[[], Vocabulary]] = {"byte-level": bytes_vocabulary, "metaspace": pieces_vocabulary}
TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {"byte-level": byte_level, "metaspace": metaspace}
PATIENCE, MOST = 60, 4000


@lru_cache(maxsize=4)
def _wishes(vocabulary: Vocabulary) -> tuple[torch.Tensor, torch.Tensor]:
    """What ends things, and, for what is hard to end, plain characters."""
    written = [vocabulary.bytes_of(token) for token in range(vocabulary.size)]
    closing = torch.tensor([(bool(one) and not one.strip(b'"}]')) * (12.0 + 12 * one.startswith(b'"')) for one in written])
    closing[[*vocabulary.ends, *vocabulary.special.values()]] = 40.0
    return closing, 12 * torch.tensor([len(one) == 1 and one.isascii() and one.isalnum() for one in written]).float()


def written(matcher: Matcher, seed: int, call_at: int | None = None) -> list[int]:
    """Tokens of random logits under the mask, until they end. After a while, most try to end something."""
    vocabulary = matcher.vocabulary
    masks, random = Masks(vocabulary, 1, CPU), torch.Generator().manual_seed(seed)
    closing, plain = _wishes(vocabulary)
    markers = torch.zeros(vocabulary.size)
    markers[[vocabulary.special[marker] for marker in MARKERS]] = 1000.0
    tokens: list[int] = []
    while not matcher.is_over:
        assert len(tokens) < MOST, vocabulary.tokenizer.decode_str(tokens)
        allowed = masks.fill([matcher])
        assert allowed is not None
        assert not matcher.fault
        assert allowed.any(), "Nothing may be written."
        logits = torch.randn(vocabulary.size, generator=random) * 3
        if len(tokens) > PATIENCE:
            logits += closing if len(tokens) % 3 else plain
        if len(tokens) == call_at:
            logits += markers
        tokens.append(int(logits.masked_fill(~allowed[0], -torch.inf).argmax()))
        matcher.accept(tokens[-1:])
    return tokens


def gathered(parsed: list[Parsed]) -> tuple[str, list[tuple[str, str]]]:
    """The text, and the calls: names and arguments."""
    text, calls, done = "", list[tuple[str, str]](), 0
    for one in parsed:
        assert not isinstance(one, CallMalformed), one
        if isinstance(one, Text):
            text += one.text
        elif isinstance(one, CallStarted):
            calls.append((one.name, ""))
        elif isinstance(one, ArgumentsDelta):
            calls[-1] = (calls[-1][0], calls[-1][1] + one.text)
        elif isinstance(one, CallDone):
            done += 1
    assert done == len(calls)
    return text, calls
