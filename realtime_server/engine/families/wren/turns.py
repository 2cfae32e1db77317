"""A user turn while it is heard: where it stands, what has been written of it so far, and what it came to."""

from dataclasses import dataclass, field

from realtime_server.engine.families.wren.hearing import Intake, Sound
from realtime_server.engine.families.wren.recordings import Recording
from realtime_server.engine.families.wren.script import whole_words
from realtime_server.engine.runtime.steps import FRAME, Stream


@dataclass(frozen=True)
class Wording:
    """A transcript: its pieces, their log-probabilities, and how many of them the client was told already."""

    pieces: list[str]
    logprobs: list[float]
    told: int

    @property
    def words(self) -> list[tuple[str, float]]:
        return whole_words(self.pieces, self.logprobs)


@dataclass(frozen=True)
class Written:
    """What the first `frames` of a turn say."""

    frames: int
    tokens: list[int]
    wording: Wording


@dataclass
class Draft:
    """What was written of a turn before it was complete."""

    tokens: list[int] = field(default_factory=list)
    """The ones that were written last, before anything was looked up."""
    frames: int = 0
    """How many of a live turn's were heard then."""
    reply: list[int] = field(default_factory=list)
    """How the reply to them, or to what was written in a pause, would begin."""
    written: Written | None = None
    """What was said before the last pause."""
    told: list[tuple[int, float]] = field(default_factory=list)
    """Tokens of the transcript that the client has already, with their log-probabilities."""


@dataclass
class HeardTurn:
    item_id: str
    stream: Stream
    context_ids: list[int]
    key: str
    """Of its recording: the item's id, where it is heard as it is said."""
    mark: int = FRAME
    """The id of its frames in streams: no other turn of the session has it."""
    live: bool = False
    """Words are wanted before the turn is complete."""
    keywords: tuple[str, ...] = ()
    """Words and phrases that are likely to be said, as they are written in a transcript."""
    cached: int = 0
    """Positions of the context that the stream held already."""
    intake: Intake = field(default_factory=Intake)
    sound: Sound = field(default_factory=Sound)
    draft: Draft = field(default_factory=Draft)
    heard: Recording | None = None
    """Once it is understood."""
    unread: list[int] = field(default_factory=list)
    """Of what the stream is to end with, what it does not hold yet: the words, where they were written before."""
    wanted: bool = False
    """A response waits for its transcript."""
    over: bool = False
