"""Whisper's tokens: pieces of text, timestamps, and marks that steer the decoder."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

TIMESTAMP_S = 0.02
"""From one timestamp to the next; the first says 0.00."""
TIMESTAMPS = 1501


class Vocabulary:
    def __init__(self, tokenizer: Any, suppressed: Sequence[int] = (), not_first: Sequence[int] = ()) -> None:
        """`suppressed`: tokens that are never said, such as the names of sounds; `not_first`: nor at a beginning."""
        self.tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size()
        self.end, self.start = self._mark("endoftext"), self._mark("startoftranscript")
        self.transcribe, self.no_speech = self._mark("transcribe"), self._no_speech()
        self.first_timestamp = self._mark("notimestamps") + 1
        marks = self.tokenizer.get_vocab()
        self.languages: dict[str, int] = {
            mark[2:-2]: token for mark, token in marks.items() if re.fullmatch(r"<\|[a-z]{2,3}\|>", mark) and token > self.start
        }
        self.size = max(self.size, self.first_timestamp + TIMESTAMPS)
        self.open = torch.ones(self.size, dtype=torch.bool)
        """[size] what may follow: text, the end, timestamps."""
        self.open[self.end + 1 : self.first_timestamp] = False
        self.open[list(suppressed)] = False
        self.open_first = self.open.clone()
        self.open_first[[*not_first, self.end]] = False

    @classmethod
    def load(cls, path: Path, suppressed: Sequence[int] = (), not_first: Sequence[int] = ()) -> "Vocabulary":
        return cls(Tokenizer.from_file(str(path)), suppressed, not_first)

    def prompt(self, language: str = "en") -> list[int]:
        """What a transcript of this language begins behind; English where the language is not known."""
        return [self.start, self.languages.get(language, self.languages["en"]), self.transcribe, self.first_timestamp]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, tokens: Sequence[int]) -> str:
        """Without marks and timestamps."""
        text: str = self.tokenizer.decode([token for token in tokens if token < self.end])
        return text

    def pieces(self, tokens: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Where each piece of text begins and ends that can be shown by itself: a token, or those of one character."""
        begin = 0
        for end in range(1, len(tokens) + 1):
            if end == len(tokens) or not self.text(tokens[begin:end]).endswith("\ufffd"):
                yield begin, end
                begin = end

    def begins_word(self, token: int) -> bool:
        """Does a word begin with it?"""
        return self.text([token]).startswith(" ")

    def seconds(self, timestamp: int) -> float:
        return (timestamp - self.first_timestamp) * TIMESTAMP_S

    def split(self, logprobs: Tensor) -> tuple[Tensor, Tensor]:
        """[..., size] -> those of text with the end, and those of timestamps."""
        return logprobs[..., : self.end + 1], logprobs[..., self.first_timestamp :]

    def _mark(self, name: str) -> int:
        token: int | None = self.tokenizer.token_to_id(f"<|{name}|>")
        if token is None:
            raise ValueError(f"the tokenizer has no <|{name}|>")
        return token

    def _no_speech(self) -> int:
        token: int | None = self.tokenizer.token_to_id("<|nospeech|>")
        return self._mark("nocaptions") if token is None else token
