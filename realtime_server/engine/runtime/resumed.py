"""A body that one sequence begins and another goes on with."""

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

S = TypeVar("S")


class Resumed(Generic[S]):
    """Keeps the step that the body waits for, whoever runs it: a guess at an answer that was right is not begun anew."""

    def __init__(self, body: Generator[S, Any, None]) -> None:
        self._body = body
        self._step: S | None = None
        self._send(None)

    @property
    def over(self) -> bool:
        return self._step is None

    def run(self, enough: Callable[[], bool] = lambda: False) -> Generator[S, Any, None]:
        """To its end, or until that is `enough`."""
        while self._step is not None and not enough():
            self._send((yield self._step))

    def _send(self, answer: Any) -> None:
        try:
            self._step = self._body.send(answer)
        except StopIteration:
            self._step = None
