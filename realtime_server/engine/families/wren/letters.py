"""What the transcription head (CTC) heard, as evidence: written words follow what is usual, letters follow the sound.

It is computed in the body of a turn's sequence: of people's coffee orders half cost 0.7 ms each, one in twenty 23 ms or more.
"""

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.nets.wren import CTC_LETTERS

MOST_CELLS = 1_500_000
"""Texts times letters times moments that may be tried at once: 20 to 50 ms, in which no other session moves."""
UNSAID = 12.0
"""Nats by which a text that was not said is less likely than the one that was, and more."""


def labels(text: str) -> list[int]:
    """The head's labels of letters that it knows. Raises ValueError at another."""
    return [CTC_LETTERS.index(letter) + 1 for letter in text]


def doubt(letters: Tensor, transcript: str) -> float:
    """How much less likely a transcript is than the likeliest letters: 0 or less for those, infinite for what is too long.

    In nats for each letter, times the root of their number: what is wrong by chance averages out, what was made up does not.
    letters: [T, labels] log-probabilities.
    """
    length = len(plain(transcript))
    return float(letters.amax(-1).sum() - log_likelihoods(letters, [transcript])) / math.sqrt(length) if length else 0.0


def evidence(letters: Tensor, transcript: str, options: list[str], function: str = "", parameter: str = "") -> list[float]:
    """For each option, how far the letters speak for its having been said, in nats from the likeliest of them; 0 for all
    where none was. Where they are too many or too long to try, the transcript alone speaks for those that stand in it.

    letters: [T, labels] log-probabilities. `function`, `parameter`: what the value is for, in words. A value stands behind its
    parameter's name where that was said ("with speed ..."), or else anywhere but over words that name the function or the
    parameter, since those stand for themselves.
    """
    words, name = plain(transcript).split(), plain(parameter).split()
    ways = set(map(plain, options))
    if len(ways) < 2:
        return [0.0] * len(options)
    own, written = {word for way in ways for word in way.split()}, f" {' '.join(words)} "
    standing = [way for way in ways if f" {way} " in written]
    # The name tells nothing where it is a part of the values ("light roast"), or where one of them stands elsewhere.
    starts = [] if standing or own.intersection(name) else behind(words, name)
    said = likeness(letters, transcript, options, starts, {*plain(function).split(), *name} - own)
    most = max(said, default=-math.inf)
    # What was written has its words to speak for it, too; but for a part of another that was ("coffee" in "iced coffee").
    whole = {way for way in standing if not any(f" {way} " in f" {other} " for other in standing if other != way)}
    said = [most if plain(option) in whole else nats for option, nats in zip(options, said, strict=True)]
    if most == -math.inf:
        # Of a longer value the rest may have been misheard.
        held = [any(f" {way} " in f" {plain(option)} " for way in whole) for option in options]
        return [0.0 if holds or not whole else -UNSAID for holds in held]
    # Behind a parameter's name one of its values must have been said, however unlike it sounds.
    if most < -UNSAID and not starts:
        return [0.0] * len(options)
    return [max(nats - most, -UNSAID) for nats in said]


def likeness(
    letters: Tensor, transcript: str, options: list[str], starts: Sequence[int] = (), taken: Iterable[str] = ()
) -> list[float]:
    """For each option, by how many nats the turn is likelier with it than as it was written, in the place of whichever words
    it fits best: those from one of the `starts` on, if there are any, or else any that are not `taken`. -inf for all where
    there are too many to try."""
    words = plain(transcript).split()
    ways = list(dict.fromkeys(map(plain, options)))
    # Before anything is made of it: a schema may list thousands of values.
    if not ways or len(words) * cells(letters, ways) > MOST_CELLS:
        return [-math.inf] * len(options)
    closed = set() if starts else set(taken)
    tried = [
        (way, " ".join([*words[:start], way, *words[end:]]))
        for way in ways
        for start in starts or range(len(words))
        for end in range(start + 1, min(start + len(way.split()) + 1, len(words)) + 1)
        if closed.isdisjoint(words[start:end])
    ]
    if not tried or cells(letters, [text for _, text in tried]) > MOST_CELLS:
        return [-math.inf] * len(options)
    usual, *likely = log_likelihoods(letters, [transcript, *(text for _, text in tried)]).tolist()
    best = {
        way: max((value for (of, _), value in zip(tried, likely, strict=True) if of == way), default=-math.inf) for way in ways
    }
    # A transcript may be too long for its sound, and impossible.
    return [best[plain(option)] - max(usual, -1e6) for option in options]


def behind(words: list[str], name: list[str]) -> list[int]:
    """Where these words end within those, but at the very end."""
    ends = range(len(name), len(words)) if name else ()
    return [end for end in ends if words[end - len(name) : end] == name]


def cells(letters: Tensor, texts: list[str]) -> int:
    """How much work `log_likelihoods` has."""
    return len(texts) * 2 * max(map(len, texts), default=0) * len(letters)


def log_likelihoods(letters: Tensor, texts: list[str]) -> Tensor:
    """[T, labels] -> [len(texts)] log-probabilities that these are all that was heard."""
    spelled = [torch.tensor(labels(plain(text)), dtype=torch.long) for text in texts]
    time, count = len(letters), len(texts)
    return -F.ctc_loss(letters[:, None].expand(-1, count, -1), torch.cat(spelled), torch.full((count,), time),
                       torch.tensor([len(s) for s in spelled]), reduction="none")  # fmt: skip


class PrefixScorer:
    """How likely it is that what was heard begins with each of some texts (CTC prefix scores, Watanabe et al. 2017).

    nats: [B] of each text, whatever follows it; lengths: [B] its letters.
    """

    def __init__(self, letters: Tensor, spelled: Tensor, paused: Tensor, last: Tensor, nats: Tensor, lengths: Tensor) -> None:
        """letters: [T, labels] log-probabilities; spelled, paused: [B, T + 1] that the first moments, none to all of them, are
        this text and end with its last letter, or with a blank; last: [B] the label of that letter."""
        self._letters, self._spelled, self._paused, self._last = letters, spelled, paused, last
        self.nats, self.lengths = nats, lengths

    @classmethod
    def of(cls, letters: Tensor) -> "PrefixScorer":
        """One row, which has no letters yet."""
        letters = letters.double()
        paused = F.pad(letters[:, 0].cumsum(0), (1, 0))[None]
        none = torch.zeros(1, dtype=torch.long)
        return cls(letters, torch.full_like(paused, -math.inf), paused, none, letters.new_zeros(1), none)

    def whole(self) -> Tensor:
        """[B] nats that each is all that was heard."""
        return torch.logaddexp(self._spelled[:, -1], self._paused[:, -1])

    def of_rows(self, rows: list[int]) -> "PrefixScorer":
        parts = (self._spelled, self._paused, self._last, self.nats, self.lengths)
        return PrefixScorer(self._letters, *(part[rows] for part in parts))

    def extended(self, rows: list[int], pieces: list[str]) -> "PrefixScorer":
        """The texts of these rows, each with such letters behind it."""
        now, spelled = self.of_rows(rows), [labels(piece) for piece in pieces]
        for n in range(max(map(len, spelled), default=0)):
            longer = [row for row, piece in enumerate(spelled) if len(piece) > n]
            now._spell(longer, torch.tensor([spelled[row][n] for row in longer]))  # noqa: SLF001 (of its own class)
        return now

    def _spell(self, rows: list[int], label: Tensor) -> None:
        """One letter more in these rows."""
        said = self._letters.t()[label]
        spelled, paused = self._spelled[rows], self._paused[rows]
        # The same letter twice needs a blank between.
        again = (label == self._last[rows])[:, None]
        begins = torch.logaddexp(paused, spelled.masked_fill(again, -math.inf))[:, :-1] + said
        # It goes on as long as each moment is that letter, and then as long as each is a blank.
        until, pauses = said.cumsum(1), self._letters[:, 0].cumsum(0)
        spelled = F.pad(until + (begins - until).logcumsumexp(1), (1, 0), value=-math.inf)
        paused = F.pad(pauses + (spelled[:, :-1] - F.pad(pauses, (1, 0))[:-1]).logcumsumexp(1), (1, 0), value=-math.inf)
        self._spelled[rows], self._paused[rows], self._last[rows] = spelled, paused, label
        self.nats[rows] = begins.logsumexp(1)
        self.lengths[rows] += 1
