"""The inner language: frozen values between a session, the speech detector and the engine.

Sessions issue commands and consume outputs; engines do the reverse. Audio is mono, 16-bit, at AUDIO_RATE_HZ: every engine and
detector makes of it what its ears need, and of its voice that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

AUDIO_RATE_HZ = 24_000
Samples = NDArray[np.int16]


# --- what a model declares --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SchemaFault:
    """Why calls of a function cannot be promised to fit its JSON schema; `path` is dotted, from the schema's top."""

    path: str
    why: str
    malformed: bool = False
    """It is no JSON schema at all."""
    partial: bool = False
    """What is at fault need not be there: without it, the function can be called."""


def _honours_everything(_: dict[str, Any]) -> SchemaFault | None:
    return None


@dataclass(frozen=True)
class Abilities:
    """What a model declares to the sessions that it serves, so that they refuse at once what it cannot do."""

    voice_ids: frozenset[str] = frozenset()
    """What `{"id": ...}` may name, besides the ten names of the protocol."""
    schema_fault: Callable[[dict[str, Any]], SchemaFault | None] = _honours_everything
    """Judges a function's parameters; called on any thread."""
    scores_turn_end: bool = False
    """It tells, as it listens, whether the speaker has finished (`TurnEnd`); `semantic_vad` waits for that."""


# --- what an answer is based on ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True, eq=False)
class Audio:
    """Something the user said; `transcript` is None until the engine has written one."""

    samples: Samples
    """None of them where they are no longer kept."""
    transcript: str | None
    key: str
    """Of this recording, and never of another: made by the server; for a turn that was listened to, the id in its `Listen`."""


@dataclass(frozen=True)
class Image:
    """A data URI."""

    url: str


@dataclass(frozen=True)
class Message:
    item_id: str
    role: Literal["system", "user", "assistant"]
    parts: tuple[Text | Audio | Image, ...]


@dataclass(frozen=True)
class FunctionCall:
    item_id: str
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class FunctionResult:
    item_id: str
    call_id: str
    output: str


ContextItem = Message | FunctionCall | FunctionResult


@dataclass(frozen=True)
class Function:
    """A tool of the client's; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Truncation:
    """What happens to items that no longer fit: the oldest are left out, down to `retention` of the limit at once."""

    allowed: bool = True
    retention: float = 1.0
    conversation_tokens: int | None = None
    """A limit of the conversation's own, besides the model's."""


@dataclass(frozen=True)
class Context:
    instructions: str
    tools: tuple[Function, ...]
    items: tuple[ContextItem, ...]
    truncation: Truncation = Truncation()
    keywords: tuple[str, ...] = ()
    """Words and phrases that are likely to be said (`audio.input.transcription.keywords`)."""


# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listen:
    """A user turn begins: its audio follows, so that it can be taken in while the user still speaks."""

    item_id: str
    context: Context
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
class Respond:
    """Answer. `context` ends with what is to be answered; if that is a turn just heard, it continues from there."""

    response_id: str
    context: Context
    audio: bool
    voice: str
    tool_choice: Literal["auto", "none", "required"] | str
    """A function's name, behind 'function:', makes that function be called."""
    max_output_tokens: int | None
    speed: float = 1.0
    """Tempo of the speech; the pitch stays."""


@dataclass(frozen=True)
class Cancel:
    response_id: str


@dataclass(frozen=True, eq=False)
class Detect:
    """The next samples for the speech detector."""

    samples: Samples


@dataclass(frozen=True)
class ResetDetector:
    """Another stream begins: what was sent before is not its past."""


@dataclass(frozen=True)
class Disconnect:
    """For the connection itself: send what is waiting, then close."""

    code: int
    reason: str


Command = Listen | Hear | Forget | Commit | Respond | Cancel | Detect | ResetDetector | Disconnect


# --- outputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SpeechProbability:
    """The detector's view of the next `samples` samples, at AUDIO_RATE_HZ; `stream` counts the resets before them."""

    stream: int
    samples: int
    probability: float


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


ResponseOutput = (
    Prompted | TextDelta | AudioDelta | CallStarted | CallArgumentsDelta | CallDone | ResponseFinished | ResponseFailed
)
Output = SpeechProbability | TurnEnd | TranscriptDelta | TranscriptDone | TranscriptFailed | SessionFailed | ResponseOutput
