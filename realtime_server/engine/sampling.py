"""Choosing: with temperature and a seed, or among a set of allowed sentences."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class Noise:
    """Gumbel noise of one sequence: argmax(logits / temperature + noise) samples the softmax, in any batch, from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def draw(self, *shape: int) -> NDArray[np.float32]:
        return self._random.gumbel(size=shape).astype(np.float32)


class Choice:
    """A trie over token sequences: which tokens may come next, and which option has been reached.

    An option ends with one of the `stops`, so that one option may begin with another.
    """

    def __init__(self, options: Iterable[tuple[Sequence[int], object]], stops: Iterable[int]) -> None:
        self._root: dict[int, object] = {}
        self._stops = tuple(stops)
        for tokens, value in options:
            node = self._root
            for token in tokens:
                node = node.setdefault(token, {})  # type: ignore[assignment]
            for stop in self._stops:
                node[stop] = (value,)
        self._at: object = self._root

    def allowed(self) -> list[int]:
        assert isinstance(self._at, dict)
        return list(self._at)

    def take(self, token: int) -> tuple[object] | None:
        """The option, in a tuple, once `token` completes one."""
        assert isinstance(self._at, dict)
        self._at = self._at[token]
        return self._at if isinstance(self._at, tuple) else None
