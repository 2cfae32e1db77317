"""The rules' thresholds: what each counts, in nats where nothing else is said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rescoring:
    """A transcript whose words are together less probable than `sure` is weighed against others."""

    sure: float = 0.85
    unusual: float = 1.0
    """Against a word that the conversation has not brought up,"""
    unknown: float = 6.0
    """and against one that is in no list."""
    word_alone: float = 0.5
    """What its letters are worth where the whole turn was written as one word: they are few, and cut recordings lack some."""


@dataclass(frozen=True)
class InternalLanguageModel:
    """Before it is heard, no known word that is to be repeated or spelled counts as less likely than one in some e^`expected`:
    of those that training did not have, the model thinks that nobody says them (Meng et al. 2021)."""

    expected: float = 10.0


@dataclass(frozen=True)
class NBest:
    """Of the likeliest transcripts, where what was written is less probable than `sure`, one that has a reply is taken before
    one that has none."""

    sure: float = 0.7
    longest: int = 10
    """Tokens of a turn whose meaning is asked: what is long says more than a few letters can make otherwise."""
    meaningless: float = 5.0
    """By which one that means nothing must be likelier than one that has a reply: people seldom say what means nothing."""


@dataclass(frozen=True)
class ContextualBiasing:
    """A session's keywords are likelier: the client knows better than the model what its users say."""

    favoured: float = 8.0
    """For each word of a keyword."""
    alike: int = 40
    """How many of them, by their looks,"""
    likely: int = 12
    """and of these by their letters, are tried as the whole of a short turn."""


@dataclass(frozen=True)
class AcousticEvidence:
    """Of the values that a parameter takes, the one that was heard is favoured: `weight` of a nat of the letters against one of
    the words."""

    weight: float = 1.0


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
    """A turn that raises more doubt (`Recording.doubt`) is refused: too unlike what was heard, and too unsure."""

    most_doubt: float | None = None

    def rejects(self, doubt: float) -> bool:
        return self.most_doubt is not None and doubt > self.most_doubt
