"""A stream that is written token by token, and may have been drafted further (speculative decoding, Leviathan et al. 2023)."""

from collections import deque
from collections.abc import Generator, Sequence

from torch import Tensor

from realtime_server.engine.runtime.steps import Stream, Think


class Drafted:
    """Where what is taken is what was drafted, no step is needed: the whole draft is run in one, with the first token."""

    def __init__(self, stream: Stream, draft: Sequence[int] = (), unread: Sequence[int] = ()) -> None:
        """`draft`: what may follow the token that is taken first; `unread`: what stands before it, and is to be run with it."""
        self._stream, self._draft, self._unread = stream, list(draft), list(unread)
        self._ahead: deque[tuple[int, Tensor]] = deque()

    @property
    def unread(self) -> int:
        """Of what is to be run with the first token, how much stands before it."""
        return len(self._unread)

    @property
    def end(self) -> int:
        """The position behind what was taken."""
        return len(self._stream.ids) - len(self._ahead)

    def take(self, token: int) -> Generator[Think, Tensor, Tensor]:
        """The logits [vocabulary] behind it."""
        if self._ahead and self._ahead[0][0] == token:
            return self._ahead.popleft()[1]
        self.back_to(self.end)
        unread, draft, self._unread, self._draft = self._unread, self._draft, [], []
        behind = (yield Think(self._stream, [*unread, token, *draft], every=True))[len(unread) :]
        self._ahead.extend(zip(draft, behind[1:], strict=True))
        return behind[0]

    def back_to(self, position: int) -> None:
        """What was taken from there on is taken back."""
        del self._stream.ids[position:]
        self._ahead.clear()
