"""What thinking and speaking an answer share."""

from dataclasses import dataclass, field

from realtime_server.engine.talker.spoken_form import SpokenForm
from realtime_server.messages import Output

AUDIO_TOKENS_PER_FRAME = 1.6


@dataclass
class Reply:
    """The answer's text so far, what of it is said, and how far each has come.

    `form`: how it is read out; None where it is written as it is read.
    """

    text: str = ""
    written: bool = False
    spoken: bool = False
    frames: int = 0
    tokens: int = 0
    limit: int | None = None
    ran_out: bool = False
    outputs: list[Output] = field(default_factory=list)
    form: SpokenForm | None = None

    @property
    def over_limit(self) -> bool:
        return self.limit is not None and self.tokens + self.frames * AUDIO_TOKENS_PER_FRAME >= self.limit

    @property
    def letters(self) -> str:
        """What is to be read out, as far as it is certain: it only grows."""
        return self.text if self.form is None else self.form.letters

    @property
    def settled(self) -> bool:
        """Nothing more will come of it to be read out."""
        return self.written and (self.form is None or self.form.closed)

    def characters(self, letter: int) -> int:
        """Of the text, when so many letters have been read out."""
        at = min(letter, len(self.letters))
        return at if self.form is None else self.form.characters(at)
