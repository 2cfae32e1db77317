"""A stream that is written token by token, and may have been drafted further (speculative decoding, Leviathan et al. 2023)."""

from collections import deque
from collections.abc import Generator, Sequence

from torch import Tensor

from realtime_server.engine.wren.steps import Stream, Think


class Drafted:
    """Where what is taken is what was drafted, no step is needed: the whole draft is run in one, with the first token."""

    def __init__(self, stream: Stream, draft: Sequence[int] = ()) -> None:
        """`draft`: what may follow the token that is taken first."""
        self._stream, self._draft = stream, list(draft)
        self._ahead: deque[tuple[int, Tensor]] = deque()

    @property
    def end(self) -> int:
        """The position behind what was taken."""
        return len(self._stream.ids) - len(self._ahead)

    def take(self, token: int) -> Generator[Think, Tensor, Tensor]:
        """The logits [vocabulary] behind it."""
        if self._ahead and self._ahead[0][0] == token:
            return self._ahead.popleft()[1]
        self.back_to(self.end)
        draft, self._draft = self._draft, []
        behind = yield Think(self._stream, [token, *draft], every=True)
        self._ahead.extend(zip(draft, behind[1:], strict=True))
        return behind[0]

    def back_to(self, position: int) -> None:
        """What was taken from there on is taken back."""
        del self._stream.ids[position:]
        self._ahead.clear()
