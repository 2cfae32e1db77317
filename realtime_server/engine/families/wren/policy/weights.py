"""The rules that weigh whole transcripts against one another (`rescoring`): what each counts, in nats."""

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
