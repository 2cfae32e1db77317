"""What the thinker reads where the ear is unsure: of each token of a doubtful word the expected embedding.

That is the mean of the thinker's embeddings of all that the ear may have heard there, by the ear's own probabilities. Where the
ear is sure, this is the text itself, which is then read as text. A word is doubtful where one of its tokens is, and stays so in
the history.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from realtime_server.engine.ears.transcript import Transcript
from realtime_server.engine.ears.vocabulary import Vocabulary
from realtime_server.engine.runtime.steps import FRAME

SURE = 0.7
"""A likeliest token that is as likely as this is taken for what was said."""
Embed = Callable[[list[int]], Tensor]
"""The thinker's ids [n] -> [n, width]."""
Frames = Mapping[int, Tensor]
"""Ids below FRAME -> what stands there, [width]."""


@dataclass(frozen=True)
class Doubt:
    """A word that may be another. begin, end: its letters in the text, with a space before it. ids: one for each of its tokens,
    the same wherever the same stands there."""

    begin: int
    end: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Said:
    """What was said, as text and as it is read."""

    text: str
    doubts: tuple[Doubt, ...] = ()
    frames: Frames = field(default_factory=dict)


class Reader:
    """A transcript -> what the thinker reads of it."""

    def __init__(self, vocabulary: Vocabulary, encode: Callable[[str], list[int]], embed: Embed) -> None:
        """`vocabulary`: the ear's; `encode`, `embed`: the thinker's."""
        self._vocabulary, self._encode, self._embed = vocabulary, encode, embed
        self._meanings: dict[tuple[int, bool], Tensor | None] = {}

    def read(self, heard: Transcript) -> Said:
        """Its text, and an embedding in the place of each token of a doubtful word; a mark is not worth a doubt."""
        doubts, frames = list[Doubt](), dict[int, Tensor]()
        whole = self._vocabulary.text(heard.tokens)
        before = len(whole) - len(whole.lstrip())
        for begin, end in _words(self._vocabulary, heard.tokens):
            if not re.search(r"\w", self._vocabulary.text(heard.tokens[begin:end])) or not _doubtful(heard, begin, end):
                continue
            means = self._expected(heard, begin, end)
            if means:
                read = [(identified(mean), mean) for mean in means]
                letters = [len(self._vocabulary.text(heard.tokens[:n])) - before for n in (begin, end)]
                doubts.append(Doubt(max(0, letters[0]), letters[1], tuple(token for token, _ in read)))
                frames |= dict(read)
        return Said(heard.text, tuple(doubts), frames)

    def _expected(self, heard: Transcript, begin: int, end: int) -> list[Tensor]:
        """One for each token; none where something is likely that is no text."""
        means = [self._mean(heard.likely[n].tolist(), heard.probabilities[n].tolist(), first=n == 0) for n in range(begin, end)]
        kept = [mean for mean in means if mean is not None]
        return kept if len(kept) == len(means) else []

    def _mean(self, tokens: list[int], probabilities: list[float], first: bool) -> Tensor | None:
        known = [(self._meaning(token, first), p) for token, p in zip(tokens, probabilities, strict=True)]
        kept = [(meaning, p) for meaning, p in known if meaning is not None]
        total = sum(p for _, p in kept)
        if total < SURE:
            return None
        return torch.stack([meaning * (p / total) for meaning, p in kept]).sum(0)

    def _meaning(self, token: int, first: bool) -> Tensor | None:
        """[width]: the mean of what the thinker makes of its text; None for what is none by itself."""
        if (token, first) not in self._meanings:
            text = self._vocabulary.text([token])
            ids = [] if "\ufffd" in text else self._encode((first and text.lstrip()) or text)
            self._meanings[token, first] = self._embed(ids).float().cpu().mean(0) if ids else None
        return self._meanings[token, first]


def identified(frame: Tensor) -> int:
    """An id below FRAME by what stands there: so streams begin alike where the same was heard."""
    digest = hashlib.blake2b(frame.numpy().tobytes(), digest_size=7).digest()
    return FRAME - 1 - int.from_bytes(digest)


def _words(vocabulary: Vocabulary, tokens: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where each begins and ends; a mark of punctuation is a word by itself."""
    begin = 0
    for n in range(1, len(tokens) + 1):
        parted = n == len(tokens) or vocabulary.begins_word(tokens[n])
        if parted or _is_mark(vocabulary, tokens[n]) or _is_mark(vocabulary, tokens[begin]):
            yield begin, n
            begin = n


def _is_mark(vocabulary: Vocabulary, token: int) -> bool:
    text = vocabulary.text([token])
    return bool(text.strip()) and not re.search(r"\w|\ufffd", text)


def _doubtful(heard: Transcript, begin: int, end: int) -> bool:
    """What was chosen against the ear's own first guess, such as a keyword, is not."""
    likeliest = heard.likely[begin:end, 0].tolist()
    if likeliest != list(heard.tokens[begin:end]):
        return False
    return float(heard.probabilities[begin:end, 0].min()) < SURE


@dataclass
class Marks:
    """Stand for doubtful words in a text that a chat template is filled with; nobody outside can write one."""

    secret: str
    doubts: list[Doubt] = field(default_factory=list)
    frames: dict[int, Tensor] = field(default_factory=dict)

    def write(self, said: Said) -> str:
        """Its text, with a mark for each doubtful word."""
        parts, at = [], 0
        for doubt in said.doubts:
            parts += [said.text[at : doubt.begin], f"\ue000{self.secret}:{len(self.doubts)}\ue001"]
            self.doubts.append(doubt)
            at = doubt.end
        self.frames |= said.frames
        return "".join(parts) + said.text[at:]

    def ids(self, text: str, encode: Callable[[str], list[int]]) -> list[int] | None:
        """Of a text in which each mark stands once, in their order; None where a template has done something else to them."""
        parts = re.split(f"\ue000{self.secret}:(\\d+)\ue001", text)
        if [int(number) for number in parts[1::2]] != list(range(len(self.doubts))):
            return None
        result = encode(parts[0])
        for doubt, behind in zip(self.doubts, parts[2::2], strict=True):
            result += [*doubt.ids, *encode(behind)]
        return result
