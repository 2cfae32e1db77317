"""How the tokens of an answer are chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """How a sequence's tokens are chosen. Raises ValueError for what is out of range.

    temperature: 0 takes the likeliest. top_p: only the likeliest tokens, up to so much probability together (Holtzman et al.
    2020). repetition_penalty: divides what speaks for tokens that stand in the prompt or the reply (Keskar et al. 2019).
    presence_penalty, frequency_penalty: nats against a token of the reply, once and for each time that it stands there. seed:
    the same one gives the same reply; None is another each time.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if not (self.temperature >= 0 and 0 < self.top_p <= 1 and self.repetition_penalty > 0):
            raise ValueError(f"{self} is out of range")


GREEDY = Sampling(temperature=0.0)
