"""The turn automaton: speech probabilities in, turn borders out. It counts samples and never looks at a clock."""

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True)
class TurnRules:
    """When a turn begins and ends; lengths in samples."""

    threshold: float
    prefix_padding: int
    silence: int
    onset: int
    """Speech must last this long before it counts: a click is no turn."""
    finished: float | None = None
    """`semantic_vad`: with a score of at least this, the turn ends at once, after `scored_silence`; `silence` ends any turn."""
    scored_silence: int = 0
    """The score must have heard so much of the pause: the first moments of all pauses are alike."""


@dataclass(frozen=True)
class TurnStarted:
    """At `sample`, padding included."""

    sample: int


@dataclass(frozen=True)
class TurnStopped:
    """At `sample`, the silence that ended it included."""

    sample: int


class State(Enum):
    SILENCE = auto()
    ONSET = auto()
    SPEECH = auto()
    PAUSE = auto()


HYSTERESIS = 0.15
"""In speech, silence needs a probability this far below the threshold (as in Silero's own iterator)."""


class TurnMachine:
    """Fed one frame at a time; `position` is the absolute sample up to which it has listened."""

    def __init__(self, rules: TurnRules, position: int = 0) -> None:
        self.rules = rules
        self.position = position
        self.state = State.SILENCE
        self._floor = position
        self._since = position

    @property
    def keep_from(self) -> int:
        """Audio before this sample can no longer become part of a turn."""
        since = self._since if self.state is State.ONSET else self.position
        return max(self._floor, since - self.rules.prefix_padding)

    def feed(self, samples: int, probability: float) -> TurnStarted | TurnStopped | None:
        begin, self.position = self.position, self.position + samples
        loud = probability >= self.rules.threshold
        quiet = probability < max(self.rules.threshold - HYSTERESIS, 0.01)
        match self.state:
            case State.SILENCE if loud:
                self.state, self._since = State.ONSET, begin
                return self._begin_if_long_enough()
            case State.ONSET if loud:
                return self._begin_if_long_enough()
            case State.ONSET:
                self.state = State.SILENCE
            case State.SPEECH if quiet:
                self.state, self._since = State.PAUSE, begin
                return self._end_if_long_enough()
            case State.PAUSE if loud:
                self.state = State.SPEECH
            case State.PAUSE:
                return self._end_if_long_enough()
            case _:
                pass
        return None

    def scored(self, position: int, probability: float) -> TurnStopped | None:
        """The model's end-of-turn score for all that was said up to `position`; may come later than the frames."""
        rules = self.rules
        if rules.finished is None or self.state is not State.PAUSE or probability < rules.finished:
            return None
        if position - self._since < rules.scored_silence:
            return None
        self.reset(self.position)
        return TurnStopped(self.position)

    def reset(self, position: int) -> None:
        """Start anew: what came before `position` belongs to no later turn."""
        self.state, self.position, self._floor = State.SILENCE, position, position

    def _begin_if_long_enough(self) -> TurnStarted | None:
        if self.position - self._since < self.rules.onset:
            return None
        self.state = State.SPEECH
        return TurnStarted(max(self._floor, self._since - self.rules.prefix_padding))

    def _end_if_long_enough(self) -> TurnStopped | None:
        if self.position - self._since < self.rules.silence:
            return None
        self.reset(self.position)
        return TurnStopped(self.position)
