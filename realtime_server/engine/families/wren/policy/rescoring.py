"""Other transcripts of a turn than the one that was written: how likely they are, and which of them mean something.

All are tried at once behind the turn's frames, each as if it stood there alone.
"""

import math
from collections.abc import Collection, Generator, Sequence
from enum import Enum
from itertools import accumulate, dropwhile, takewhile
from typing import TypeVar

import torch
from torch import Tensor

from realtime_server.engine.families.wren.letters import MOST_CELLS, cells, log_likelihoods
from realtime_server.engine.families.wren.policy.beam_search import Found, Searching, common
from realtime_server.engine.families.wren.policy.lexicon_correction import ANY_WORD_BEHIND, WordList, heard_letters
from realtime_server.engine.families.wren.policy.rules import Transcribing
from realtime_server.engine.families.wren.policy.thresholds import Rescoring
from realtime_server.engine.families.wren.script import CALL, MARKS, NOT_KNOWN, NOT_UNDERSTOOD, REPLY, USER, Script, whole_words
from realtime_server.engine.families.wren.steps import Try
from realtime_server.engine.families.wren.words import plain
from realtime_server.engine.runtime.steps import FRAME, Stream

T = TypeVar("T")
Rescored = Generator[Try, list[Tensor], T]
MOST_TRIED, FINALISTS = 240, 6
"""Positions in one step, in which no other session moves; and transcripts of which more is tried than where they differ."""


class ReplyKind(Enum):
    """What a transcript would be answered with; a refusal says that it was not understood."""

    WORDS, CALL, REFUSAL = range(3)


class Rescorer:
    """Its methods are sub-generators of the turn's sequence. letters: [T, labels] log-probabilities of the whole turn."""

    def __init__(
        self, stream: Stream, at: int, script: Script, letters: Tensor, known: WordList, keywords: Collection[str] = (),
        rules: Transcribing = Transcribing(),
    ) -> None:  # fmt: skip
        """The turn's frames end at position `at` of the stream. `known`: the words of the language; `keywords`: words and
        phrases that are likely to be said."""
        self._stream, self._at, self._script, self.letters, self.known = stream, at, script, letters, known
        self._rules, self._weights = rules, rules.rescoring or Rescoring()
        self._favoured = rules.contextual_biasing.favoured if rules.contextual_biasing else 0.0
        self.keywords = tuple(keywords) if rules.contextual_biasing else ()
        self._phrases: dict[str, list[list[str]]] = {}
        for keyword in self.keywords:
            phrase = keyword.split()
            self._phrases.setdefault(phrase[0], []).append(phrase)
        # Behind its own name, which is not what people say to it.
        said = dropwhile(lambda token: token >= len(MARKS), stream.ids[1:at])
        self.brought_up = frozenset(plain(script.decode(token for token in said if token > FRAME)).split())
        """The words of the context."""
        self.context = dict.fromkeys(self.brought_up, 0.0) | {k: self._favoured * len(k.split()) for k in self.keywords}
        """These and the keywords, with the nats that speak for each."""
        self._unheard = at - sum(1 for _ in takewhile(lambda token: token <= FRAME, reversed(stream.ids[:at])))
        """Where the turn's frames begin."""
        pairs = zip(script.encode(NOT_UNDERSTOOD), script.encode(NOT_KNOWN), strict=False)
        alike = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        self._refusal = script.encode(NOT_UNDERSTOOD)[: alike + 1]
        self._found: dict[int, list[Found]] = {}

    def likeliest(self, sure: Sequence[tuple[int, float]] = ()) -> Searching[list[Found]]:
        """The likeliest transcripts that begin as the written one does, with these tokens and log-probabilities (`search`)."""
        beam = self._rules.beam_search
        if beam is None:
            return []
        if len(sure) not in self._found:
            self._found[len(sure)] = yield from beam.search(self._stream, self._at, self._script, self.letters, sure)
        return self._found[len(sure)]

    def likelihoods(self, texts: list[str]) -> Rescored[Tensor]:
        """[len(texts)] nats that words and letters speak for each, from a level that is the same for all. -inf for what is too
        long to have been said, for those at the end that are too many to try, and for all but the likeliest where they end
        alike. The first is the one that was written."""
        ways = [[USER, *self._script.encode(text), REPLY] for text in texts]
        # What all begin with speaks for none of them. What all end with is tried behind the few that are likeliest without it.
        same = min(common(map(reversed, ways)) - 1, min(map(len, ways)) - 2)
        stems = [way[: len(way) - same] for way in ways]
        shared = min(self._shared(ways), min(map(len, stems)) - 2)
        number = sum(end <= MOST_TRIED for end in accumulate(len(stem) - shared for stem in stems))
        likely = torch.full((len(texts),), -math.inf, dtype=torch.double)
        if number and cells(self.letters, texts[:number]) <= MOST_CELLS:
            worth = self._weights.word_alone if alone(texts[0]) else 1.0
            sound = worth * log_likelihoods(self.letters, texts[:number]).double()
            sound += self._expected(texts[:number], worth * self._favoured)
            free = self._rules.internal_language_model is not None and any(
                not ANY_WORD_BEHIND.isdisjoint(text.split()) for text in texts[:number]
            )
            likely[:number] = sound + (yield from self._words(shared, stems[:number], free))
            if same:
                best = likely[:number].topk(min(FINALISTS, number)).indices
                finals = yield from self._words(shared, [ways[n] for n in best.tolist()], free)
                likely = torch.full_like(likely, -math.inf).index_copy(0, best, sound[best] + finals)
        return likely

    def _words(self, shared: int, ways: list[list[int]], free: bool) -> Rescored[Tensor]:
        """[len(ways)] nats that the words of each speak for it, behind the first `shared` of the transcript. Where any word may
        follow, what the model without its ears takes from known words in it, beyond what any may lose, is given back."""
        heard = [(self._at + shared, way[shared:-1]) for way in ways]
        unheard = [(self._unheard, way[:-1]) for way in ways] if free else []
        # In one step, where that is not too long for the others.
        together = 2 * sum(len(way) for _, way in heard) <= MOST_TRIED
        behind: list[Tensor] = []
        for tried in (heard + unheard,) if together else filter(None, (heard, unheard)):
            behind += yield Try(self._stream, tried)
        words = sums([way[shared:] for way in ways], behind[: len(ways)])
        lost = [self._unexpected(way, logprobs) for way, logprobs in zip(ways, behind[len(ways) :], strict=False)]
        return words + torch.tensor(lost, dtype=torch.double) if free else words

    def _unexpected(self, way: list[int], logprobs: Tensor) -> float:
        """logprobs [len(way) - 1, vocabulary] behind all but its last id, unheard."""
        model = self._rules.internal_language_model
        assert model is not None
        pieces = [self._script.pieces[token] for token in way[1:]]
        words = whole_words(pieces, logprobs[range(len(pieces)), way[1:]].tolist())
        free = dropwhile(lambda pair: pair[0] not in ANY_WORD_BEHIND, words)
        return sum(max(0.0, -model.expected - nats) for word, nats in free if word in self.known or word in self.brought_up)

    def _expected(self, texts: list[str], favoured: float) -> Tensor:
        """[len(texts)] nats that the conversation and its keywords speak for their words; `favoured`: for each of a keyword."""

        def expected(word: str, keyword: bool) -> float:
            return (
                favoured
                if keyword
                else 0.0
                if word in self.brought_up
                else -self._weights.unusual
                if word in self.known
                else -self._weights.unknown
            )

        def total(text: str) -> float:
            words = text.split()
            return sum(map(expected, words, self._of_keywords(words)))

        return torch.tensor([total(text) for text in texts], dtype=torch.double)

    def _of_keywords(self, words: list[str]) -> list[bool]:
        """Of each word, is it one of a keyword that stands there as a whole?"""
        found = [False] * len(words)
        for n, word in enumerate(words):
            for phrase in self._phrases.get(word, ()):
                if words[n : n + len(phrase)] == phrase:
                    found[n : n + len(phrase)] = [True] * len(phrase)
        return found

    def understood(self, words: list[int]) -> Searching[list[int]]:
        """These words; or others nearly as likely to which the model replies in words, or which are a keyword, where it would
        refuse these or they are one word. A call is no such reply: on second thoughts nothing is done, and what calls is left
        alone."""
        rule = self._rules.n_best
        if rule is None or len(words) > rule.longest:
            return words
        (kind,) = yield from self._replies([words])
        if kind is ReplyKind.CALL or (kind is ReplyKind.WORDS and not alone(self._script.decode(words))):
            return words
        best = yield from self.likeliest()
        found = [transcript.tokens for transcript in best if transcript.tokens]
        found += [ids for ids in map(self._script.encode, self._likeliest_keywords()) if ids not in found]
        options = [words, *(ids for ids in found if ids != words)]
        texts = [self._script.decode(ids) for ids in options]
        likely = yield from self.likelihoods(texts)
        replies = yield from self._replies(options)
        likely -= rule.meaningless * torch.tensor([not self._means(*said) for said in zip(texts, replies, strict=True)])
        return options[int(likely.argmax())]

    def _means(self, text: str, reply: ReplyKind) -> bool:
        return reply is ReplyKind.WORDS or (reply is ReplyKind.REFUSAL and all(self._of_keywords(text.split())))

    def _likeliest_keywords(self) -> list[str]:
        """Those that the whole turn may have been."""
        rule = self._rules.contextual_biasing
        alike = WordList(self.keywords).like(heard_letters(self.letters)[0], rule.alike) if rule else []
        if rule is None or not alike or cells(self.letters, alike) > MOST_CELLS:
            return []
        likely = log_likelihoods(self.letters, alike)
        return [alike[n] for n in likely.topk(min(rule.likely, len(alike))).indices.tolist()]

    def _replies(self, texts: list[list[int]]) -> Rescored[list[ReplyKind]]:
        """What the model would reply to each."""
        ways = [[USER, *text, REPLY, *self._refusal] for text in texts]
        shared = min(self._shared(ways), min(map(len, texts)) + 1)
        behind = yield Try(self._stream, [(self._at + shared, way[shared:-1]) for way in ways])
        result = []
        for text, logprobs in zip(texts, behind, strict=True):
            reply = logprobs[len(text) + 1 - shared :]
            refused = float(reply[range(len(self._refusal)), self._refusal].sum().exp())
            called = float(reply[0, CALL].exp())
            result.append(ReplyKind.REFUSAL if refused > 0.5 else ReplyKind.CALL if called > 0.5 else ReplyKind.WORDS)
        return result

    def _shared(self, ways: list[list[int]]) -> int:
        """How many ids all of them and the stream begin with, but for the last of these: what follows it is asked."""
        return max(0, common([*ways, self._stream.ids[self._at :]]) - 1)


def sums(ways: list[list[int]], behind: list[Tensor]) -> Tensor:
    """[len(ways)] log-probabilities of all but the first id of each; behind: of each [len(way) - 1, vocabulary]."""
    found = [logprobs[range(len(way) - 1), way[1:]].sum() for way, logprobs in zip(ways, behind, strict=True)]
    return torch.stack(found).double()


def alone(transcript: str) -> bool:
    """Is it one word?"""
    return len(transcript.split()) == 1
