"""The sequence of one transcription: a window of sound is encoded, and its tokens are written, the likeliest each time.

The rules are Whisper's own (Radford et al. 2022, 4.5): a sentence stands between timestamps, and where these are likelier
together than any text, one closes it. With short windows the text ends there, unless more was said behind it: what the decoder
would go on to say of silence was not said. What was written of the same sound before is a draft: one step tells how much of it
still holds (speculative decoding, Leviathan et al. 2023).
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from realtime_server.engine.ears.keywords import Keywords
from realtime_server.engine.ears.steps import Encode, Predict
from realtime_server.engine.ears.transcript import LIKELY, Sentence, Transcript, unlooped
from realtime_server.engine.ears.vocabulary import TIMESTAMP_S, Vocabulary
from realtime_server.engine.nets.whisper import Encoded
from realtime_server.engine.runtime.steps import Stream

TOKENS_PER_S = 9
"""Nobody says more: three words are about four tokens, digits in a row one each."""
TOKENS_MORE = 8
REST_S = 0.4
"""Of speech behind a closing timestamp that is another sentence."""
Steps = Generator[Encode | Predict, Any, Transcript]
Taking = Generator[Predict, Tensor, Tensor]
"""A text goes on: the log-probabilities [vocabulary] behind it."""


@dataclass(frozen=True, eq=False)
class Window:
    """Sound to transcribe: mel [2 S, mels], of which the first `seconds` hold speech, and the rest is silence.

    draft: tokens that were written of it before; the first `told` of them stand, whatever is heard now.
    """

    mel: Tensor
    seconds: float
    language: str = "en"
    keywords: Keywords = Keywords()
    draft: tuple[int, ...] = ()
    told: int = 0


def transcribe(window: Window, stream: Stream, vocabulary: Vocabulary) -> Steps:
    """`stream`: an empty one of the ear's, which is empty again behind it."""
    sound: Encoded = yield Encode(window.mel)
    try:
        return (yield from _Writing(window, stream, vocabulary, sound).write())
    finally:
        stream.ids.clear()


@dataclass
class _Writing:
    window: Window
    stream: Stream
    vocabulary: Vocabulary
    sound: Encoded
    tokens: list[int] = field(default_factory=list)
    places: list[Tensor] = field(default_factory=list)
    """At each token's place the log-probabilities [vocabulary] of all."""
    sentences: list[Sentence] = field(default_factory=list)

    def write(self) -> Steps:
        prompt, draft = self.vocabulary.prompt(self.window.language), list(self.window.draft)
        behind = yield Predict(self.stream, [*prompt, *draft], self.sound)
        no_speech = float(behind[0, self.vocabulary.no_speech].exp())
        self._accept(draft, behind[len(prompt) - 1 :])
        del self.stream.ids[len(prompt) + len(self.tokens) :]
        place: Tensor = behind[len(prompt) - 1 + len(self.tokens)]
        most = TOKENS_MORE + int(TOKENS_PER_S * self.window.seconds)
        while len(self.tokens) < most and not self._loops():
            token = self._likeliest(place)
            if token == self.vocabulary.end or (token > self.vocabulary.end and not self._goes_on(token)):
                break
            place = yield from self._take(token, place)
        return self._transcript(no_speech)

    def _accept(self, draft: list[int], behind: Tensor) -> None:
        """Takes what of the draft still holds. behind: [1 + len(draft), vocabulary]."""
        for n, token in enumerate(draft):
            if n >= self.window.told and self._likeliest(behind[n]) != token:
                break
            self.tokens.append(token)
            self.places.append(behind[n])

    def _likeliest(self, place: Tensor) -> int:
        """The token behind what is written, [vocabulary]: of text, the end, or a timestamp that closes the sentence."""
        open_here = self.vocabulary.open if self.tokens else self.vocabulary.open_first
        text, times = self.vocabulary.split(place.masked_fill(~open_here, -torch.inf))
        token = int(text.argmax())
        closes = times.logsumexp(-1) > text[token]
        return self.vocabulary.first_timestamp + int(times.argmax()) if closes else token

    def _goes_on(self, timestamp: int) -> bool:
        """A sentence is closed; was more said behind it?"""
        before = self.sentences[-1].seconds if self.sentences else 0.0
        self.sentences.append(Sentence(len(self.tokens), max(self.vocabulary.seconds(timestamp), before + TIMESTAMP_S)))
        return self.sentences[-1].seconds < self.window.seconds - REST_S

    def _take(self, token: int, place: Tensor) -> Taking:
        if token > self.vocabulary.end:
            # The next sentence begins where that one ended.
            return (yield Predict(self.stream, [token, token], self.sound))[-1]
        said = yield from self._keyword(place)
        if said is not None:
            return said
        self.tokens.append(token)
        self.places.append(place)
        return (yield Predict(self.stream, [token], self.sound))[-1]

    def _keyword(self, place: Tensor) -> Generator[Predict, Tensor, Tensor | None]:
        """Takes a keyword, if one is likely enough here to have been said."""
        begin = len(self.stream.ids)
        for keyword in self.window.keywords.may_begin(place):
            behind = yield Predict(self.stream, list(keyword), self.sound)
            places = torch.cat([place[None], behind[:-1]])
            if self.window.keywords.said(places[range(len(keyword)), keyword]):
                self.tokens += keyword
                self.places += places
                return behind[-1]
            del self.stream.ids[begin:]
        return None

    def _loops(self) -> bool:
        """Leaves the first of what repeats itself."""
        number = max(unlooped(self.tokens), self.window.told)
        looped = number < len(self.tokens)
        del self.tokens[number:], self.places[number:]
        return looped

    def _transcript(self, no_speech: float) -> Transcript:
        places = torch.stack(self.places) if self.places else torch.zeros(0, self.vocabulary.size)
        logprobs = places[range(len(self.tokens)), self.tokens].tolist()
        likely = places.topk(LIKELY)
        return Transcript(
            self.vocabulary.text(self.tokens).strip(), tuple(self.tokens), tuple(logprobs), likely.indices, likely.values.exp(),
            no_speech, self.sound.states, tuple(self.sentences),
        )  # fmt: skip
