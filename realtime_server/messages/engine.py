"""Between a session and the speech model."""

from dataclasses import dataclass
from typing import Generic, Literal

from realtime_server.messages.context import ContextItem, ContextRef, Known
from realtime_server.messages.samples import Samples
from realtime_server.messages.sampling import Sampling

# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AddItem:
    """The conversation has one more item, behind the one with the id `after`; None: before all."""

    item: ContextItem
    after: str | None


@dataclass(frozen=True)
class RemoveItem:
    item_id: str


@dataclass(frozen=True)
class ReplaceItem:
    """It is another now, at its place: there is more of it, or less, or its sound is no longer kept."""

    item: ContextItem


@dataclass(frozen=True)
class AddTranscript:
    """What was said in this part of an item; its sound has crossed already."""

    item_id: str
    part: int
    transcript: str


@dataclass(frozen=True)
class Listen(Generic[Known]):
    """A user turn begins: its audio follows, so that it can be taken in while the user still speaks."""

    item_id: str
    context: Known
    live: bool = False
    """Words of the transcript are wanted before the turn is complete."""


@dataclass(frozen=True, eq=False)
class Hear:
    item_id: str
    samples: Samples


@dataclass(frozen=True)
class Forget:
    """The turn was thrown away."""

    item_id: str


@dataclass(frozen=True)
class Commit:
    """The turn is complete; the engine writes its transcript."""

    item_id: str


@dataclass(frozen=True)
class NamedFunction:
    """As a tool choice: this function is to be called."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedFunction


@dataclass(frozen=True)
class Respond(Generic[Known]):
    """Answer. `context` ends with what is to be answered; if that is a turn just heard, it continues from there."""

    response_id: str
    context: Known
    audio: bool
    voice: str
    tool_choice: ToolChoice
    max_output_tokens: int | None
    speed: float = 1.0
    """Tempo of the speech; the pitch stays."""
    sampling: Sampling | None = None
    """None: as the model decodes by itself."""


@dataclass(frozen=True)
class Cancel:
    response_id: str


ContextChange = AddItem | RemoveItem | ReplaceItem | AddTranscript
EngineCommand = ContextChange | Listen[ContextRef] | Hear | Forget | Commit | Respond[ContextRef] | Cancel


# --- outputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TurnEnd:
    """How probable it is, after so many samples of this turn, that the speaker has finished what he wants to say."""

    item_id: str
    samples: int
    probability: float


@dataclass(frozen=True)
class TranscriptDelta:
    item_id: str
    text: str
    logprob: float


@dataclass(frozen=True)
class TranscriptDone:
    item_id: str
    text: str
    text_tokens: int


@dataclass(frozen=True)
class TranscriptFailed:
    item_id: str
    message: str


@dataclass(frozen=True)
class ResponseBegun:
    """A full-duplex model has begun to speak without being asked; the id is its own, and all that belongs to it bears it."""

    response_id: str


@dataclass(frozen=True)
class Prompted:
    """What the answer starts from, in text tokens, and how many of them were still held from before.

    Audio tokens are counted by the session, from durations.
    """

    response_id: str
    text_tokens: int
    cached_tokens: int


@dataclass(frozen=True)
class TextDelta:
    """More of the answer's words: the text of a text answer, the transcript of a spoken one. `tokens` is what it took."""

    response_id: str
    text: str
    tokens: int = 1


@dataclass(frozen=True, eq=False)
class AudioDelta:
    """More of the answer's sound; at its end, `characters` of the answer's text have been spoken."""

    response_id: str
    samples: Samples
    characters: int


@dataclass(frozen=True)
class CallStarted:
    response_id: str
    name: str


@dataclass(frozen=True)
class CallArgumentsDelta:
    response_id: str
    text: str
    tokens: int = 1


@dataclass(frozen=True)
class CallDone:
    response_id: str


@dataclass(frozen=True)
class ResponseFinished:
    response_id: str
    reason: Literal["completed", "max_output_tokens"]


@dataclass(frozen=True)
class ResponseFailed:
    response_id: str
    code: str
    message: str


@dataclass(frozen=True)
class SessionFailed:
    """What serves this session broke, and cannot go on for it: the client is told and sent away, nobody else notices."""

    message: str


ResponseProgress = Prompted | TextDelta | AudioDelta | CallStarted | CallArgumentsDelta | CallDone
ResponseOutput = ResponseProgress | ResponseFinished | ResponseFailed
EngineOutput = TurnEnd | TranscriptDelta | TranscriptDone | TranscriptFailed | SessionFailed | ResponseBegun | ResponseOutput
