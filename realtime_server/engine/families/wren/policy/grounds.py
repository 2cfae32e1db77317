"""The rules of what a reply may say and a call may hold: their thresholds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AcousticEvidence:
    """Of the values that a parameter takes, the one that was heard is favoured: `weight` of a nat of the letters against one of
    the words."""

    weight: float = 1.0


@dataclass(frozen=True)
class ArgumentGrounding:
    """What nobody said is left out of a call, or there is none. Said is also what makes a turn less likely by no more nats than
    `misheard`, where its doubt is no more than `trusted`, a share of the most that it may raise: where the transcript is far
    from the sound, any value is as near to it."""

    misheard: float = 4.0
    trusted: float = 0.6


@dataclass(frozen=True)
class FactGrounding:
    """A sentence that states a fact, or denies to know one, is what the instructions say."""

    longest_key: int = 40
    """Characters behind which a sentence that begins with "The" is taken for no statement."""
    misheard: float = 4.0
    """Nats by which a turn may be less likely with a fact's key in it than as it was written, where it asks for some fact."""
    hesitation: float = -6.0
    """The log-probability of "Sorry ..." as a reply from which on the model was not sure to know what it states."""


@dataclass(frozen=True)
class Copying:
    """Words that are to be repeated or spelled are those of the transcript."""


@dataclass(frozen=True)
class Rejection:
    """A turn that raises more doubt (`HeardTurn.doubt`) is refused: too unlike what was heard, and too unsure."""

    most_doubt: float | None = None
