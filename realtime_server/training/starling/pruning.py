"""The rows of a vocabulary that English needs, and a tokenizer and a model with no others: any text can still be written.

python -m realtime_server.training.starling.pruning MODEL OUT

Kept are all single bytes, all special tokens, what the tokenizer learned first of what is plain ASCII (punctuation, JSON, names
of functions), the short tokens of nothing but marks (the seams of JSON), whatever the training dialogues are written in, and
the pieces of the most frequent English words, each with the pieces that its merges make it of. A model is pruned before it is
tuned: so it is tuned on the tokens that it will write.
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor, nn

from realtime_server.training.starling import rendering, sessions

Spec = dict[str, Any]
"""A tokenizer.json of byte-level BPE."""
FORMS = (
    (" {}", str.lower, 1.0),
    (" {}", str.capitalize, 0.2),
    ("{}", str.capitalize, 0.1),
    ("{}", str.lower, 0.05),
    (" {}", str.upper, 0.02),
)
"""How often a word stands behind a space or begins a text, in small letters or with capitals: guesses."""
ALIKE = 0.97
"""Cosine of two rows that were one before each was rounded."""
ROWS = 43_008
LONGEST_MARK = 6
"""Letters of a token of marks."""
DIALOGUES = 3_000
"""Of training, whose tokens are kept."""
WORDS = 100_000
EARLY = 16_000
"""Of what the tokenizer learned first, those in plain ASCII are kept."""


def english(spec: Spec, rows: int, texts: Iterable[str] = ()) -> list[int]:
    """So many ids, sorted, among them all that `texts` need."""
    kept = _Kept(spec)
    vocabulary = spec["model"]["vocab"]
    kept.add(token for token in vocabulary if len(token) == 1 or (len(token) <= LONGEST_MARK and _is_mark(token)))
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    for text in texts:
        kept.add(token for token in tokenizer.encode(text).tokens if token in vocabulary)
    early = sorted(spec["model"]["vocab"].items(), key=lambda entry: entry[1])[:EARLY]
    kept.add(token for token, _ in early if _is_ascii(token))
    for token in _by_frequency(spec):
        if len(kept.ids) >= rows:
            break
        kept.add((token,))
    return sorted(kept.ids)


class _Kept:
    """Ids, and those of whatever they are merged from."""

    def __init__(self, spec: Spec) -> None:
        self._vocabulary: dict[str, int] = spec["model"]["vocab"]
        self._parts: dict[str, tuple[str, str]] = {}
        for merge in spec["model"]["merges"]:
            left, right = _pair(merge)
            self._parts.setdefault(left + right, (left, right))
        self.ids = {added["id"] for added in spec["added_tokens"]}

    def add(self, tokens: Iterable[str]) -> None:
        waiting = list(tokens)
        while waiting:
            token = waiting.pop()
            if self._vocabulary[token] not in self.ids:
                self.ids.add(self._vocabulary[token])
                waiting += self._parts.get(token, ())


def _pair(merge: str | list[str]) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _is_ascii(token: str) -> bool:
    """Byte-level letters stand for bytes; those of ASCII are themselves, or moved up where they cannot be seen."""
    moved = {chr(256 + n): chr(n) for n in range(33)}
    return all(ord(moved.get(letter, letter)) < 128 for letter in token)


def _is_mark(token: str) -> bool:
    """Of nothing but punctuation and white space, all of it ASCII."""
    return _is_ascii(token) and not any(letter.isascii() and letter.isalnum() for letter in token)


def _by_frequency(spec: Spec) -> Iterator[str]:
    """Tokens of English words, the most frequent first."""
    import wordfreq

    tokenizer = Tokenizer.from_str(json.dumps(spec))
    counts: dict[str, float] = {}
    words = wordfreq.top_n_list("en", WORDS)
    for form, shape, share in FORMS:
        for word, encoded in zip(words, tokenizer.encode_batch([form.format(shape(w)) for w in words]), strict=True):
            weight = share * wordfreq.word_frequency(word, "en")
            for token in encoded.tokens:
                counts[token] = counts.get(token, 0.0) + weight
    return iter(sorted(counts, key=lambda token: -counts[token]))


def pruned(spec: Spec, ids: list[int]) -> Spec:
    """The tokenizer with no others, numbered anew in their order."""
    new = {old: n for n, old in enumerate(ids)}
    vocabulary = {token: new[old] for token, old in spec["model"]["vocab"].items() if old in new}
    merges = [merge for merge in spec["model"]["merges"] if {*_pair(merge), "".join(_pair(merge))} <= vocabulary.keys()]
    added = [{**token, "id": new[token["id"]]} for token in spec["added_tokens"]]
    return {**spec, "added_tokens": added, "model": {**spec["model"], "vocab": vocabulary, "merges": merges}}


def all_bytes_stay(spec: Spec) -> bool:
    return set(ByteLevel.alphabet()) <= spec["model"]["vocab"].keys()


def prune(model: Any, ids: list[int]) -> Any:
    """A stock model, in place: rows of embedding and head. A head of its own, where the model has one, is tied to neither."""
    rows = torch.tensor(ids)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        if len(layer.weight) != len(ids):
            layer.weight = nn.Parameter(layer.weight.data[rows].clone(), requires_grad=False)
    model.get_input_embeddings().padding_idx = None
    new = {old: n for n, old in enumerate(ids)}
    for config in (model.config, model.generation_config):
        for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
            old: Any = getattr(config, name, None)
            setattr(config, name, [new[one] for one in old] if isinstance(old, list) else new.get(old))
    model.config.vocab_size = len(ids)
    return model


def tie(model: Any) -> tuple[Tensor, Tensor]:
    """The embedding has the head's rows: once they were one, and the head's were kept more precisely. But not those that
    training has drawn apart: their ids [n], and the embedding's rows [n, width]."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings().weight
    apart = nn.functional.cosine_similarity(embedding.weight.data, head.data, dim=1) < ALIKE
    rows = apart.nonzero().flatten()
    own = embedding.weight.data[rows].clone()
    embedding.weight = head
    model.config.tie_word_embeddings = True
    return rows, own


def read(folder: Path) -> Spec:
    spec: Spec = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    return spec


def dialogues(tokenizer: Any, count: int, seed: int = 0) -> Iterator[str]:
    """As the tuning writes them."""
    rng = random.Random(seed)
    return (rendering.text(tokenizer, sessions.sample(rng)) for _ in range(count))


def write(source: Path, out: Path, rows: int = ROWS, count: int = DIALOGUES) -> None:
    """A folder that loads like any from the hub, with one table as embedding and head."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    library: Any = AutoModelForCausalLM
    spec, tokenizer = read(source), AutoTokenizer.from_pretrained(source)
    ids = english(spec, rows, dialogues(tokenizer, count))
    model = prune(library.from_pretrained(source, dtype=torch.float32), ids)
    tie(model)
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "tokenizer.json").write_text(json.dumps(pruned(spec, ids), ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS, help="of the vocabulary (%(default)s)")
    options = parser.parse_args()
    write(options.model, options.out, options.rows)


if __name__ == "__main__":
    main()
